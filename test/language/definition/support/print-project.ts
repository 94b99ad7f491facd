// The project file of a Definition, written out.
import type { Json } from '../../../../src/common/json.ts';
import { formatUsd } from '../../../../src/common/money.ts';
import type { NanoUsd } from '../../../../src/common/money.ts';
import { printTemplate } from '../../../../src/language/expression/template-parts.ts';
import { formatDuration } from '../../../../src/common/units.ts';
import { compact, printBudget, printLoopGuards, printRetain, printRoute, printShare } from './print-parts.ts';
import type {
  AlertSinkDefinition,
  BudgetDefinition,
  CircuitBreakerDefinition,
  ExposedDefinition,
  ModelDefinition,
  NamedOrWritten,
  PolicyDefinition,
  PriceDefinition,
  ProjectDefinition,
  ProviderDefinition,
  RateDefinition,
  RateLimitsDefinition,
} from '../../../../src/language/definition/types.ts';

export function printProject({
  providers,
  models,
  policies,
  routes,
  budgets,
  guards,
  alerts,
  baseline,
  promptCache,
  exposed,
}: ProjectDefinition): Json {
  const { loop, surge } = guards;
  return compact({
    headgate: 1,
    providers: each(providers, printProvider) ?? {},
    models: each(models, printModel),
    policies: each(policies, printPolicy),
    routes: each(routes, printRoute),
    budgets: each(budgets, printProjectBudget),
    guards: compact({
      loop: loop && printLoopGuards(loop),
      surge: surge && {
        spend: `${surge.factor}x`,
        over: formatDuration(surge.overMs),
        baseline: formatDuration(surge.baselineMs),
        floor: dollars(surge.floorNanoUsd),
        then: surge.then,
      },
    }),
    alerts: each(alerts, printSink),
    baseline: orNull(baseline, ({ name }) => name),
    promptCache,
    expose: each(exposed, printExposed),
  });
}

function namedOrWritten(value: NamedOrWritten): string {
  return value.kind === 'text' ? value.text : secretText(value);
}

function printSink({ target, kinds, from, dedupeMs, rate, report }: AlertSinkDefinition): Json {
  return compact({
    ...printTarget(target),
    kinds: kinds === null ? null : [...kinds],
    from,
    dedupe: orNull(dedupeMs, formatDuration),
    rate: orNull(rate, printRate),
    report: orNull(report, ({ every, by, timeZone }) => compact({ every, by, timeZone })),
  });
}

function printTarget(target: AlertSinkDefinition['target']): { readonly [key: string]: Json } {
  switch (target.kind) {
    case 'webhook':
      return { webhook: namedOrWritten(target.url), secret: orNull(target.secret, namedOrWritten) };
    case 'slack':
      return { slack: namedOrWritten(target.url) };
    case 'pagerduty':
      return { pagerduty: namedOrWritten(target.key), endpoint: orNull(target.endpoint, namedOrWritten) };
    case 'email':
      return { email: [...target.to], smtp: namedOrWritten(target.smtp), sender: target.sender };
  }
}

/** A declaration that says nothing is an empty map. */
function each<Value>(values: { readonly [name: string]: Value }, print: (value: Value) => Json): Json {
  return compact(
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, print(value) ?? {}])),
  );
}

function dollars(nano: NanoUsd): string {
  return `$${formatUsd(nano)}`;
}

function orNull<Value>(value: Value | null, print: (value: Value) => Json): Json {
  return value === null ? null : print(value);
}

function secretText({ name }: { readonly name: string }): string {
  return `\${{ secrets.${name} }}`;
}

function printProvider(provider: ProviderDefinition): Json {
  const {
    adapter,
    baseUrl,
    apiKeySecret,
    moreApiKeySecrets,
    api,
    headers,
    sdkOptions,
    lacks,
    policy,
    limits,
    cost,
    price,
  } = provider;
  const { apiVersion = null, organization = null, project = null, region = null, ...sdk } = sdkOptions;
  return compact({
    adapter,
    baseUrl: orNull(baseUrl, ({ template }) => printTemplate(template)),
    apiKey: orNull(apiKeySecret, (first) =>
      moreApiKeySecrets.length === 0 ? secretText(first) : [first, ...moreApiKeySecrets].map(secretText),
    ),
    api,
    headers: compact(
      Object.fromEntries(
        Object.entries(headers).map(([name, { template }]) => [name, printTemplate(template)]),
      ),
    ),
    apiVersion,
    deployments: compact(provider.deployments),
    organization,
    project,
    region,
    sdk: compact(sdk),
    lacks,
    policy: orNull(policy, ({ name }) => name),
    limits: printLimits(limits),
    cost,
    price: orNull(price, printPrice),
  });
}

