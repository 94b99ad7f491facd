// A Definition → files that load as the same Definition: what the tests of the loader lean on.
import type { Json, JsonObject, JsonSchema } from '../../../../src/common/json.ts';
import { formatUsd } from '../../../../src/common/money.ts';
import { printYaml } from '../../document/print-yaml.ts';
import type { SourceFile } from '../../../../src/language/document/types.ts';
import { printTemplate } from '../../../../src/language/expression/template-parts.ts';
import { formatDuration } from '../../../../src/common/units.ts';
import { printProject } from './print-project.ts';
import { compact, printBudget, printLoopGuards, printRetain, printRoute } from './print-parts.ts';
import type {
  Definition,
  InputDefinition,
  StepDefinition,
  TaskDefinition,
  TestDefinition,
} from '../../../../src/language/definition/types.ts';

export function printDefinition({ project, tasks }: Definition): readonly SourceFile[] {
  const files = [{ path: project.file, text: printYaml(printProject(project)) }];
  for (const task of Object.values(tasks)) files.push({ path: task.file, text: printYaml(printTask(task)) });
  return files;
}

function printTask(task: TaskDefinition): Json {
  const { deadlineMs, attempts, costNanoUsd } = task.allowance;
  return compact({
    task: task.name,
    description: task.description === '' ? null : task.description,
    deprecated: task.deprecated,
    input: printInput(task.input),
    allowance: compact({
      deadline: deadlineMs === null ? null : formatDuration(deadlineMs),
      attempts,
      cost: costNanoUsd === null ? null : `$${formatUsd(costNanoUsd)}`,
    }),
    priority: task.priority === 0 ? null : task.priority,
    budget: task.budget && printBudget(task.budget),
    cache: task.cache && { for: formatDuration(task.cache.forMs) },
    retain: task.retain && printRetain(task.retain),
    loop: task.loop === 'off' ? 'off' : task.loop && printLoopGuards(task.loop),
    baseline: task.baseline && task.baseline.name,
    promptCache: task.promptCache,
    steps: Object.fromEntries(task.steps.map((step) => [step.key, printStep(step)])),
    output: task.output && printTemplate(task.output.template),
    tests: task.tests.length === 0 ? null : task.tests.map(printTest),
  });
}

function printInput({ schema, defaults }: InputDefinition): Json {
  const required = Array.isArray(schema['required']) ? (schema['required'] as readonly string[]) : [];
  const properties = (schema['properties'] ?? {}) as { readonly [name: string]: JsonSchema };
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => {
      const computed = defaults[name];
      const always = required.includes(name) || computed !== undefined || 'default' in property;
      const shown = printSchema(property);
      const value =
        computed && typeof shown === 'object' && shown !== null && !Array.isArray(shown)
          ? { ...(shown as JsonObject), default: printTemplate(computed.template) }
          : shown;
      return [always ? name : `${name}?`, value];
    }),
  );
}

/** The empty schema has a name; all others are JSON Schema as written. */
function printSchema(schema: JsonSchema): Json {
  return Object.keys(schema).length === 0 ? 'any' : schema;
}

function printStep(step: StepDefinition): Json {
  const { when, each } = step;
  return compact({
    when: when && when.source,
    each: each && `\${{ ${each.list.source} }}`,
    as: each && each.as,
    concurrent: each && each.concurrent,
    ...printBody(step),
  });
}

function printBody(step: StepDefinition): { readonly [key: string]: Json } {
  switch (step.kind) {
    case 'model':
      return {
        route: step.route && (step.route.kind === 'named' ? step.route.name : printRoute(step.route.route)),
        system: step.system && printTemplate(step.system.template),
        prompt: printTemplate(step.prompt.template),
        maxOutputTokens: step.maxOutputTokens,
        temperature: step.temperature,
        promptCache: step.promptCache,
        output: step.output && printSchema(step.output.schema),
        accept: step.accept && step.accept.source,
      };
    case 'parse':
      return {
        parse: step.format,
        from: printTemplate(step.from.template),
        output: step.output && printSchema(step.output.schema),
      };
    case 'chunk':
      return {
        chunk: step.tokens,
        from: printTemplate(step.from.template),
        overlap: step.overlapTokens === 0 ? null : step.overlapTokens,
      };
    case 'task':
      return { task: step.task, input: printTemplate(step.input.template) };
  }
}

function printTest({ name, input, caller, now, answers, expect }: TestDefinition): Json {
  const values = Object.entries(input).map(
    ([property, value]) => [property, value.kind === 'file' ? { file: value.path } : value.value] as const,
  );
  return compact({
    name,
    input: values.length === 0 ? null : Object.fromEntries(values),
    caller: Object.keys(caller).length === 0 ? null : caller,
    now,
    answers,
    expect: expect.map(({ source }) => source),
  });
}
