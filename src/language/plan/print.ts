// printPlan: what a plan will do, for people to read in a terminal, a review and a golden test.
import { formatUsd } from '../../common/money.ts';
import { formatCount, formatDuration, formatThousands } from '../../common/units.ts';
import { constantBeginning } from './constant.ts';
import { canonicalPlanText } from './encode.ts';
import type {
  JsonSchema,
  NamedOrWritten,
  Plan,
  PlanAlertSink,
  PlanBudget,
  PlanLoopGuard,
  PlanLoops,
  PlanModel,
  PlanModelStep,
  PlanPatience,
  PlanPolicy,
  PlanPrice,
  PlanRateLimits,
  PlanRule,
  PlanStep,
  PlanSurgeGuard,
  PlanTask,
  PlanWindow,
  Template,
} from './types.ts';

/** The whole plan, or one task of it. Ends without a line break. */
export function printPlan(plan: Plan, task?: string): string {
  const tasks = Object.values(plan.tasks).filter((each) => task === undefined || each.name === task);
  const used = new Set(tasks.flatMap(modelsOf));
  const models = Object.values(plan.models).filter(({ key }) => task === undefined || used.has(key));
  const sections = [
    `plan ${plan.hash.slice(0, 12)}`,
    ...tasks.map(printTask),
    section('models', models.map(printModel)),
    ...(task === undefined
      ? [
          section(
            'providers',
            Object.values(plan.providers).map((provider) => printProvider(plan, provider.name)),
          ),
          section('budgets', plan.budgets.map(printBudget)),
          section('guards', printGuards(plan)),
          section('exposed', printExposed(plan)),
          section('alerts', Object.values(plan.alerts ?? {}).map(printSink)),
        ]
      : []),
  ];
  return sections.filter((text) => text !== '').join('\n\n');
}

function modelsOf(task: PlanTask): readonly string[] {
  return task.steps.flatMap((step) =>
    step.kind === 'model' || step.kind === 'exchange'
      ? step.route.rules.flatMap(({ candidates }) => candidates.map(({ model }) => model))
      : [],
  );
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [title, ...lines.map((line) => indent(line, 2))].join('\n');
}

function indent(text: string, by: number): string {
  const margin = ' '.repeat(by);
  return text
    .split('\n')
    .map((line) => (line === '' ? line : margin + line))
    .join('\n');
}

function printTask(task: PlanTask): string {
  const { allowance, cache, retain, loop, baseline } = task;
  const lines = [
    ...(task.description === '' ? [] : [task.description]),
    ...(task.deprecated === null ? [] : [`deprecated: ${task.deprecated}`]),
    `allowance  ${formatDuration(allowance.deadlineMs)}, ${allowance.attempts} attempts, ${allowance.costNanoUsd === null ? 'no cost limit of its own' : `at most $${formatUsd(allowance.costNanoUsd)}`}`,
    ...(task.priority === undefined ? [] : [`priority   ${task.priority}`]),
    `cache      ${cache === null ? 'off' : `same input, ${formatDuration(cache.forMs)}`}`,
    `retain     ${retain.content}, ${formatDuration(retain.forMs)}`,
    ...(loop === null ? [] : [`loop       ${printLoops(loop)}`]),
    ...(baseline === null || baseline === undefined ? [] : [`baseline   ${baseline}`]),
    `input      ${printSchema(task.inputSchema)}`,
    ...Object.entries(task.inputDefaults).map(
      ([name, template]) => `           ${name} = ${printTemplate(template)}`,
    ),
    ...task.steps.map(printStep),
    `output     ${printTemplate(task.output)}`,
  ];
  return [
    `task ${task.name}  ${task.revision.slice(0, 12)}  ${task.file}`,
    ...lines.map((line) => indent(line, 2)),
  ].join('\n');
}

export function printStep(step: PlanStep): string {
  const lines = [
    ...(step.after.length > 0 ? [`after ${step.after.join(', ')}`] : []),
    ...(step.when === null ? [] : [`when ${step.when}`]),
    ...(step.each === null
      ? []
      : [`each ${step.each.list} as ${step.each.as}, ${step.each.concurrent} at a time`]),
    ...printBody(step),
  ];
  return [`step ${step.key}: ${step.kind}`, ...lines.map((line) => indent(line, 2))].join('\n');
}

