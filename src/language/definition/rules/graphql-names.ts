// Names that GraphQL could not tell apart, or could not take.
import { memberPlace } from '../located.ts';
import type { Rule } from './rule.ts';

export const graphqlNames: Rule = {
  diagnostics: [
    {
      code: 'graphql-name-collision',
      severity: 'error',
      title: 'Names that GraphQL could not tell apart, or could not take',
      why: 'The API is made from the workflows: `email-parse` and `email_parse` are both `emailParse`.',
      remedy: 'Rename one of them.',
    },
  ],
  check(workspace, report) {
    const holders = new Map<string, string>();
    for (const task of workspace.taskList()) {
      const name = camelName(task.name);
      const holder = holders.get(name);
      if (holder === undefined) holders.set(name, task.name);
      else
        report(
          'graphql-name-collision',
          task.at,
          `The tasks \`${holder}\` and \`${task.name}\` are both \`${name}\` in GraphQL.`,
          'Rename one of them.',
        );
      for (const property of Object.keys(task.input.schema['properties'] ?? {})) {
        if (property.startsWith('__'))
          report(
            'graphql-name-collision',
            memberPlace(task.input, property, task.input.at),
            `The field \`${property}\` begins with two underscores, which GraphQL keeps for itself.`,
            'Rename it.',
          );
      }
    }
  },
};

/** As the API makes it: what is not a letter or digit parts words. */
function camelName(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/);
  return words
    .map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join('');
}
