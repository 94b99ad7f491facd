// Waiting that is longer than what is waited for may take: timeouts beyond the deadline, hedges beyond the timeout.
import { formatDuration } from '../../../common/units.ts';
import { memberPlace } from '../located.ts';
import type {
  CandidateDefinition,
  ProjectDefinition,
  RouteDefinition,
  RuleDefinition,
  TaskDefinition,
} from '../types.ts';
import type { Workspace } from '../workspace.ts';
import { ASSUMED } from './policies.ts';
import type { Report, Rule } from './rule.ts';
import { modelSteps, routeFor } from './walk.ts';

export const deadlines: Rule = {
  diagnostics: [
    {
      code: 'timeout-beyond-deadline',
      severity: 'warning',
      title: 'A timeout that no run ever reaches',
      why: 'Every task that uses the policy has a shorter deadline: a run ends with DEADLINE_EXCEEDED before the timeout could take effect.',
      remedy: 'Lower the `timeout` of the policy, or raise the deadline of a task.',
    },
    {
      code: 'no-time-for-next',
      severity: 'warning',
      title: 'A candidate that may be silent for longer than the run lasts',
      why: 'While another candidate can serve, an attempt has only its share of what is left of the deadline; one that is silent, or merely slow, is cut off then, and the next one has the rest.',
      remedy:
        'Lower the `timeout` of the policy, write `watch: fallback` in it, raise the deadline of the task, or add a `hedge`, which asks the next one early.',
    },
    {
      code: 'hedge-too-late',
      severity: 'warning',
      title: 'A hedge that never comes to ask',
      why: 'The first call, or the whole run, is over before the second candidate would be asked.',
      remedy: 'Write a shorter `after`, or a percentile such as `p95`.',
    },
  ],
  // A task that cannot be read may be the one that waits longest.
  onlyWithoutErrors: true,
  check(workspace, report) {
    const { project } = workspace;
    if (!project) return;
    const uses = routeUses(workspace);
    const reported = unreachableTimeouts(project, uses, report);
    for (const use of uses) checkFallback(project, use, reported, report);
    for (const [route, users] of Map.groupBy(uses, ({ route: used }) => used))
      for (const rule of route.rules) checkHedge(project, rule, users, report);
  },
};

interface RouteUse {
  readonly task: TaskDefinition;
  readonly route: RouteDefinition;
}

/** Each route of each task once. */
function routeUses(workspace: Workspace): readonly RouteUse[] {
  return workspace.taskList().flatMap((task) => {
    const routes = new Set(modelSteps(task).flatMap((step) => routeFor(workspace, task, step) ?? []));
    return [...routes].map((route) => ({ task, route }));
  });
}

function deadlineOf({ allowance }: TaskDefinition): number {
  return allowance.deadlineMs ?? ASSUMED.deadlineMs;
}

/** null: none is named, so the safe values hold. */
function policyName(project: ProjectDefinition, { model, provider }: CandidateDefinition): string | null {
  return project.models[model]?.policy?.name ?? project.providers[provider]?.policy?.name ?? null;
}

/** `undefined`: its policy cannot be read, or it runs in this process and is never silent. */
function timeoutOf(project: ProjectDefinition, candidate: CandidateDefinition): number | undefined {
  const provider = project.providers[candidate.provider];
  if (!provider || provider.adapter === 'builtin') return undefined;
  const name = policyName(project, candidate);
  if (name === null) return ASSUMED.timeoutMs;
  const policy = project.policies[name];
  return policy && (policy.timeoutMs ?? ASSUMED.timeoutMs);
}

/** Timeouts that are written, and longer than any run of a task that uses them may take; gives the names of their policies. */
function unreachableTimeouts(
  project: ProjectDefinition,
  uses: readonly RouteUse[],
  report: Report,
): ReadonlySet<string> {
  const reported = new Set<string>();
  for (const policy of Object.values(project.policies)) {
    const { name, timeoutMs, at } = policy;
    const users = uses.filter(({ route }) =>
      route.rules.some(({ from }) => from.some((candidate) => policyName(project, candidate) === name)),
    );
    const longest = users.toSorted((left, right) => deadlineOf(right.task) - deadlineOf(left.task))[0]?.task;
    if (timeoutMs === null || !longest || timeoutMs <= deadlineOf(longest)) continue;
    reported.add(name);
    report(
      'timeout-beyond-deadline',
      memberPlace(policy, 'timeout', at),
      `No run lasts as long as this timeout of ${formatDuration(timeoutMs)}: \`${longest.name}\` ends after ${formatDuration(deadlineOf(longest))}.`,
      `Write less than ${formatDuration(deadlineOf(longest))}, or raise \`deadline\` in the allowance of the task.`,
    );
  }
  return reported;
}

/** Each candidate that others stand behind and whose silence its policy lets last as long as the run. */
function checkFallback(
  project: ProjectDefinition,
  { task, route }: RouteUse,
  reported: ReadonlySet<string>,
  report: Report,
): void {
  const deadline = deadlineOf(task);
  const told = new Set<string>();
  for (const { from, hedge, pick } of route.rules) {
    const models = [...new Set(from.map(({ model }) => model))];
    if (hedge || models.length < 2) continue;
    for (const candidate of from) {
      const { model } = candidate;
      const isLast = (pick ?? 'first') === 'first' && model === models.at(-1);
      if (isLast || told.has(model) || reported.has(policyName(project, candidate) ?? '')) continue;
      const silence = silenceOf(project, candidate);
      if (silence === undefined || silence < deadline) continue;
      told.add(model);
      const share = Math.max(1, Math.round(deadline / models.length / 1000)) * 1000;
      report(
        'no-time-for-next',
        memberPlace(task.allowance, 'deadline', task.allowance.at),
        `\`${model}\` may be silent for ${formatDuration(silence)}, and a run ends after ${formatDuration(deadline)}: while others of \`${route.name}\` can serve, it is cut off at its share, ${formatDuration(share)} of a whole run.`,
        `Write a \`timeout\` of less than ${formatDuration(deadline)} or \`watch: fallback\` in its policy, a longer deadline, or a \`hedge\`.`,
      );
    }
  }
}

/** How long the policy of a candidate lets it be silent while others can serve. */
function silenceOf(project: ProjectDefinition, candidate: CandidateDefinition): number | undefined {
  const timeout = timeoutOf(project, candidate);
  const policy = project.policies[policyName(project, candidate) ?? ''];
  if (timeout === undefined || policy?.watch !== 'fallback') return timeout;
  return Math.min(timeout, policy.firstTokenMs ?? ASSUMED.firstTokenMs);
}

function checkHedge(
  project: ProjectDefinition,
  { from, hedge }: RuleDefinition,
  users: readonly RouteUse[],
  report: Report,
): void {
  if (hedge?.after.kind !== 'delay') return;
  const { ms } = hedge.after;
  const timeouts = from.map((candidate) => timeoutOf(project, candidate));
  const known = timeouts.filter((timeout) => timeout !== undefined);
  const timeout = known.length === timeouts.length && known.length > 0 ? Math.max(...known) : Infinity;
  const deadline = Math.max(...users.map(({ task }) => deadlineOf(task)));
  if (ms < timeout && ms < deadline) return;
  const over =
    timeout <= deadline
      ? `a call is given up after ${formatDuration(timeout)}`
      : `a run ends after ${formatDuration(deadline)}`;
  report(
    'hedge-too-late',
    hedge.at,
    `The second candidate would be asked after ${formatDuration(ms)}, but ${over}.`,
    'Write a shorter `after`, or a percentile such as `p95`.',
  );
}