function printBody(step: PlanStep): readonly string[] {
  switch (step.kind) {
    case 'model':
      return [
        `route ${step.route.name}${step.route.pin ? ', pinned' : ''}`,
        ...step.route.rules.map((rule) => indent(printRule(rule), 2)),
        ...(step.system === null ? [] : [`system ${printTemplate(step.system)}`]),
        `prompt ${printTemplate(step.prompt)}`,
        `at most ${formatCount(step.maxOutputTokens)} tokens of output${step.temperature === null ? '' : `, temperature ${step.temperature}`}`,
        `gives ${step.structured === null ? '{ text: string }' : printSchema(step.structured)}`,
        ...(step.accept === null ? [] : [`accept ${step.accept}`]),
        ...printPromptCache(step),
      ];
    case 'exchange':
      return [
        `route ${step.route.name}${step.route.pin ? ', pinned' : ''}`,
        ...step.route.rules.map((rule) => indent(printRule(rule), 2)),
        step.maxOutputTokens === null
          ? 'as many tokens of output as are asked for, or as the model gives'
          : `at most ${formatCount(step.maxOutputTokens)} tokens of output`,
        ...Object.entries(step.patience).map(([model, patience]) => `${model} ${printPatience(patience)}`),
      ];
    case 'parse':
      return [`${step.format} from ${printTemplate(step.from)}`];
    case 'chunk':
      return [
        `${formatCount(step.tokens)} tokens each, ${step.overlapTokens} shared, from ${printTemplate(step.from)}`,
      ];
    case 'task':
      return [`task ${step.task} with ${printTemplate(step.input)}`];
  }
}

/** Of shorter ones no vendor keeps anything: four characters are about a token, and 1,024 tokens the least. */
const KEPT_FROM_CHARACTERS = 3_000;

function printPromptCache(step: PlanModelStep): readonly string[] {
  const constant = constantBeginning('', step, '');
  if (constant === null) return ['the provider is not asked to keep the prompt'];
  const { length } = constant.text;
  return length < KEPT_FROM_CHARACTERS
    ? []
    : [`begins with ${formatThousands(length)} characters that are the same in each call`];
}

function printPatience({ timeoutMs, firstTokenMs, stallMs }: PlanPatience): string {
  return `may take ${formatDuration(timeoutMs)}, first token ${formatDuration(firstTokenMs)}, stall ${formatDuration(stallMs)}`;
}

export function printRule(rule: PlanRule): string {
  const weighted = rule.pick === 'weighted';
  const candidates = rule.candidates
    .map(({ model, weight }) => (weighted ? `${model} ${weight}` : model))
    .join(', ');
  const after = rule.hedge?.after;
  const hedge =
    rule.hedge && after
      ? `, a second after ${after.kind === 'percentile' ? `p${after.percentile}` : formatDuration(after.ms)} (at most ${rule.hedge.atMost})`
      : '';
  return `${rule.when === null ? 'else' : `when ${rule.when}:`} ${rule.pick} of ${candidates}${hedge}`;
}

function printModel(model: PlanModel): string {
  return [
    model.key,
    `  ${formatCount(model.contextTokens)} context${model.maxOutputTokens === null ? '' : `, ${formatCount(model.maxOutputTokens)} output`}, quality ${model.quality}, ${model.capabilities.join(' ')}`,
    ...printPrice(model.price).map((line) => `  ${line}`),
    `  policy ${printPolicy(model.policy)}`,
    ...printLimits(model.limits).map((line) => `  ${line}`),
  ].join('\n');
}

export function printPrice(price: PlanPrice): readonly string[] {
  if (price.kind === 'free') return ['free'];
  return price.tiers.map((rates, index) => {
    const parts = [
      `input $${formatUsd(rates.input)}`,
      `cached $${formatUsd(rates.cachedInput)}`,
      `cache write $${formatUsd(rates.cacheWrite)}`,
      `output $${formatUsd(rates.output)}`,
    ];
    if (rates.reasoning !== rates.output) parts.push(`reasoning $${formatUsd(rates.reasoning)}`);
    if (rates.request > 0n) parts.push(`request $${formatUsd(rates.request)} each`);
    const from = rates.fromInputTokens === 0 ? '' : `from ${rates.fromInputTokens} input tokens: `;
    return `${from}${parts.join(', ')} a million tokens${index === 0 ? ` (${price.source})` : ''}`;
  });
}

