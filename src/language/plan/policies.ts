// Policies, limits, guards and windows of a plan: what a definition says, completed with the defaults.
import type {
  AlertSinkDefinition,
  AllowanceDefinition,
  BudgetDefinition,
  CircuitBreakerDefinition,
  LoopGuardDefinition,
  PolicyDefinition,
  RateLimitsDefinition,
  TaskBudgetDefinition,
} from '../definition/types.ts';
import {
  DEFAULT_ALERTS,
  DEFAULT_ALLOWANCE,
  DEFAULT_HALF_OPEN_AFTER_MS,
  DEFAULT_LOOP_GUARDS,
  DEFAULT_LOOPS,
  DEFAULT_POLICY,
} from './defaults.ts';
import type {
  PlanAlertSink,
  PlanAllowance,
  PlanBudget,
  PlanLoopGuard,
  PlanLoops,
  PlanPolicy,
  PlanRateLimits,
} from './types.ts';

/** Where a time-out of the whole attempt is shorter than the stream's, it rules them too. */
export function resolvePolicy(policy: PolicyDefinition | null): PlanPolicy {
  if (policy === null) return DEFAULT_POLICY;
  const timeoutMs = policy.timeoutMs ?? DEFAULT_POLICY.timeoutMs;
  const { retry, bulkhead } = policy;
  return {
    name: policy.name,
    timeoutMs,
    firstTokenMs: policy.firstTokenMs ?? Math.min(DEFAULT_POLICY.firstTokenMs, timeoutMs),
    stallMs: policy.stallMs ?? Math.min(DEFAULT_POLICY.stallMs, timeoutMs),
    ...(policy.watch === 'fallback' ? { watch: policy.watch } : {}),
    retry: {
      attempts: retry?.attempts ?? DEFAULT_POLICY.retry.attempts,
      backoff: retry?.backoff ?? DEFAULT_POLICY.retry.backoff,
      initialDelayMs:
        retry?.initialDelayMs ?? Math.min(DEFAULT_POLICY.retry.initialDelayMs, retry?.maxDelayMs ?? Infinity),
      maxDelayMs: retry?.maxDelayMs ?? Math.max(DEFAULT_POLICY.retry.maxDelayMs, retry?.initialDelayMs ?? 0),
    },
    circuitBreaker: resolveBreaker(policy.circuitBreaker),
    bulkhead: {
      concurrent: bulkhead?.concurrent ?? DEFAULT_POLICY.bulkhead.concurrent,
      queue: bulkhead?.queue ?? DEFAULT_POLICY.bulkhead.queue,
    },
  };
}

function resolveBreaker(breaker: CircuitBreakerDefinition | null): PlanPolicy['circuitBreaker'] {
  const fallback = DEFAULT_POLICY.circuitBreaker;
  if (breaker === null) return fallback;
  if (breaker.kind === 'consecutive')
    return {
      kind: 'consecutive',
      failures: breaker.failures,
      halfOpenAfterMs: breaker.halfOpenAfterMs ?? DEFAULT_HALF_OPEN_AFTER_MS,
    };
  const sampling = fallback.kind === 'sampling' ? fallback : null;
  return {
    kind: 'sampling',
    threshold: breaker.threshold ?? sampling?.threshold ?? 0.5,
    windowMs: breaker.windowMs ?? sampling?.windowMs ?? 30_000,
    minimumCalls: breaker.minimumCalls ?? sampling?.minimumCalls ?? 10,
    halfOpenAfterMs: breaker.halfOpenAfterMs ?? DEFAULT_HALF_OPEN_AFTER_MS,
  };
}

export function resolveLimits(limits: RateLimitsDefinition): PlanRateLimits {
  return { requests: limits.requests, tokens: limits.tokens };
}

export function resolveAllowance(allowance: AllowanceDefinition): PlanAllowance {
  return {
    deadlineMs: allowance.deadlineMs ?? DEFAULT_ALLOWANCE.deadlineMs,
    attempts: allowance.attempts ?? DEFAULT_ALLOWANCE.attempts,
    costNanoUsd: allowance.costNanoUsd ?? DEFAULT_ALLOWANCE.costNanoUsd,
  };
}

/** Guards written in part take the other members from `base`: the project's, for a task's own. */
export function resolveLoops(
  guards: readonly LoopGuardDefinition[],
  base: PlanLoops = DEFAULT_LOOPS,
): PlanLoops {
  // Nesting is the run's, not a guard's: where several say it, the strictest holds.
  const least = (member: 'depth' | 'fanOut'): number =>
    guards.reduce<number | null>((most, { [member]: said }) => smaller(most, said), null) ?? base[member];
  return {
    guards: guards.map((guard) => resolveLoopGuard(guard, baseOf(guard, base))),
    depth: least('depth'),
    fanOut: least('fanOut'),
  };
}

function smaller(left: number | null, right: number | null): number | null {
  return left === null || right === null ? (left ?? right) : Math.min(left, right);
}

/** The one guard of this kind that the project has; where it has several, none of them is meant. */
function baseOf({ same }: LoopGuardDefinition, base: PlanLoops): PlanLoopGuard {
  const [only, ...others] = base.guards.filter((guard) => guard.same === same);
  return only === undefined || others.length > 0 ? DEFAULT_LOOP_GUARDS[same] : only;
}

function resolveLoopGuard(guard: LoopGuardDefinition, base: PlanLoopGuard): PlanLoopGuard {
  return {
    same: guard.same,
    ignore: [...new Set([...base.ignore, ...guard.ignore])].sort(),
    repeats: guard.repeats ?? base.repeats,
    withinMs: guard.withinMs ?? base.withinMs,
    then: guard.then ?? base.then,
    ...((guard.each ?? base.each ?? 'caller') === 'session' ? { each: 'session' as const } : {}),
  };
}

/** A project's budget. */
export function resolveBudget(budget: BudgetDefinition): PlanBudget {
  const { scope } = budget;
  return {
    ...budgetTerms(budget),
    id: budget.name,
    name: budget.name,
    scope:
      scope.kind === 'all'
        ? { kind: 'all' }
        : scope.kind === 'provider'
          ? { kind: 'provider', provider: scope.provider.name }
          : scope.kind === 'model'
            ? { kind: 'model', model: scope.model.name }
            : { kind: 'task', task: scope.task.name },
  };
}

/** A task's own budget: under an id that no project budget can have, since a name holds no colon. */
export function resolveTaskBudget(task: string, budget: TaskBudgetDefinition): PlanBudget {
  return { ...budgetTerms(budget), id: `task:${task}`, name: `task:${task}`, scope: { kind: 'task', task } };
}

function budgetTerms(
  budget: TaskBudgetDefinition,
): Pick<PlanBudget, 'each' | 'when' | 'limit' | 'per' | 'warnAt' | 'then'> {
  return {
    each: budget.each,
    when: budget.when?.source ?? null,
    limit: budget.limit,
    per: budget.per,
    warnAt: budget.warnAt,
    then: budget.then,
  };
}

export function resolveSink(sink: AlertSinkDefinition): PlanAlertSink {
  const { name, target, kinds, from, dedupeMs, rate, report } = sink;
  return {
    name,
    target,
    kinds: kinds && [...new Set(kinds)].sort(),
    from: from ?? (target.kind === 'pagerduty' ? 'critical' : 'info'),
    dedupeMs: dedupeMs ?? DEFAULT_ALERTS.dedupeMs,
    rate: rate ?? DEFAULT_ALERTS.rate,
    report: report && { every: report.every, by: report.by ?? 'team', timeZone: report.timeZone ?? 'UTC' },
  };
}
