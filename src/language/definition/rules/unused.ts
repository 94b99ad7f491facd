// What is written and never read.
import { nearest } from '../../../common/nearest.ts';
import { references } from '../../expression/references.ts';
import { expressionsIn, memberPlace } from '../located.ts';
import { exposedRoute } from '../routes.ts';
import type { TaskDefinition } from '../types.ts';
import type { Workspace } from '../workspace.ts';
import type { Report, Rule } from './rule.ts';
import { allRoutes, modelSteps, routeFor, stepsRead, taskExpressions } from './walk.ts';

export const unused: Rule = {
  diagnostics: [
    {
      code: 'unused-step',
      severity: 'warning',
      title: 'A step that nothing reads',
      why: 'It is paid for, and its result is thrown away.',
      remedy: 'Mention it in `output` or in another step, or remove it.',
    },
    {
      code: 'unused-input',
      severity: 'warning',
      title: 'A field of the input that nothing reads',
      why: 'Callers hand it over for nothing.',
      remedy: 'Mention it in a prompt, or remove it.',
    },
    {
      code: 'unused-route',
      severity: 'note',
      title: 'A route that no step takes',
      why: 'It is likely a leftover, or a name that was changed in one place.',
      remedy: 'Remove it, or name it on a step.',
    },
    {
      code: 'unused-policy',
      severity: 'note',
      title: 'A policy that nothing names',
      why: 'It is likely a leftover, or a name that was changed in one place.',
      remedy: 'Remove it, or name it on a provider.',
    },
    {
      code: 'unused-model',
      severity: 'note',
      title: 'A model that no route names',
      why: 'What is said of it under `models:` changes nothing, and nothing is said of the model that it is nearly called like.',
      remedy: 'Write the name as the routes have it, or remove it.',
    },
  ],
  onlyWithoutErrors: true,
  check(workspace, report) {
    for (const task of workspace.taskList()) {
      unusedSteps(task, report);
      if (workspace.brokenSteps(task).size === 0) unusedInput(task, workspace, report);
    }
    unusedDeclarations(workspace, report);
  },
};

/** `steps` as a whole, not one of them. */
const WHOLE_STEPS = /\bsteps\b(?!\s*[.[])/;

function unusedSteps(task: TaskDefinition, report: Report): void {
  const output = task.output ? expressionsIn(task.output) : [];
  if (output.some(({ source }) => WHOLE_STEPS.test(source))) return;
  const read = new Set(output.flatMap(({ source }) => references(source).steps));
  for (const step of task.steps) for (const key of stepsRead(step)) if (key !== step.key) read.add(key);
  const last = task.output ? undefined : task.steps.at(-1)?.key;
  for (const { key, at } of task.steps) {
    if (!read.has(key) && key !== last)
      report(
        'unused-step',
        at,
        `Nothing reads the step \`${key}\`.`,
        `Mention \`steps.${key}\` in \`output\` or in another step, or remove the step.`,
      );
  }
}

function unusedInput(task: TaskDefinition, workspace: Workspace, report: Report): void {
  const routes = modelSteps(task).flatMap(
    (step) => routeFor(workspace, task, step)?.rules.flatMap(({ when }) => when ?? []) ?? [],
  );
  const sources = [...taskExpressions(task), ...routes].map(({ source }) => source);
  const read = new Set<string>();
  for (const source of sources) {
    for (const [, name] of source.matchAll(/\binput\b\s*(?:\.\s*(\w+)\b(?!\s*\()|\[\s*["'](\w+)["'])?/g)) {
      if (name === undefined) return; // the input as a whole
      read.add(name);
    }
  }
  for (const name of Object.keys(task.input.schema['properties'] ?? {})) {
    if (!read.has(name))
      report(
        'unused-input',
        memberPlace(task.input, name, task.input.at),
        `Nothing reads the field \`${name}\` of the input.`,
        `Write \`\${{ input.${name} }}\` where it belongs, or remove the field.`,
      );
  }
}

function unusedDeclarations(workspace: Workspace, report: Report): void {
  const { project } = workspace;
  if (!project || (workspace.taskList().length === 0 && Object.keys(project.exposed).length === 0)) return;
  const taken = new Set(
    workspace
      .taskList()
      .flatMap((task) => modelSteps(task).flatMap((step) => routeFor(workspace, task, step)?.name ?? [])),
  );
  for (const exposed of Object.values(project.exposed)) {
    const route = exposedRoute(project, exposed);
    if (route) taken.add(route.name);
  }
  for (const { name, at } of Object.values(project.routes))
    if (!taken.has(name))
      report('unused-route', at, `No step takes the route \`${name}\`.`, 'Remove it, or name it on a step.');
  const named = new Set(
    [
      ...Object.values(project.providers),
      ...Object.values(project.models),
      ...Object.values(project.exposed),
    ].flatMap(({ policy }) => policy?.name ?? []),
  );
  const routed = new Set(
    allRoutes(workspace).flatMap(({ rules }) => rules.flatMap(({ from }) => from.map(({ model }) => model))),
  );
  for (const { baseline } of [project, ...workspace.taskList()]) if (baseline) routed.add(baseline.name);
  for (const { key, at } of Object.values(project.models)) {
    if (routed.has(key)) continue;
    // A model may be described before it is routed to; one that is nearly like a routed one, of which nothing is said, is misspelt.
    const near = nearest(key, routed);
    if (near === undefined || Object.hasOwn(project.models, near)) continue;
    report('unused-model', at, `No route names the model \`${key}\`.`, `Did you mean \`${near}\`?`);
  }
  for (const { name, at } of Object.values(project.policies))
    if (!named.has(name))
      report(
        'unused-policy',
        at,
        `Nothing names the policy \`${name}\`.`,
        'Remove it, or name it on a provider.',
      );
}
