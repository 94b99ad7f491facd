// SIGTERM under load: answers that are on their way arrive, what does not end in time is recorded, and nothing new is taken.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/common/random.ts';
import { startCountingUpstream } from '../../support/counting-upstream.ts';
import type { CountingUpstream } from '../../support/counting-upstream.ts';
import type { Served } from '../../support/served.ts';
import {
  RUN_SINGLE,
  START_TRAIL,
  ask,
  expectNothingForgotten,
  expectNothingTwice,
  expectVerified,
  rowsOf,
  serveFor,
  temporary,
  withReader,
  workflowFolder,
} from './support.ts';
import type { Answer } from './support.ts';

interface Stage {
  readonly upstream: CountingUpstream;
  readonly dataDirectory: string;
  readonly start: (flags?: readonly string[]) => Promise<Served>;
}

async function stage(): Promise<Stage> {
  const upstream = await startCountingUpstream({ random: seededRandom(3) });
  const dataDirectory = temporary('headgate-drain-');
  // Nothing but the drain ends a call: a machine that is busy with other tests is slower than any time limit.
  const workflows = workflowFolder({
    policy:
      'timeout: 50s, firstToken: 50s, stall: 50s, retry: { attempts: 2, initialDelay: 10ms, maxDelay: 50ms }',
  });
  return {
    upstream,
    dataDirectory,
    start: (flags = []) =>
      serveFor(upstream, {
        dataDirectory,
        flags: ['--workflows', workflows, '--no-watch', ...flags],
        env: { HEADGATE_LOG: 'info' },
      }),
  };
}

const run = (served: Served, mark: string): Promise<Answer> => ask(served.url, RUN_SINGLE, { mark });

/** The answer, or the words of the error of a connection that was refused or cut. */
const told = (asked: Promise<Answer>): Promise<Answer | string> =>
  asked.catch((error: unknown) => String((error as { cause?: unknown }).cause ?? error));

describe('SIGTERM', () => {
  it(
    'lets running tasks finish, longer than a few seconds too, takes nothing new, and ends with 0',
    { timeout: 60_000 },
    async () => {
      const { upstream, dataDirectory, start } = await stage();
      const served = await start();
      // Seven seconds: longer than any grace that a connection gets by itself, shorter than the drain.
      upstream.otherwise(() => ({ tokens: 10, firstTokenAfterMs: 7_000 }));
      const running = Array.from({ length: 10 }, (_, index) => told(run(served, `slow${index}`)));
      await upstream.received(10);
      const ended = served.stop();
      await stopping(served);
      const late = await told(run(served, 'late'));
      if (typeof late === 'string') expect(late).toMatch(/ECONNREFUSED|ECONNRESET|other side closed|closed/i);
      else {
        expect(late.status).toBe(503);
        expect(late.errors[0]?.extensions).toMatchObject({ code: 'SHUTTING_DOWN' });
      }
      for (const answer of await Promise.all(running))
        expect(answer).toMatchObject({ data: { runTask: { __typename: 'Run', status: 'SUCCEEDED' } } });
      expect(await ended).toBe(0);
      const rows = await withReader(dataDirectory, rowsOf);
      expect(rows.runs.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 'succeeded'));
      await expectVerified(dataDirectory);
      await upstream.close();
    },
  );

  it(
    'records what does not end in the drain time, leaves no attempt open, and durable runs go on afterwards',
    { timeout: 60_000 },
    async () => {
      const { upstream, dataDirectory, start } = await stage();
      const served = await start(['--drain', '300']);
      upstream.otherwise((call) =>
        JSON.stringify(call.body).includes(':one]') ? { tokens: 10 } : { connection: 'silent' },
      );
      const running = Array.from({ length: 5 }, (_, index) => told(run(served, `cut${index}`)));
      const { data } = await ask(served.url, START_TRAIL, { mark: 'goes-on' });
      await upstream.received(5 + 3);
      expect(await served.stop()).toBe(0);
      // Nobody is cut off without a word.
      for (const answer of await Promise.all(running))
        expect(answer).toMatchObject({
          data: { runTask: { __typename: 'Run', status: 'CANCELLED', error: { code: 'SHUT_DOWN' } } },
        });
      const stopped = await withReader(dataDirectory, rowsOf);
      const statuses = new Set([...stopped.attempts.values()].flat().map(({ status }) => status));
      expect(statuses).toEqual(new Set(['succeeded', 'cancelled']));
      expect(stopped.runs.filter(({ finishedAtMs }) => finishedAtMs === null).map(({ id }) => id)).toEqual([
        data.startTask.id,
      ]);
      await expectVerified(dataDirectory);

      upstream.otherwise({ tokens: 10 });
      const next = await start();
      await finished(next, data.startTask.id);
      expect(await next.stop()).toBe(0);
      const rows = await withReader(dataDirectory, rowsOf);
      expect(rows.runs.find(({ id }) => id === data.startTask.id)).toMatchObject({ status: 'succeeded' });
      expectNothingTwice(rows);
      expectNothingForgotten(upstream, rows);
      expect(upstream.requests().get('goes-on:one')).toHaveLength(1);
      await expectVerified(dataDirectory);
      await upstream.close();
    },
  );

  it(
    'ends at once at the second signal; what was under way is held until it is known',
    { timeout: 60_000 },
    async () => {
      const { upstream, dataDirectory, start } = await stage();
      const served = await start();
      upstream.otherwise({ connection: 'silent' });
      const running = told(run(served, 'held'));
      await upstream.received(1);
      const ended = served.stop();
      await stopping(served);
      process.kill(served.pid, 'SIGTERM');
      expect(await ended).not.toBe(0);
      await running;
      const again = await start();
      expect(await again.stop()).toBe(0);
      const rows = await withReader(dataDirectory, rowsOf);
      const [attempt] = [...rows.attempts.values()].flat();
      expect(attempt).toMatchObject({ status: 'unreconciled' });
      expect(rows.runs[0]?.error?.code).toBe('RUN_INTERRUPTED');
      await expectVerified(dataDirectory);
      await upstream.close();
    },
  );
});

/** When it has said that it is stopping. */
async function stopping(served: Served): Promise<void> {
  for (let looks = 0; looks < 500 && !served.output().includes('stopping'); looks += 1) await sleep(20);
  expect(served.output()).toContain('stopping');
}

async function finished(served: Served, id: string): Promise<void> {
  for (let looks = 0; looks < 300; looks += 1) {
    const { data } = await ask(served.url, 'query ($id: ID!) { run(id: $id) { status } }', { id });
    if (data.run.status !== 'RUNNING') return;
    await sleep(50);
  }
  throw new Error(`${id} is still running`);
}
