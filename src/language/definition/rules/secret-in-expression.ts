// Secrets that an expression would carry into plans, prompts and logs (INV-9).
import { references } from '../../expression/references.ts';
import { secretsOf } from '../../expression/template-parts.ts';
import { expressionsIn } from '../located.ts';
import type { Expression } from '../types.ts';
import type { Workspace } from '../workspace.ts';
import type { Rule } from './rule.ts';
import { allRoutes, taskExpressions } from './walk.ts';

const LOOKS_SECRET = /(?:^|_)(?:API_?KEY|SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIALS?)$/i;

export const secretInExpression: Rule = {
  diagnostics: [
    {
      code: 'secret-in-expression',
      severity: 'error',
      title: 'A secret read by an expression',
      why: 'What an expression gives ends up in the plan, in prompts and in the ledger; a secret is read only at the call.',
      remedy:
        'Name it as `apiKey: ${{ secrets.NAME }}` of a provider, or in one of its `headers`; nowhere else.',
    },
  ],
  check(workspace, report) {
    const secrets = new Set(
      Object.values(workspace.project?.providers ?? {}).flatMap(
        ({ apiKeySecret, moreApiKeySecrets, headers }) => [
          ...(apiKeySecret ? [apiKeySecret.name] : []),
          ...moreApiKeySecrets.map(({ name }) => name),
          ...Object.values(headers).flatMap(({ template }) => secretsOf(template)),
        ],
      ),
    );
    for (const expression of allExpressions(workspace)) {
      const name = references(expression.source).env.find(
        (variable) => secrets.has(variable) || LOOKS_SECRET.test(variable),
      );
      if (name === undefined) continue;
      report(
        'secret-in-expression',
        expression.at,
        `The expression reads the secret \`${name}\` from the environment.`,
        'Remove it. A provider names its key as `apiKey: ${{ secrets.NAME }}`.',
      );
    }
  },
};

function allExpressions(workspace: Workspace): readonly Expression[] {
  const providers = Object.values(workspace.project?.providers ?? {}).flatMap(({ baseUrl, headers }) => [
    ...(baseUrl ? expressionsIn(baseUrl) : []),
    ...Object.values(headers).flatMap(expressionsIn),
  ]);
  const routes = allRoutes(workspace).flatMap(({ rules }) => rules.flatMap(({ when }) => when ?? []));
  return [...new Set([...providers, ...routes, ...workspace.taskList().flatMap(taskExpressions)])];
}
