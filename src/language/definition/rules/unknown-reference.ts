// Names of things that are declared nowhere.
import { nearest } from '../../../common/nearest.ts';
import type { Place } from '../../../errors/place.ts';
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
      code: 'unknown-model',
      severity: 'error',
      title: 'A model that there is not',
      why: 'A budget of a model that nobody asks never holds anything; a model that the built-in provider lacks never answers.',
      remedy: 'Use the name of a model that a route or `models:` has, `provider/model`.',
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
      if (project.baseline) checkBaseline(project.baseline, project, workspace, complain, report);
      const candidates = allRoutes(workspace).flatMap(({ rules }) => rules.flatMap(({ from }) => from));
      for (const { provider, model, at } of candidates) {
        complain('unknown-provider', { name: provider, at }, workspace.declared.providers);
        checkBuiltin(project, provider, model, at, report);
      }
      const models = new Set([...workspace.declared.models, ...candidates.map(({ model }) => model)]);
      for (const { scope } of Object.values(project.budgets))
        if (scope.kind === 'model') checkBudgetModel(scope.model, models, workspace, complain, report);
    }
    for (const task of workspace.taskList()) {
      checkSteps(task, workspace, complain);
      if (project && task.baseline) checkBaseline(task.baseline, project, workspace, complain, report);
    }
  },
};

type Complain = (code: keyof typeof WHAT, reference: Reference, declared: ReadonlySet<string>) => void;

const WHAT = {
  'unknown-provider': 'provider',
  'unknown-policy': 'policy',
  'unknown-route': 'route',
  'unknown-task': 'task',
  'unknown-model': 'model',
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
    // A model where the name of a route stands: nothing declares it, and nothing has to.
    const isModel = code === 'unknown-route' && name.includes('/');
    const remedy = isModel
      ? `Write \`route: { from: [${name}] }\`.`
      : near
        ? `Did you mean \`${near}\`?`
        : known === ''
          ? `No ${what} is declared yet.`
          : `Declared are: ${known}.`;
    report(code, at, `There is no ${what} \`${name}\`.`, remedy);
  };
}

/** The provider in this process has one model. */
function checkBuiltin(
  project: ProjectDefinition,
  provider: string,
  model: string,
  at: Place,
  report: Report,
): void {
  const builtin = `${provider}/extract`;
  if (project.providers[provider]?.adapter !== 'builtin' || model === builtin) return;
  report(
    'unknown-model',
    at,
    `The built-in provider has no model \`${model.slice(provider.length + 1)}\`.`,
    `Write \`${builtin}\`: it is the only one.`,
  );
}

/** Nobody calls it, so that it need not be routed to; its price has to be found. */
function checkBaseline(
  { name, at }: Reference,
  project: ProjectDefinition,
  { declared }: Workspace,
  complain: Complain,
  report: Report,
): void {
  const provider = name.slice(0, name.indexOf('/'));
  complain('unknown-provider', { name: provider, at }, declared.providers);
  checkBuiltin(project, provider, name, at, report);
}

function checkBudgetModel(
  model: Reference,
  models: ReadonlySet<string>,
  { declared }: Workspace,
  complain: Complain,
  report: Report,
): void {
  const [provider = '', ...rest] = model.name.split('/');
  if (rest.length === 0)
    report(
      'unknown-model',
      model.at,
      `\`${model.name}\` does not say whose model it is.`,
      'Write the provider, a slash and the model: `openai/gpt-5.6-luna`.',
    );
  else if (declared.providers.has(provider)) complain('unknown-model', model, models);
  else complain('unknown-provider', { name: provider, at: model.at }, declared.providers);
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
    if (scope.kind === 'task')
      complain('unknown-task', scope.task, new Set([...declared.tasks, ...Object.keys(project.exposed)]));
  }
  for (const { serves, policy } of Object.values(project.exposed)) {
    if (policy) complain('unknown-policy', policy, declared.policies);
    if (serves.kind === 'task') complain('unknown-task', serves.task, declared.tasks);
    else if (serves.route.kind === 'named') complain('unknown-route', serves.route, declared.routes);
  }
}

function checkSteps(task: TaskDefinition, { project, declared }: Workspace, complain: Complain): void {
  for (const step of task.steps) {
    if (step.kind === 'task') complain('unknown-task', { name: step.task, at: step.taskAt }, declared.tasks);
    if (project && step.kind === 'model' && step.route?.kind === 'named')
      complain('unknown-route', step.route, declared.routes);
  }
}