function printPolicy(policy: PlanPolicy): string {
  const { retry, circuitBreaker: breaker, bulkhead } = policy;
  const opens =
    breaker.kind === 'sampling'
      ? `opens at ${Math.round(breaker.threshold * 100)}% of at least ${breaker.minimumCalls} in ${formatDuration(breaker.windowMs)}`
      : `opens after ${breaker.failures} failures in a row`;
  return `${policy.name}: ${formatDuration(policy.timeoutMs)}, first token ${formatDuration(policy.firstTokenMs)}, stall ${formatDuration(policy.stallMs)}${policy.watch === 'fallback' ? ' (of every call that another candidate can take over)' : ''}, ${retry.attempts} retries (${retry.backoff} ${formatDuration(retry.initialDelayMs)}–${formatDuration(retry.maxDelayMs)}), ${opens}, tries again after ${formatDuration(breaker.halfOpenAfterMs)}, ${bulkhead.concurrent} at once + ${bulkhead.queue} waiting`;
}

function printLimits(limits: PlanRateLimits): readonly string[] {
  const parts = [
    ...(limits.requests
      ? [`${formatCount(limits.requests.amount)} requests in ${formatDuration(limits.requests.perMs)}`]
      : []),
    ...(limits.tokens
      ? [`${formatCount(limits.tokens.amount)} tokens in ${formatDuration(limits.tokens.perMs)}`]
      : []),
  ];
  return parts.length === 0 ? [] : [`limits ${parts.join(', ')}`];
}

function printProvider(plan: Plan, name: string): string {
  const provider = plan.providers[name];
  if (!provider) return name;
  const parts = [
    provider.vendor ?? provider.adapter,
    ...(provider.adapter === 'openai' ? [provider.api] : []),
    ...(provider.baseUrl === null ? [] : [`at ${printTemplate(provider.baseUrl)}`]),
    ...(provider.apiKeySecret === null
      ? []
      : [
          `${provider.moreApiKeySecrets === undefined ? 'key' : 'keys'} in ${[provider.apiKeySecret, ...(provider.moreApiKeySecrets ?? [])].join(' ')}`,
        ]),
    ...(provider.lacks.length === 0 ? [] : [`lacks ${provider.lacks.join(' ')}`]),
    ...printLimits(provider.limits),
    ...(provider.cost === undefined ? [] : ['costs what it reports']),
  ];
  return `${name}: ${parts.join(', ')}`;
}

export function printWindow(window: PlanWindow): string {
  if (window.kind === 'run') return 'run';
  return window.kind === 'rolling'
    ? `rolling ${formatDuration(window.ms)}`
    : `${window.unit} (${window.timeZone})`;
}

export function printLimit(limit: PlanBudget['limit']): string {
  return limit.unit === 'usd'
    ? `$${formatUsd(limit.nanoUsd)}`
    : limit.unit === 'tokens'
      ? `${formatCount(limit.tokens)} tokens`
      : `${formatCount(limit.calls)} calls`;
}

export function printBudget(budget: PlanBudget): string {
  const { scope, each } = budget;
  const of =
    scope.kind === 'all'
      ? 'everything'
      : scope.kind === 'provider'
        ? `provider ${scope.provider}`
        : scope.kind === 'model'
          ? `model ${scope.model}`
          : `task ${scope.task}`;
  const parts = [
    `${printLimit(budget.limit)} a ${printWindow(budget.per)}`,
    of,
    ...(each === null ? [] : [`each ${each.kind === 'tag' ? `tag ${each.tag}` : each.kind}`]),
    ...(budget.when === null ? [] : [`when ${budget.when}`]),
    ...(budget.warnAt.length === 0
      ? []
      : [`warns at ${budget.warnAt.map((share) => `${Math.round(share * 100)}%`).join(' ')}`]),
    `then ${budget.then}`,
  ];
  return `${budget.name}: ${parts.join(', ')}`;
}

export function printLoops({ guards, depth, fanOut }: PlanLoops): string {
  return [...guards.map(printLoop), `at most ${depth} deep, ${fanOut} wide`].join('; ');
}

/** What a guard compares, in words. */
export const SAME: { readonly [Name in PlanLoopGuard['same']]: string } = {
  input: 'the same input',
  nearly: 'nearly the same input',
  toolCall: 'the same tool call',
};

export function printLoop({ same, ignore, repeats, withinMs, then, each }: PlanLoopGuard): string {
  const ignored = ignore.length === 0 ? '' : `, but for ${ignore.join(' ')}`;
  const whose = each === undefined ? '' : ` of a ${each}`;
  if (same === 'toolCall') return `${SAME[same]}${ignored} ${repeats} times in a conversation: ${then}`;
  return `${SAME[same]}${ignored}${whose} more than ${repeats} times in ${formatDuration(withinMs)}: ${then}`;
}

