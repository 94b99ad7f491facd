// Settings of a policy that defeat each other.
import { formatDuration } from '../../../common/units.ts';
import { memberPlace } from '../located.ts';
import type { PolicyDefinition, ProjectDefinition, RetryDefinition } from '../types.ts';
import type { Workspace } from '../workspace.ts';
import type { Report, Rule } from './rule.ts';
import { modelSteps, routeFor } from './walk.ts';

export const policies: Rule = {
  diagnostics: [
    {
      code: 'breaker-never-opens',
      severity: 'error',
      title: 'A circuit breaker that can never open',
      why: 'So many calls as it waits for cannot be made within its window.',
      remedy: 'Lower `minimumCalls`, or lengthen `window`.',
    },
    {
      code: 'retry-delays-reversed',
      severity: 'error',
      title: 'A first pause longer than the longest',
      why: 'The pauses cannot grow.',
      remedy: 'Make `maxDelay` at least `initialDelay`.',
    },
    {
      code: 'retry-outlasts-deadline',
      severity: 'warning',
      title: 'Retries that outlast the deadline',
      why: 'The pauses alone take longer than a whole run may.',
      remedy: 'Lower `attempts` or the delays, or raise the deadline of the task.',
    },
    {
      code: 'stream-limit-beyond-timeout',
      severity: 'warning',
      title: 'A limit for streams beyond the timeout',
      why: 'The attempt is over before the limit could be noticed.',
      remedy: 'Make it shorter than `timeout`.',
    },
  ],
  check(workspace, report) {
    const { project } = workspace;
    if (!project) return;
    for (const policy of Object.values(project.policies)) {
      if (policy.retry) checkDelays(policy.retry, report);
      checkStream(policy, report);
      checkBreaker(policy, project, report);
      if (policy.retry) checkDeadlines(policy.name, policy.retry, workspace, report);
    }
  },
};

/** What the plan fills in, as far as these rules need it; a test holds the two to each other. */
export const ASSUMED = {
  attempts: 2,
  initialDelayMs: 250,
  maxDelayMs: 8000,
  timeoutMs: 30_000,
  firstTokenMs: 10_000,
  windowMs: 30_000,
  minimumCalls: 10,
  deadlineMs: 120_000,
};

function pauses({ initialDelayMs, maxDelayMs }: RetryDefinition): {
  readonly first: number;
  readonly longest: number;
} {
  const first = initialDelayMs ?? ASSUMED.initialDelayMs;
  return { first, longest: maxDelayMs ?? Math.max(ASSUMED.maxDelayMs, first) };
}

function checkDelays(retry: RetryDefinition, report: Report): void {
  const { first, longest } = pauses(retry);
  if (first <= longest) return;
  report(
    'retry-delays-reversed',
    retry.at,
    `The first pause, ${formatDuration(first)}, is longer than the longest, ${formatDuration(longest)}.`,
    `Write \`maxDelay: ${formatDuration(first)}\` or more.`,
  );
}

function checkStream(policy: PolicyDefinition, report: Report): void {
  const { timeoutMs, firstTokenMs, stallMs, at } = policy;
  const timeout = timeoutMs ?? ASSUMED.timeoutMs;
  for (const [name, limit] of [['firstToken', firstTokenMs] as const, ['stall', stallMs] as const]) {
    if (limit === null || limit <= timeout) continue;
    report(
      'stream-limit-beyond-timeout',
      memberPlace(policy, name, at),
      `\`${name}: ${formatDuration(limit)}\` is longer than the timeout of ${formatDuration(timeout)}.`,
      `Write less than ${formatDuration(timeout)}, or a longer \`timeout\`.`,
    );
  }
}

/** The provider's own limit bounds the calls that can be in a window. */
function checkBreaker(policy: PolicyDefinition, project: ProjectDefinition, report: Report): void {
  const breaker = policy.circuitBreaker;
  if (breaker?.kind !== 'sampling') return;
  const windowMs = breaker.windowMs ?? ASSUMED.windowMs;
  const needed = breaker.minimumCalls ?? ASSUMED.minimumCalls;
  for (const provider of Object.values(project.providers)) {
    const { requests } = provider.limits;
    if (provider.policy?.name !== policy.name || !requests) continue;
    const most = Math.floor((requests.amount * windowMs) / requests.perMs);
    if (most >= needed) continue;
    const message = `The breaker waits for ${needed} calls in ${formatDuration(windowMs)}, but the limits of \`${provider.name}\` allow ${most}.`;
    report(
      'breaker-never-opens',
      breaker.at,
      message,
      most < 1
        ? 'Write a longer `window`.'
        : `Write \`minimumCalls: ${most}\` or less, or a longer \`window\`.`,
    );
    return;
  }
}

function checkDeadlines(
  policyName: string,
  retry: RetryDefinition,
  workspace: Workspace,
  report: Report,
): void {
  const total = totalPauseMs(retry);
  for (const task of workspace.taskList()) {
    const deadline = task.allowance.deadlineMs ?? ASSUMED.deadlineMs;
    if (total < deadline || !usesPolicy(workspace, task.name, policyName)) continue;
    const message = `The pauses between retries take up to ${formatDuration(total)}; a run of \`${task.name}\` ends after ${formatDuration(deadline)}.`;
    report(
      'retry-outlasts-deadline',
      retry.at,
      message,
      'Lower `attempts` or the delays, or raise the deadline of the task.',
    );
    return;
  }
}

function totalPauseMs(retry: RetryDefinition): number {
  const { first, longest } = pauses(retry);
  let total = 0;
  for (let count = 0; count < (retry.attempts ?? ASSUMED.attempts); count += 1)
    total += Math.min(longest, retry.backoff === 'constant' ? first : first * 2 ** count);
  return total;
}

function usesPolicy(workspace: Workspace, taskName: string, policyName: string): boolean {
  const task = workspace.tasks[taskName];
  const { project } = workspace;
  if (!task || !project) return false;
  const rules = modelSteps(task).flatMap((step) => routeFor(workspace, task, step)?.rules ?? []);
  const policyOf = (model: string, provider: string): string | undefined =>
    project.models[model]?.policy?.name ?? project.providers[provider]?.policy?.name;
  return rules.some(({ from }) =>
    from.some(({ model, provider }) => policyOf(model, provider) === policyName),
  );
}