function printLimits({ requests, tokens }: RateLimitsDefinition): Json {
  return compact({ requests: orNull(requests, printRate), tokens: orNull(tokens, printRate) });
}

const WINDOW_NAMES: Readonly<Record<number, string>> = {
  1000: 's',
  60_000: 'min',
  3_600_000: 'h',
  86_400_000: 'd',
};

function printRate({ amount, perMs }: RateDefinition): string {
  return `${amount}/${WINDOW_NAMES[perMs] ?? 'min'}`;
}

function printPrice(price: PriceDefinition): Json {
  if (price.kind === 'free') return 'free';
  const { input, cachedInput, cacheWrite, output, reasoning, request } = price;
  return compact({
    input: dollars(input),
    cachedInput: orNull(cachedInput, dollars),
    cacheWrite: orNull(cacheWrite, dollars),
    output: dollars(output),
    reasoning: orNull(reasoning, dollars),
    request: orNull(request, dollars),
  });
}

function printModel({
  price,
  contextTokens,
  maxOutputTokens,
  quality,
  capabilities,
  policy,
  limits,
}: ModelDefinition): Json {
  return compact({
    price: orNull(price, printPrice),
    context: contextTokens,
    maxOutputTokens,
    quality,
    capabilities,
    policy: orNull(policy, ({ name }) => name),
    limits: printLimits(limits),
  });
}

function printPolicy({
  timeoutMs,
  firstTokenMs,
  stallMs,
  watch,
  retry,
  circuitBreaker,
  bulkhead,
}: PolicyDefinition): Json {
  return compact({
    timeout: orNull(timeoutMs, formatDuration),
    firstToken: orNull(firstTokenMs, formatDuration),
    stall: orNull(stallMs, formatDuration),
    watch,
    retry: orNull(
      retry,
      ({ attempts, backoff, initialDelayMs, maxDelayMs }) =>
        compact({
          attempts,
          backoff,
          initialDelay: orNull(initialDelayMs, formatDuration),
          maxDelay: orNull(maxDelayMs, formatDuration),
        }) ?? {},
    ),
    circuitBreaker: orNull(circuitBreaker, printBreaker),
    bulkhead: orNull(bulkhead, ({ concurrent, queue }) => compact({ concurrent, queue }) ?? {}),
  });
}

function printBreaker(breaker: CircuitBreakerDefinition): Json {
  const halfOpenAfter = orNull(breaker.halfOpenAfterMs, formatDuration);
  if (breaker.kind === 'consecutive') return compact({ failures: breaker.failures, halfOpenAfter });
  const { threshold, windowMs, minimumCalls } = breaker;
  return (
    compact({
      threshold: orNull(threshold, printShare),
      window: orNull(windowMs, formatDuration),
      minimumCalls,
      halfOpenAfter,
    }) ?? {}
  );
}

function printExposed({ serves, maxOutputTokens, policy, retain }: ExposedDefinition): Json {
  const { kind } = serves;
  const route = kind === 'route' ? serves.route : null;
  return compact({
    route: route?.kind === 'named' ? route.name : null,
    from: route?.kind === 'inline' ? (route.route.rules[0]?.from.map(({ model }) => model) ?? null) : null,
    task: kind === 'task' ? serves.task.name : null,
    input: kind === 'task' ? serves.input.name : null,
    maxOutputTokens,
    policy: orNull(policy, ({ name }) => name),
    retain: orNull(retain, printRetain),
  });
}

function printProjectBudget(budget: BudgetDefinition): Json {
  const { scope } = budget;
  return {
    ...printBudget(budget),
    ...(scope.kind === 'provider' ? { provider: scope.provider.name } : {}),
    ...(scope.kind === 'model' ? { model: scope.model.name } : {}),
    ...(scope.kind === 'task' ? { task: scope.task.name } : {}),
  };
}