export function printSurge(surge: PlanSurgeGuard): string {
  return `${surge.factor} times the usual over ${formatDuration(surge.overMs)}, against ${formatDuration(surge.baselineMs)}, from $${formatUsd(surge.floorNanoUsd)}: ${surge.then}`;
}

function printGuards({ guards: { loop, surge } }: Plan): readonly string[] {
  return [
    ...(loop === null ? [] : [`loop: ${printLoops(loop)}`]),
    ...(surge === null ? [] : [`surge: ${printSurge(surge)}`]),
  ];
}

function printExposed({ exposed = {} }: Plan): readonly string[] {
  return Object.entries(exposed).map(([name, { task, input }]) =>
    input === null ? `${name}: a model` : `${name}: task ${task}, the last message of the user as ${input}`,
  );
}

/** Secrets by their names. */
export function printSink({ name, target, kinds, from, dedupeMs, rate, report }: PlanAlertSink): string {
  const where = (value: NamedOrWritten): string => (value.kind === 'secret' ? value.name : value.text);
  const to =
    target.kind === 'email'
      ? `${target.to.join(', ')} by ${where(target.smtp)}${target.sender === null ? '' : `, from ${target.sender}`}`
      : target.kind === 'pagerduty'
        ? `${where(target.key)}${target.endpoint === null ? '' : ` at ${where(target.endpoint)}`}`
        : `${where(target.url)}${target.kind === 'webhook' && target.secret !== null ? `, signed with ${where(target.secret)}` : ''}`;
  return [
    `${name}: ${target.kind} to ${to}`,
    `${kinds === null ? 'everything' : kinds.join(' ')} from ${from}`,
    `at most ${rate.amount} in ${formatDuration(rate.perMs)}, the same again after ${formatDuration(dedupeMs)}`,
    ...(report === null ? [] : [`a report every ${report.every} by ${report.by}, ${report.timeZone}`]),
  ].join('; ');
}

/** A template as it would be written: expressions in `${{ }}`, text in quotes, objects in braces. */
export function printTemplate(template: Template): string {
  switch (template.kind) {
    case 'literal':
      return JSON.stringify(template.value);
    case 'expression':
      return `\${{ ${template.source} }}`;
    case 'text':
      return JSON.stringify(
        template.parts.map((part) => (typeof part === 'string' ? part : `\${{ ${part.source} }}`)).join(''),
      );
    case 'object': {
      const members = Object.entries(template.members).map(
        ([key, member]) => `${key}: ${printTemplate(member)}`,
      );
      return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
    }
    case 'list':
      return `[${template.items.map(printTemplate).join(', ')}]`;
  }
}

/** A schema in the workflow language's own shorthand where that says it all, else as JSON. */
export function printSchema(schema: JsonSchema): string {
  const {
    type,
    enum: values,
    properties,
    items,
  } = schema as {
    type?: unknown;
    enum?: unknown;
    properties?: { [key: string]: JsonSchema };
    items?: JsonSchema;
    required?: readonly string[];
  };
  if (Array.isArray(values))
    return values.map((value) => JSON.stringify(value)).join(' | ') + printDefault(schema);
  if (type === 'object' && properties) {
    const required = new Set((schema['required'] ?? []) as readonly string[]);
    const members = Object.entries(properties).map(
      ([key, member]) =>
        `${key}${required.has(key) || 'default' in member ? '' : '?'}: ${printSchema(member)}`,
    );
    return `{ ${members.join(', ')} }`;
  }
  if (type === 'array' && items) return `[${printSchema(items)}]${printDefault(schema)}`;
  const name = typeof type === 'string' ? type : Array.isArray(type) ? type.join(' | ') : undefined;
  // A nullable object or list has its members told as JSON; a nullable scalar reads well.
  if (name !== undefined && (typeof type === 'string' || !(properties || items))) {
    const rest = Object.entries(schema).filter(
      ([key]) => !['type', 'default', 'description', 'additionalProperties'].includes(key),
    );
    const limits = rest
      .map(([key, value]) => `${key} ${typeof value === 'string' ? value : canonicalPlanText(value)}`)
      .join(', ');
    return `${name}${limits === '' ? '' : ` (${limits})`}${printDefault(schema)}`;
  }
  return Object.keys(schema).length === 0 ? 'any' : canonicalPlanText(schema);
}

function printDefault(schema: JsonSchema): string {
  return 'default' in schema ? ` = ${canonicalPlanText(schema['default'])}` : '';
}
