// A session is what a client says it is: whoever begins a new one has a new allowance.
import type { Rule } from './rule.ts';

export const sessionAccounts: Rule = {
  diagnostics: [
    {
      code: 'session-without-caller',
      severity: 'warning',
      title: 'Budgets of sessions, and none of callers',
      why: 'A session is what the client says it is. Whoever says another has another allowance; what holds then is a budget of the caller.',
      remedy: 'Add a budget with `each: caller` beside it.',
    },
  ],
  onlyWithoutErrors: true,
  check(workspace, report) {
    const budgets = [
      ...Object.values(workspace.project?.budgets ?? {}),
      ...workspace.taskList().flatMap(({ budget }) => budget ?? []),
    ];
    if (budgets.some(({ each }) => each?.kind === 'caller')) return;
    for (const { each, at } of budgets)
      if (each?.kind === 'session')
        report(
          'session-without-caller',
          at,
          'A session is what the client says it is, and no budget holds for each caller.',
          'Add one with `each: caller` beside it: `{ each: caller, limit: $20, per: day }`.',
        );
  },
};
