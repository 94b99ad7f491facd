// A run's story says what is recorded: the rule, who was skipped for what, what was held, settled, lost and saved.
import { expect, it } from 'vitest';
import { storyOf } from '../../src/ledger/story.ts';
import { finish, makeAttempt, makeRun, settle } from '../support/ledger-records.ts';

const run = finish(makeRun('run_1'), { latencyMs: 900 });
const decision = (chosen: string) => ({
  rule: 'cheap-first[1]',
  pick: 'cheapest' as const,
  candidates: [
    {
      model: 'local/llama',
      score: null,
      expectedCostNanoUsd: '0',
      chosen: false,
      skipped: { code: 'no_key' as const, detail: 'set LLAMA_KEY', retryAfterMs: null },
    },
    {
      model: 'openai/small',
      score: 1,
      expectedCostNanoUsd: '1000000',
      chosen: chosen === 'openai/small',
      skipped: null,
    },
    {
      model: 'openai/large',
      score: 2,
      expectedCostNanoUsd: '9000000',
      chosen: chosen === 'openai/large',
      skipped: null,
    },
  ],
});

it('tells a failure and what answered after it, and what it saved in all', () => {
  const first = settle(
    makeAttempt('att_1', run, { requestedModel: 'small', decision: decision('openai/small') }),
    {
      status: 'failed',
      errorClass: 'overloaded',
      errorMessage: '529 from the provider',
      costNanoUsd: 500_000n,
      savedBy: 'failure',
      baseline: 'openai/large',
    },
  );
  const second = settle(
    makeAttempt('att_2', run, { requestedModel: 'small', decision: decision('openai/small') }),
    {
      costNanoUsd: 1_000_000n,
      savedBy: 'routing',
      baseline: 'openai/large',
      savedRouteNanoUsd: 8_000_000n,
      savedPromptCacheNanoUsd: 100_000n,
    },
  );
  const { text, rows } = storyOf(run, [first, second]);
  expect(text).toBe(
    'ana of support asked for summarize at 2026-11-22T09:00:00.000Z, under revision plan-1; it succeeded after 900 ms, with 2 calls for $0.0015. ' +
      'For summary, rule cheap-first[1] chose openai/small by cheapest before openai/large ($0.009 expected), and could not use local/llama (no_key: set LLAMA_KEY); $0.005 was held and $0.0005 settled; it failed with overloaded: 529 from the provider. ' +
      'Then rule cheap-first[1] chose openai/small by cheapest before openai/large ($0.009 expected), and could not use local/llama (no_key: set LLAMA_KEY); $0.005 was held and $0.001 settled. ' +
      'Against openai/large it saved $0.0076 ($0.0001 by the prompt cache, -$0.0005 for what was of no use, or dearer in it).',
  );
  expect(rows.map(({ outcome, savedNanoUsd }) => [outcome, savedNanoUsd])).toEqual([
    ['failed: overloaded', -500_000n],
    ['succeeded', 8_100_000n],
  ]);
});

it('tells of an answer that was given again, and of an end without one', () => {
  expect(storyOf({ ...run, cached: true, savedNanoUsd: 3_000_000n }, []).text).toContain(
    'the cache had the answer, which had cost $0.003, and nobody was called',
  );
  const error = {
    code: 'DEADLINE_EXCEEDED',
    message: 'too late',
    remedy: '',
    retryAfterMs: null,
    step: null,
    details: {},
  };
  expect(storyOf({ ...run, status: 'failed', error }, []).text).toMatch(
    /it failed .* DEADLINE_EXCEEDED: too late\.$/,
  );
});
