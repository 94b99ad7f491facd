// The name of an item.
import { memberPlace } from '../located.ts';
import type { Rule } from './rule.ts';

const ROOTS = new Set([
  'input',
  'steps',
  'caller',
  'env',
  'now',
  'prompt',
  'output',
  'finish',
  'secrets',
  'run',
]);

export const eachName: Rule = {
  diagnostics: [
    {
      code: 'as-shadows',
      severity: 'error',
      title: 'An item that is called like a root',
      why: '`input` or `steps` could not be read inside the step.',
      remedy: 'Give the item another name with `as:`.',
    },
  ],
  check(workspace, report) {
    for (const { each } of workspace.taskList().flatMap(({ steps }) => steps)) {
      if (each && ROOTS.has(each.as))
        report(
          'as-shadows',
          memberPlace(each, 'as', each.at),
          `The item is called \`${each.as}\`, which has a meaning already.`,
          'Write another name: `as: item`.',
        );
    }
  },
};
