// Results: what a request for a run ends in; each way it can be refused is a type of its own that says what to do.
import { retryAfterMs } from '../../../engine/budget/refusals.ts';
import type { RouteDecision } from '../../../engine/routing/port.ts';
import type { Builder } from '../builder.ts';
import type { Refused } from '../../../engine/execution/port.ts';
import type { Refs } from '../refs.ts';
import { AMOUNT, amount } from './budget.ts';
import type { Enums } from './enums.ts';
import { pinnedRevision } from './governance.ts';

const TYPE_OF_KIND: { readonly [kind: string]: string } = {
  run: 'Run',
  invalid_input: 'InvalidInput',
  budget_exceeded: 'BudgetExceeded',
  spending_paused: 'SpendingPaused',
  loop_detected: 'LoopDetected',
  no_provider_available: 'NoProviderAvailable',
  unauthorized: 'Unauthorized',
  dry_run: 'DryRun',
  not_found: 'NotFound',
  not_running: 'NotRunning',
};

export function typeOfResult(result: unknown): string {
  const { kind } = result as { readonly kind: string };
  return TYPE_OF_KIND[kind] ?? kind;
}

export function defineResults(builder: Builder, refs: Refs, enums: Enums) {
  refs.refusal.implement({
    description:
      'An expected end that is not an answer: a stable code, what happened, and what to do about it.',
    resolveType: typeOfResult,
    fields: (t) => ({
      code: t.string({ description: 'Stable; see docs/reference/errors.md.', resolve: ({ code }) => code }),
      message: t.string({ resolve: ({ message }) => message }),
      remedy: t.string({ resolve: ({ remedy }) => remedy }),
      pinnedRevision: t.field({
        type: refs.revision,
        nullable: true,
        description:
          'The revision that a person pinned, where one is in force instead of what the workflows say.',
        resolve: (_refusal, _args, context) => pinnedRevision(context),
      }),
    }),
  });
  const refusal = { interfaces: [refs.refusal] };

  refs.refusedRun.implement({
    description: 'A refusal that may have come half way: what the run had done by then.',
    resolveType: typeOfResult,
    fields: (t) => ({
      runId: t.id({
        nullable: true,
        description: 'The recorded run; null: none was opened, and nothing was spent.',
        resolve: ({ runId }) => runId ?? null,
      }),
      cost: t.field({
        type: 'USD',
        description: 'What it had cost.',
        resolve: ({ costNanoUsd }) => costNanoUsd ?? 0n,
      }),
      attempts: t.field({
        type: [refs.attempt],
        description: 'Its calls, with what failed.',
        resolve: ({ attempts }) => attempts ?? [],
      }),
    }),
  });
  const refusedRun = { interfaces: [refs.refusal, refs.refusedRun] };

  refs.inputProblem.implement({
    fields: (t) => ({
      path: t.exposeString('path', {
        description: 'JSON Pointer into the input: `/text`; empty for the whole.',
      }),
      code: t.exposeString('code'),
      message: t.exposeString('message'),
    }),
  });

  refs.invalidInput.implement({
    ...refusal,
    description: "The input is not what the task's schema asks for; nothing was run.",
    fields: (t) => ({ problems: t.expose('problems', { type: [refs.inputProblem] }) }),
  });

  refs.budgetExceeded.implement({
    ...refusedRun,
    description: 'The worst case of the next call does not fit a budget.',
    fields: (t) => ({
      budget: t.string({ description: "The budget's name.", resolve: ({ refusal: { name } }) => name }),
      account: t.string({
        description: "The caller, team or tag's value it is kept for; empty: one account in all.",
        resolve: ({ refusal: { account } }) => account,
      }),
      unit: t.field({ type: enums.budgetUnit, resolve: ({ refusal: { unit } }) => unit }),
      limit: t.field({
        type: 'USD',
        description: AMOUNT,
        resolve: ({ refusal: { unit, limit } }) => amount(unit, limit),
      }),
      spent: t.field({
        type: 'USD',
        description: AMOUNT,
        resolve: ({ refusal: { unit, spent } }) => amount(unit, spent),
      }),
      held: t.field({
        type: 'USD',
        description: AMOUNT,
        resolve: ({ refusal: { unit, held } }) => amount(unit, held),
      }),
      needed: t.field({
        type: 'USD',
        description: AMOUNT,
        resolve: ({ refusal: { unit, needed } }) => amount(unit, needed),
      }),
      windowStartedAt: t.field({
        type: 'DateTime',
        resolve: ({ refusal: { windowStartedAtMs } }) => windowStartedAtMs,
      }),
      resetsAt: t.field({
        type: 'DateTime',
        nullable: true,
        resolve: ({ refusal: { resetsAtMs } }) => resetsAtMs,
      }),
      retryAfterMs: t.float({
        nullable: true,
        description:
          'A second where only what calls under way hold is in the way; else until the window is over; null: not by waiting.',
        resolve: ({ refusal }, _args, context) => retryAfterMs(refusal, context.services.clock.nowMs()),
      }),
    }),
  });

  refs.spendingPaused.implement({
    ...refusedRun,
    description: 'A switch stops all spending in this scope.',
    fields: (t) => ({
      scope: t.exposeString('scope'),
      reason: t.exposeString('reason'),
      since: t.expose('sinceMs', { type: 'DateTime' }),
    }),
  });

  refs.loopDetected.implement({
    ...refusedRun,
    description: 'The same input came too often in too short a time.',
    fields: (t) => ({
      repeats: t.exposeInt('repeats'),
      withinMs: t.exposeFloat('withinMs'),
      retryAfterMs: t.exposeFloat('retryAfterMs', { nullable: true }),
    }),
  });

  refs.noProviderAvailable.implement({
    ...refusedRun,
    description:
      'No candidate of the route could serve; the decision says why each was skipped, the attempts how each failed.',
    fields: (t) => ({
      task: t.exposeString('task'),
      step: t.exposeString('step'),
      retryAfterMs: t.exposeFloat('retryAfterMs', { nullable: true }),
      decision: t.expose('decision', { type: refs.routeDecision }),
    }),
  });

  refs.unauthorized.implement({
    ...refusal,
    description: "The caller's key does not have the scope.",
    fields: (t) => ({ scope: t.exposeString('scope') }),
  });

  const plannedStep = builder
    .objectRef<{ readonly step: string; readonly holdNanoUsd: bigint; readonly decision: RouteDecision }>(
      'PlannedStep',
    )
    .implement({
      description: 'What a dry run says of one step.',
      fields: (t) => ({
        step: t.exposeString('step'),
        hold: t.expose('holdNanoUsd', { type: 'USD' }),
        decision: t.expose('decision', { type: refs.routeDecision }),
      }),
    });

  refs.dryRun.implement({
    description: 'What would happen: nobody was called and nothing is held.',
    fields: (t) => ({
      task: t.field({ type: 'String', resolve: ({ dryRun }) => dryRun.task }),
      hold: t.field({
        type: 'USD',
        description: 'The worst case of all its steps.',
        resolve: ({ dryRun }) => dryRun.holdNanoUsd,
      }),
      steps: t.field({ type: [plannedStep], resolve: ({ dryRun }) => dryRun.steps }),
    }),
  });

  refs.notFound.implement({
    ...refusal,
    description: 'There is no such thing, or it is not yours to see.',
    fields: (t) => ({ id: t.exposeID('id') }),
  });
  refs.notRunning.implement({
    ...refusal,
    description: 'The run had ended already.',
    fields: (t) => ({ run: t.expose('run', { type: refs.run }) }),
  });

  const refusals = [
    refs.invalidInput,
    refs.budgetExceeded,
    refs.spendingPaused,
    refs.loopDetected,
    refs.noProviderAvailable,
    refs.unauthorized,
  ] as const;

  return {
    runTaskResult: builder.unionType('RunTaskResult', {
      types: [refs.run, ...refusals, refs.dryRun],
      resolveType: typeOfResult,
    }),
    startTaskResult: builder.unionType('StartTaskResult', {
      types: [refs.run, ...refusals, refs.dryRun],
      resolveType: typeOfResult,
    }),
    cancelRunResult: builder.unionType('CancelRunResult', {
      types: [refs.run, refs.notFound, refs.notRunning],
      resolveType: typeOfResult,
    }),
  };
}

export type Results = ReturnType<typeof defineResults>;

export function notFound(
  id: string,
  what: string,
): Refused & { readonly kind: 'not_found'; readonly id: string } {
  return {
    kind: 'not_found',
    id,
    code: 'NOT_FOUND',
    message: `There is no ${what} "${id}" that you may see.`,
    remedy: 'List them first, or use a key that may see all.',
  };
}
