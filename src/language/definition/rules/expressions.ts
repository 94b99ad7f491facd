// Every expression of every file is typed against what it can name in its place.
import type { JsonSchema } from '../../../common/json.ts';
import { typeFromSchema } from '../../expression/from-schema.ts';
import { compileTemplate } from '../../expression/template.ts';
import { describe } from '../../expression/type.ts';
import type { EnvironmentShape } from '../../expression/types.ts';
import {
  acceptShape,
  bodyShape,
  budgetShape,
  expectShape,
  inputDefaultShape,
  projectRouteShape,
  headerShape,
  providerShape,
  ruleShape,
} from '../environments.ts';
import type {
  ChunkStepDefinition,
  ParseStepDefinition,
  RouteDefinition,
  StepDefinition,
  TaskDefinition,
} from '../types.ts';
import { itemSchema } from '../workspace.ts';
import type { Workspace } from '../workspace.ts';
import { ExpressionChecker } from './check-expressions.ts';
import type { Report, Rule } from './rule.ts';
import { fits } from './task-input.ts';

export const expressions: Rule = {
  diagnostics: [
    {
      code: 'condition-not-boolean',
      severity: 'error',
      title: 'A condition that is neither true nor false',
      why: 'A condition has to decide; there is no guess at what an empty text or a zero might mean.',
      remedy: 'Compare the value with something: `size(x) > 0`, `x != null`.',
    },
    {
      code: 'unknown-step',
      severity: 'error',
      title: 'A step that there is not',
      why: 'The graph of a task is what its references say; this one leads nowhere.',
      remedy: 'Use the name of a step of this task; the message names the nearest.',
    },
    {
      code: 'each-not-a-list',
      severity: 'error',
      title: '`each` over something that is not a list',
      why: 'The step runs once for each item of a list.',
      remedy: 'Name a list; a text becomes one with `text.lines()` or a `chunk` step.',
    },
  ],
  check(workspace, report) {
    const checker = new ExpressionChecker(workspace, report);
    checkProject(workspace, checker);
    for (const task of workspace.taskList()) checkTask(workspace, task, checker, report);
  },
};

function checkProject({ project }: Workspace, checker: ExpressionChecker): void {
  if (!project) return;
  for (const { baseUrl, headers } of Object.values(project.providers)) {
    checker.template(baseUrl, providerShape);
    for (const header of Object.values(headers)) checker.template(header, headerShape);
  }
  for (const { when } of Object.values(project.budgets)) checker.condition(when, budgetShape);
  for (const route of Object.values(project.routes)) checkRoute(route, projectRouteShape, checker);
}

function checkRoute(route: RouteDefinition, shape: EnvironmentShape, checker: ExpressionChecker): void {
  for (const { when } of route.rules) checker.condition(when, shape);
}

function checkTask(
  workspace: Workspace,
  task: TaskDefinition,
  checker: ExpressionChecker,
  report: Report,
): void {
  checkDefaults(workspace, task, checker, report);
  checker.condition(task.budget?.when ?? null, budgetShape);
  const shape = workspace.shape(task);
  for (const step of task.steps) checkStep(workspace, task, step, checker, report);
  checker.template(task.output, shape);
  if (task.tests.length === 0) return;
  const expected = expectShape(workspace, task);
  for (const test of task.tests)
    for (const expectation of test.expect) checker.condition(expectation, expected);
}

function checkStep(
  workspace: Workspace,
  task: TaskDefinition,
  step: StepDefinition,
  checker: ExpressionChecker,
  report: Report,
): void {
  const shape = workspace.shape(task);
  checker.condition(step.when, shape);
  const body = bodyShape(shape, step, step.each ? checkEach(step, shape, checker, report) : {});
  switch (step.kind) {
    case 'model':
      checker.template(step.system, body);
      checker.template(step.prompt, body);
      if (step.accept) checker.condition(step.accept, acceptShape(body, workspace, task, step));
      if (step.route?.kind === 'inline') checkRoute(step.route.route, ruleShape(body), checker);
      return;
    case 'parse':
      checker.template(step.from, body);
      checkText(workspace, step, body, report);
      return;
    case 'chunk':
      checker.template(step.from, body);
      checkText(workspace, step, body, report);
      return;
    case 'task':
      checker.template(step.input, body);
  }
}

/** A computed default has the type of its field: a run without the field would be refused otherwise. */
function checkDefaults(
  workspace: Workspace,
  task: TaskDefinition,
  checker: ExpressionChecker,
  report: Report,
): void {
  const properties = (task.input.schema['properties'] ?? {}) as { readonly [name: string]: JsonSchema };
  for (const [name, value] of Object.entries(task.input.defaults)) {
    checker.template(value, inputDefaultShape);
    const compiled = compileTemplate(value.template, workspace.environment(inputDefaultShape));
    const wanted = typeFromSchema(properties[name] ?? {});
    if (!compiled.ok || fits(compiled.value.type, wanted)) continue;
    report(
      'default-mismatch',
      value.at,
      `The default of \`${name}\` is ${describe(compiled.value.type)}; the field is ${describe(wanted)}.`,
      'Convert it, or say what to use where it is null: `default(x, y)`.',
    );
  }
}

/** What is parsed or cut is a text; anything else would be rendered as JSON first. */
function checkText(
  workspace: Workspace,
  step: ParseStepDefinition | ChunkStepDefinition,
  body: EnvironmentShape,
  report: Report,
): void {
  const { from } = step;
  const compiled = compileTemplate(from.template, workspace.environment(body));
  if (!compiled.ok || ['string', 'any'].includes(compiled.value.type.kind)) return;
  report(
    'expression-type',
    from.at,
    `\`${step.kind === 'parse' ? `parse: ${step.format}` : 'chunk'}\` takes a text; this is ${describe(compiled.value.type)}.`,
    'Name a text, such as a field of the input: `from: ${{ input.text }}`.',
  );
}

/** The schema of an item. */
function checkEach(
  step: StepDefinition,
  shape: EnvironmentShape,
  checker: ExpressionChecker,
  report: Report,
): JsonSchema {
  if (!step.each) return {};
  const { list } = step.each;
  const compiled = checker.check(list, shape);
  if (!compiled) return {};
  const { kind, nullable } = compiled.type;
  if (kind !== 'list' && kind !== 'any')
    report(
      'each-not-a-list',
      list.at,
      '`each` needs a list; this is none.',
      'Name a list; a text becomes one with `text.lines()` or a `chunk` step.',
    );
  else if (nullable && kind === 'list')
    report(
      'expression-may-be-null',
      list.at,
      'The list may be null: the step that makes it can be skipped.',
      'Say what to use then: `default(…, [])`.',
    );
  return itemSchema(compiled.schema);
}
