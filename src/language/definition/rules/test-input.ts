// What a test hands to its task.
import type { JsonSchema } from '../../../common/json.ts';
import { nearest } from '../../../common/nearest.ts';
import { misfit } from '../fields/value-fits.ts';
import { memberPlace } from '../located.ts';
import type { TaskDefinition, TestDefinition, TestValue } from '../types.ts';
import type { Report, Rule } from './rule.ts';

export const testInput: Rule = {
  diagnostics: [
    {
      code: 'test-input-mismatch',
      severity: 'error',
      title: 'A test whose input the task does not take',
      why: 'The test could not run.',
      remedy: 'Give the fields that the task asks for.',
    },
    {
      code: 'duplicate-test',
      severity: 'warning',
      title: 'Two tests of one name',
      why: 'A report could not tell them apart.',
      remedy: 'Rename one of them.',
    },
  ],
  check(workspace, report) {
    for (const task of workspace.taskList()) {
      const names = new Set<string>();
      for (const test of task.tests) {
        if (names.has(test.name))
          report(
            'duplicate-test',
            test.at,
            `Another test is called ${JSON.stringify(test.name)}.`,
            'Rename one of them.',
          );
        names.add(test.name);
        checkInput(task, test, report);
      }
    }
  },
};

function checkInput(task: TaskDefinition, test: TestDefinition, report: Report): void {
  if (task.input.schema['properties'] === undefined) return; // it could not be read
  const { properties = {}, required = [] } = task.input.schema as {
    readonly properties?: object;
    readonly required?: readonly string[];
  };
  const known = Object.keys(properties);
  for (const [name, value] of Object.entries(test.input)) {
    if (known.includes(name)) {
      checkValue(task, test, name, value, report);
      continue;
    }
    const near = nearest(name, known);
    const listed = known.map((other) => `\`${other}\``).join(', ');
    report(
      'test-input-mismatch',
      memberPlace(test.input, name, test.at),
      `The task takes no \`${name}\`.`,
      near ? `Did you mean \`${near}\`?` : `It takes: ${listed || 'nothing'}.`,
    );
  }
  for (const name of required) {
    if (!Object.hasOwn(test.input, name))
      report(
        'test-input-mismatch',
        test.at,
        `The task needs \`${name}\`.`,
        `Add \`${name}:\` to the input of the test.`,
      );
  }
}

function checkValue(
  task: TaskDefinition,
  test: TestDefinition,
  name: string,
  given: TestValue,
  report: Report,
): void {
  const properties = task.input.schema['properties'] as { readonly [name: string]: JsonSchema };
  const problem =
    given.kind === 'value' ? misfit(properties[name] ?? {}, given.value, task.input.schema) : undefined;
  if (problem !== undefined)
    report(
      'test-input-mismatch',
      memberPlace(test.input, name, test.at),
      `\`${name}\` is not what the task takes: it ${problem}.`,
      'Write a value that fits the schema; the text of a file is `{ file: path }`.',
    );
}
