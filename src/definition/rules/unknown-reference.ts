// Names of things that are declared nowhere.
import { nearest } from '../../common/nearest.ts';
import type { ProjectDefinition, Reference, TaskDefinition } from '../types.ts';
import type { Workspace } from '../workspace.ts';
import type { Report, Rule } from './rule.ts';
import { allRoutes } from './walk.ts';

export const unknownReference: Rule = {
  diagnostics: [
    {
      code: 'unknown-provider',
      severity: 'error',
      title: 'A provider that is not declared',
      why: 'No call could be made.',
      remedy: 'Declare it under `providers:`, or use a name that is there.',
    },
    {
      code: 'unknown-policy',
      severity: 'error',
      title: 'A policy that is not declared',
      why: 'Failures would be met otherwise than meant.',
      remedy: 'Declare it under `policies:`, or use a name that is there.',
    },
    {
      code: 'unknown-route',
      severity: 'error',
      title: 'A route that is not declared',
      why: 'The step could not choose a model.',
      remedy: 'Declare it under `routes:`, or use a name that is there.',
    },
    {
      code: 'unknown-task',
      severity: 'error',
      title: 'A task that there is not',
      why: 'The step, or the budget, would be for nothing.',
      remedy: 'Use the name of a task of this folder.',
    },
  ],
  check(workspace, report) {
    const complain = complainer(report);
    const { project } = workspace;
    if (project) {
      checkProject(project, workspace, complain);
      for (const { rules } of allRoutes(workspace)) {
        for (const { provider, at } of rules.flatMap(({ from }) => from))
          complain('unknown-provider', { name: provider, at }, workspace.declared.providers);
      }
    }
    for (const task of workspace.taskList()) checkSteps(task, workspace, complain);
  },
};

type Complain = (code: keyof typeof WHAT, reference: Reference, declared: ReadonlySet<string>) => void;

const WHAT = {
  'unknown-provider': 'provider',
  'unknown-policy': 'policy',
  'unknown-route': 'route',
  'unknown-task': 'task',
};

function complainer(report: Report): Complain {
  return (code, { name, at }, declared) => {
    if (declared.has(name)) return;
    const what = WHAT[code];
    const near = nearest(name, declared);
    const known = [...declared]
      .sort()
      .slice(0, 12)
      .map((other) => `\`${other}\``)
      .join(', ');
    const remedy = near
      ? `Did you mean \`${near}\`?`
      : known === ''
        ? `No ${what} is declared yet.`
        : `Declared are: ${known}.`;
    report(code, at, `There is no ${what} \`${name}\`.`, remedy);
  };
}

function checkProject(project: ProjectDefinition, { declared }: Workspace, complain: Complain): void {
  for (const { policy } of Object.values(project.providers))
    if (policy) complain('unknown-policy', policy, declared.policies);
  for (const { provider, policy, at } of Object.values(project.models)) {
    complain('unknown-provider', { name: provider, at }, declared.providers);
    if (policy) complain('unknown-policy', policy, declared.policies);
  }
  for (const { scope } of Object.values(project.budgets)) {
    if (scope.kind === 'provider') complain('unknown-provider', scope.provider, declared.providers);
    if (scope.kind === 'model')
      complain(
        'unknown-provider',
        { name: scope.model.name.split('/')[0] ?? '', at: scope.model.at },
        declared.providers,
      );
    if (scope.kind === 'task') complain('unknown-task', scope.task, declared.tasks);
  }
}

function checkSteps(task: TaskDefinition, { project, declared }: Workspace, complain: Complain): void {
  for (const step of task.steps) {
    if (step.kind === 'task') complain('unknown-task', { name: step.task, at: step.taskAt }, declared.tasks);
    if (project && step.kind === 'model' && step.route?.kind === 'named')
      complain('unknown-route', step.route, declared.routes);
  }
}
