// Plans written by hand for tests of executions: short to write, complete as the engine wants them.
import { sha256Hex } from '../../src/common/json.ts';
import type { Json } from '../../src/common/json.ts';
import { planHash } from '../../src/language/plan/encode.ts';
import type {
  Plan,
  PlanBudget,
  PlanLoops,
  PlanModel,
  PlanModelStep,
  PlanPolicy,
  PlanPrice,
  PlanProvider,
  PlanRule,
  PlanStep,
  PlanTask,
  Template,
} from '../../src/language/plan/types.ts';
import { canonicalPlanText } from '../../src/language/plan/encode.ts';
import { planProvider } from './provider-plan.ts';

/** `text ${{ expression }} text`, or a value as it is. */
export function template(value: Json): Template {
  if (typeof value !== 'string' || !value.includes('${{')) return { kind: 'literal', value };
  const pieces = value.split(/\$\{\{\s*(.*?)\s*\}\}/s);
  if (pieces.length === 3 && pieces[0] === '' && pieces[2] === '')
    return { kind: 'expression', source: pieces[1] ?? '' };
  return {
    kind: 'text',
    parts: pieces.flatMap((piece, index): (string | { readonly source: string })[] =>
      index % 2 === 1 ? [{ source: piece }] : piece === '' ? [] : [piece],
    ),
  };
}

export const policy: PlanPolicy = {
  name: 'test',
  timeoutMs: 30_000,
  firstTokenMs: 8_000,
  stallMs: 10_000,
  retry: { attempts: 2, backoff: 'exponential', initialDelayMs: 250, maxDelayMs: 8_000 },
  circuitBreaker: {
    kind: 'sampling',
    threshold: 0.5,
    windowMs: 30_000,
    minimumCalls: 10,
    halfOpenAfterMs: 15_000,
  },
  bulkhead: { concurrent: 32, queue: 128 },
};

/** $1 a million input tokens, $4 a million output tokens, times `factor`. */
export function rates(factor = 1n): PlanPrice {
  const dollar = 1_000_000_000n * factor;
  return {
    kind: 'rates',
    source: 'yaml',
    tiers: [
      {
        fromInputTokens: 0,
        input: dollar,
        cachedInput: dollar,
        cacheWrite: dollar,
        output: dollar * 4n,
        reasoning: dollar * 4n,
        request: 0n,
      },
    ],
  };
}

export function model(key: string, fields: Partial<PlanModel> = {}): PlanModel {
  const slash = key.indexOf('/');
  return {
    key,
    provider: key.slice(0, slash),
    model: key.slice(slash + 1),
    contextTokens: 128_000,
    maxOutputTokens: null,
    quality: 1,
    capabilities: ['streaming', 'structuredOutput', 'text'],
    price: rates(),
    policy,
    limits: { requests: null, tokens: null },
    ...fields,
  };
}

export function rule(
  from: readonly string[] | { readonly [model: string]: number },
  fields: Partial<PlanRule> = {},
): PlanRule {
  const candidates = Array.isArray(from)
    ? (from as readonly string[]).map((key) => ({ model: key, weight: 1 }))
    : Object.entries(from as { readonly [key: string]: number }).map(([key, weight]) => ({
        model: key,
        weight,
      }));
  return { name: 'route[0]', when: null, pick: 'first', candidates, hedge: null, ...fields };
}

const text = {
  type: 'object',
  properties: { text: { type: 'string' } },
  required: ['text'],
  additionalProperties: false,
} as const;

export function modelStep(
  key: string,
  from: readonly string[] | readonly PlanRule[],
  fields: Partial<PlanModelStep> & { readonly pin?: boolean } = {},
): PlanModelStep {
  const { pin = false, ...rest } = fields;
  const rules =
    typeof from[0] === 'string' || from.length === 0
      ? [rule(from as readonly string[])]
      : (from as readonly PlanRule[]);
  return {
    kind: 'model',
    key,
    after: [],
    when: null,
    each: null,
    outputSchema: rest.structured ?? text,
    route: { name: 'route', pin, rules },
    system: null,
    prompt: template('Say something about ${{ input.text }}.'),
    maxOutputTokens: 100,
    temperature: null,
    structured: null,
    accept: null,
    ...rest,
  };
}

export function task(name: string, steps: readonly PlanStep[], fields: Partial<PlanTask> = {}): PlanTask {
  const last = steps.at(-1);
  const draft = {
    name,
    description: '',
    deprecated: null,
    file: `${name}.yaml`,
    inputSchema: {
      type: 'object',
      properties: { text: { type: 'string' } },
      required: ['text'],
      additionalProperties: false,
    },
    inputDefaults: {},
    outputSchema: {},
    allowance: { deadlineMs: 60_000, attempts: 10, costNanoUsd: null },
    cache: null,
    retain: { content: 'full' as const, forMs: 86_400_000 },
    loop: null as PlanLoops | null,
    steps,
    output: template(last === undefined ? null : `\${{ steps.${last.key} }}`),
    ...fields,
  };
  return { ...draft, revision: fields.revision ?? sha256Hex(canonicalPlanText(draft)) };
}

export interface PlanParts {
  readonly tasks: readonly PlanTask[];
  readonly models: readonly PlanModel[];
  readonly providers?: readonly PlanProvider[];
  readonly budgets?: readonly PlanBudget[];
  readonly environment?: Plan['environment'];
}

export function plan({ tasks, models, providers, budgets = [], environment = {} }: PlanParts): Plan {
  const named =
    providers ?? [...new Set(models.map(({ provider }) => provider))].map((name) => planProvider(name, {}));
  const body = {
    language: 1 as const,
    providers: Object.fromEntries(named.map((provider) => [provider.name, provider])),
    models: Object.fromEntries(models.map((each) => [each.key, each])),
    budgets,
    guards: { loop: null, surge: null },
    tasks: Object.fromEntries(tasks.map((each) => [each.name, each])),
  };
  return { ...body, environment, hash: planHash(body) };
}
