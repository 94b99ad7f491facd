// A run that another node has, followed here: what that node tells, and what the ledger knows before it is told.
import { expect, it } from 'vitest';
import type { Json } from '../../../../src/common/json.ts';
import { RunJournals } from '../../../../src/server/graphql/live/journal.ts';
import type { NumberedEvent } from '../../../../src/server/graphql/live/journal.ts';
import { RemoteRuns } from '../../../../src/server/graphql/live/remote-runs.ts';
import { finish, makeRun } from '../../../support/ledger-records.ts';
import { createSimulatedClock } from '../../../support/simulated-clock.ts';

/** Its end is in the ledger from the beginning. `tell`: the other node says something. */
function followed() {
  const clock = createSimulatedClock();
  const run = finish(makeRun('run_1'));
  let hear: (body: Json, from: number) => void = () => undefined;
  const remote = new RemoteRuns({
    messages: {
      send: () => Promise.resolve(),
      onMessage(listener) {
        hear = listener;
        return () => undefined;
      },
      mostBytes: 8_000,
    },
    journals: new RunJournals(),
    engine: { has: () => false, subscribe: () => undefined },
    history: {
      run: async () => run,
      attemptsOf: async () => new Map(),
      stepsOf: async () => new Map(),
      stepsUnder: async () => [],
      ended: async () => run,
    },
    clock,
  });
  const events: NumberedEvent[] = [];
  const following = remote.follow(run.id, -1, (event) => events.push(event));
  return {
    clock,
    following,
    tell: (body: { readonly [name: string]: Json }) => hear({ follower: 1, ...body }, 2),
    said: () => events.map((event) => (event.type === 'text' ? event.delta : event.type)),
  };
}

const text = (seq: number, delta: string): Json => ({
  type: 'text',
  seq,
  runId: 'run_1',
  atMs: 0,
  step: 'main',
  path: 'main',
  delta,
});

it('its last texts are waited for where its node tells them later than the ledger has its end', async () => {
  const { clock, following, tell, said } = followed();
  tell({ kind: 'following', whole: true });
  expect((await following).whole).toBe(true);
  tell({ kind: 'events', events: [text(0, 'one ')] });
  await clock.advance(2_000);
  expect(said()).toEqual(['one ']);
  tell({ kind: 'events', events: [text(1, 'two'), { type: 'finished', seq: 2, runId: 'run_1', atMs: 0 }] });
  await clock.advance(10_000);
  expect(said()).toEqual(['one ', 'two', 'finished']);
});

it('is over by the ledger alone where its node says nothing more, and soon where no node has it', async () => {
  const lost = followed();
  lost.tell({ kind: 'following', whole: true });
  await lost.following;
  await lost.clock.advance(3_000);
  expect(lost.said()).toEqual(['finished']);

  const gone = followed();
  await gone.clock.advance(1_000);
  expect((await gone.following).whole).toBe(false);
  await gone.clock.advance(1_000);
  expect(gone.said()).toEqual(['finished']);
});

it('is told to other nodes one message after the other, so that its end does not come before its last texts', async () => {
  const clock = createSimulatedClock();
  const sent: Json[] = [];
  const waiting: (() => void)[] = [];
  let ask: (body: Json, from: number) => void = () => undefined;
  const journals = new RunJournals();
  void new RemoteRuns({
    messages: {
      send(body) {
        sent.push(body);
        return new Promise((resolve) => waiting.push(resolve));
      },
      onMessage(listener) {
        ask = listener;
        return () => undefined;
      },
      mostBytes: 8_000,
    },
    journals,
    engine: { has: () => true, subscribe: () => undefined },
    history: {
      run: async () => undefined,
      attemptsOf: async () => new Map(),
      stepsOf: async () => new Map(),
      stepsUnder: async () => [],
      ended: async () => finish(makeRun('run_1')),
    },
    clock,
  });
  const base = { runId: 'run_1', atMs: 0 };
  const run = finish(makeRun('run_1'));
  journals.append({ type: 'queued', ...base });
  ask({ kind: 'follow', follower: 1, runId: 'run_1', after: -1 }, 2);
  journals.append({ type: 'text', ...base, step: 'main', path: 'main', delta: 'last' });
  await clock.advance(25);
  journals.append({
    type: 'finished',
    ...base,
    result: { kind: 'run', snapshot: { run, steps: [], attempts: [] } },
  });
  const kinds: (readonly Json[])[] = [];
  for (let round = 0; round < 4; round += 1) {
    await clock.advance(1);
    kinds.push(sent.map((body) => (body as { readonly kind: string }).kind));
    waiting.shift()?.();
  }
  expect(kinds).toEqual([
    ['following'],
    ['following', 'events'],
    ['following', 'events', 'events'],
    ['following', 'events', 'events'],
  ]);
  expect(JSON.stringify(sent[1])).toContain('last');
  expect(JSON.stringify(sent[2])).toContain('finished');
});
