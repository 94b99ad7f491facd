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
      severity: 'note',
      title: 'A deadline that leaves no time for the next candidate',
      why: 'Each candidate of a rule may be silent for longer than the run lasts: one that is uses up the whole run, and the next is not asked.',
      remedy:
        'Raise the deadline of the task, lower the `timeout` of the policy, or add a `hedge`, which asks the next one early.',
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

/** Where every candidate may be silent for longer than the run lasts, none is ever followed by the next. */
function checkFallback(
  project: ProjectDefinition,
  { task, route }: RouteUse,
  reported: ReadonlySet<string>,
  report: Report,
): void {
  const deadline = deadlineOf(task);
  for (const { from, hedge } of route.rules) {
    if (hedge || new Set(from.map(({ model }) => model)).size < 2) continue;
    if (from.some((candidate) => reported.has(policyName(project, candidate) ?? ''))) continue;
    const remote = from.filter(({ provider }) => project.providers[provider]?.adapter !== 'builtin');
    const timeouts = remote.map((candidate) => timeoutOf(project, candidate));
    if (timeouts.length === 0 || !timeouts.every((timeout) => timeout !== undefined && timeout > deadline))
      continue;
    const shortest = formatDuration(Math.min(...timeouts.map((timeout) => timeout ?? Infinity)));
    report(
      'no-time-for-next',
      memberPlace(task.allowance, 'deadline', task.allowance.at),
      `The run ends after ${formatDuration(deadline)}; a candidate of \`${route.name}\` that is silent is given up after ${shortest} at the earliest, so the next one is not asked.`,
      `Write a deadline of more than ${shortest}, a shorter \`timeout\` in the policy of the candidates, or a \`hedge\`.`,
    );
    return;
  }
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
