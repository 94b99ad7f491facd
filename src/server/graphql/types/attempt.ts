// Attempt, StepRun and the decision that led to an attempt.
import { providerShape } from './provider.ts';
import type { Refs } from '../refs.ts';
import type { Enums } from './enums.ts';

export function defineAttempt(refs: Refs, enums: Enums): void {
  refs.attempt.implement({
    description: 'One call to one model of one provider.',
    fields: (t) => ({
      id: t.exposeID('id'),
      provider: t.field({
        type: refs.provider,
        resolve: (attempt, _args, context) => providerShape(attempt.provider, context),
      }),
      model: t.exposeString('model', { description: 'As the provider names the model that answered.' }),
      requestedModel: t.exposeString('requestedModel'),
      step: t.exposeString('step'),
      status: t.expose('status', { type: enums.attemptStatus }),
      errorClass: t.exposeString('errorClass', { nullable: true }),
      errorMessage: t.exposeString('errorMessage', { nullable: true }),
      inputTokens: t.exposeInt('inputTokens'),
      cachedInputTokens: t.exposeInt('cachedInputTokens'),
      cacheWriteTokens: t.exposeInt('cacheWriteTokens'),
      outputTokens: t.exposeInt('outputTokens'),
      reasoningTokens: t.exposeInt('reasoningTokens'),
      cost: t.expose('costNanoUsd', { type: 'USD' }),
      held: t.expose('heldNanoUsd', {
        type: 'USD',
        description: 'What was held for its worst case before the call.',
      }),
      heldTokens: t.int({
        description: 'What was held of token budgets: input counted, output at its maximum.',
        resolve: ({ heldTokens, inputTokens, outputTokens }) => heldTokens ?? inputTokens + outputTokens,
      }),
      rates: t.exposeString('rates', {
        description: 'The rates that it was settled with, as canonical JSON; or `free`.',
      }),
      saved: t.expose('savedNanoUsd', { type: 'USD', description: 'Against the dearest candidate.' }),
      baseline: t.string({
        nullable: true,
        description: 'The model that its savings are counted against; null: none is named.',
        resolve: ({ baseline }) => baseline ?? null,
      }),
      savedBy: t.field({
        type: enums.savedBy,
        nullable: true,
        description: 'What its savings are owed to; null: it is not settled, or nobody worked it out.',
        resolve: ({ savedBy }) => savedBy ?? null,
      }),
      savedByRoute: t.field({
        type: 'USD',
        description:
          "The baseline's price of the same tokens less this model's, both without a prompt cache; below 0 where it cost more.",
        resolve: ({ savedRouteNanoUsd }) => savedRouteNanoUsd ?? 0n,
      }),
      savedByPromptCache: t.field({
        type: 'USD',
        description: 'The price of the same tokens without a prompt cache, less the price with it.',
        resolve: ({ savedPromptCacheNanoUsd }) => savedPromptCacheNanoUsd ?? 0n,
      }),
      estimated: t.exposeBoolean('estimated', {
        description: "Settled by what was seen, not by the provider's own count.",
      }),
      queueMs: t.exposeFloat('queueMs'),
      latencyMs: t.exposeFloat('latencyMs', { nullable: true }),
      firstTokenMs: t.exposeFloat('firstTokenMs', { nullable: true }),
      startedAt: t.expose('startedAtMs', { type: 'DateTime' }),
      finishedAt: t.expose('finishedAtMs', { type: 'DateTime', nullable: true }),
      requestId: t.exposeString('requestId', {
        nullable: true,
        description: "The provider's own id of the call.",
      }),
      finishReason: t.string({
        nullable: true,
        description: 'Why the provider ended its answer: `stop`, `length`, `other`.',
        resolve: ({ finishReason }) => finishReason ?? null,
      }),
      serviceTier: t.string({
        nullable: true,
        description:
          'As the provider names the tier that it served the call in: `default`, `priority`, `flex`.',
        resolve: ({ serviceTier }) => serviceTier ?? null,
      }),
      reportedCost: t.field({
        type: 'USD',
        nullable: true,
        description:
          'What the provider says that it charged; `cost` is that figure where the provider is configured with `cost: reported`.',
        resolve: ({ reportedCostNanoUsd }) => reportedCostNanoUsd ?? null,
      }),
      notes: t.field({
        type: [refs.note],
        description: 'What was out of order, and what was made of it.',
        resolve: ({ notes }) => notes ?? [],
      }),
      decision: t.expose('decision', { type: refs.routeDecision }),
    }),
  });

  refs.note.implement({
    description: 'Something worth knowing of what went well: a stable code, and a sentence.',
    fields: (t) => ({
      code: t.exposeString('code', { description: 'Stable; see docs/reference/budgets.md.' }),
      message: t.exposeString('message'),
    }),
  });

  refs.stepRun.implement({
    description: 'One step of a run; an item of `each` is a step of its own: `reviews[3]`.',
    fields: (t) => ({
      key: t.exposeString('key'),
      kind: t.expose('kind', { type: enums.stepKind }),
      status: t.expose('status', { type: enums.stepStatus }),
      startedAt: t.expose('startedAtMs', { type: 'DateTime' }),
      finishedAt: t.expose('finishedAtMs', { type: 'DateTime', nullable: true }),
      outputJson: t.expose('output', { type: 'JSON', nullable: true }),
      error: t.expose('error', { type: refs.runError, nullable: true }),
    }),
  });

  refs.routeDecision.implement({
    description: 'Why this candidate was called and not another.',
    fields: (t) => ({
      rule: t.exposeString('rule', {
        description: "The route's name and the number of the rule that held: `cheap-first[1]`.",
      }),
      pick: t.string({
        description: 'The strategy that ordered the candidates.',
        resolve: (decision) => decision.pick,
      }),
      candidates: t.expose('candidates', { type: [refs.candidate] }),
    }),
  });

  refs.candidate.implement({
    fields: (t) => ({
      model: t.exposeString('model', { description: '`provider/model`.' }),
      score: t.exposeFloat('score', {
        nullable: true,
        description: "The strategy's own measure: lower is better.",
      }),
      expectedCost: t.field({ type: 'USD', resolve: (candidate) => BigInt(candidate.expectedCostNanoUsd) }),
      chosen: t.exposeBoolean('chosen'),
      skipped: t.expose('skipped', {
        type: refs.skip,
        nullable: true,
        description: 'Why it could not serve; null: it could.',
      }),
    }),
  });

  refs.skip.implement({
    fields: (t) => ({
      code: t.expose('code', { type: enums.skipCode }),
      detail: t.exposeString('detail'),
      retryAfterMs: t.exposeFloat('retryAfterMs', {
        nullable: true,
        description: 'When it might serve again; null: not by waiting.',
      }),
    }),
  });
}
