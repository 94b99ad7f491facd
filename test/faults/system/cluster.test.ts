// Three nodes over one PostgreSQL, killed, stopped for a while and started again under load, with the model server outside counting what it answered.
// Answers of the database are lost all the time; now and then it is killed itself, or nobody hears of a node any more. `npm run test:cluster` does it 200 times.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { removePostgres, startPostgres } from '../../../src/cli/cluster/postgres.ts';
import { seededRandom } from '../../../src/common/random.ts';
import { openLedgerReader } from '../../../src/ledger/open.ts';
import { startCountingUpstream } from '../../support/counting-upstream.ts';
import { startPostgresProxy } from '../../support/postgres-proxy.ts';
import { emptyDatabase, hasPostgres, query } from '../../support/postgres.ts';
import type { Served } from '../../support/served.ts';
import {
  RUN_SINGLE,
  RUN_TRAIL,
  START_TRAIL,
  ask,
  expectNothingForgotten,
  expectNothingTwice,
  killQuietly,
  nano,
  rowsOf,
  serveFor,
  temporary,
  workflowFolder,
} from './support.ts';

const KILLS = Number(process.env['HEADGATE_KILLS'] ?? 1);
const SEED = Number(process.env['HEADGATE_SEED'] ?? 20_261_128);
const IS_SMALL = KILLS < 10;
const SILENCE_MS = IS_SMALL ? 6_000 : 3_000;
/** Of KILLS, so many are a SIGSTOP for longer than a node may be silent, and so many a network that is lost for as long. */
const STOP_EVERY = 10;
const STILL_EVERY = 25;
const DATABASE_KILLS = 5;
const AWAY_MS = 6_000;
const ANSWER_LOST_EVERY_MS = 700;
const LOST: ReadonlySet<string> = new Set([
  'RUN_INTERRUPTED',
  'RUN_GIVEN_UP',
  'REVISION_UNKNOWN',
  'SHUT_DOWN',
  'INTERNAL',
  'LEDGER_UNAVAILABLE',
]);
const LATE = `select attempts.id from attempts join nodes on nodes.seq = attempts.node and not nodes.alive
  left join steps on steps.run_id = attempts.run_id and steps.key = attempts.step
  where attempts.status = 'succeeded' and steps.finished_at_ms is distinct from attempts.finished_at_ms`;
const NODES = 3;
const LANES = 6;
/** Enough for a part of what is asked, so that the last of it is fought over. */
const LIMIT = IS_SMALL ? '$0.03' : `$${(KILLS * 0.03).toFixed(2)}`;

/** One that may be killed; the small test takes the one that other tests use too. */
async function database(): Promise<{ readonly address: string; readonly kill?: () => Promise<void> }> {
  if (IS_SMALL) return { address: await emptyDatabase() };
  const folder = mkdtempSync(join(tmpdir(), 'headgate-cluster-postgres-'));
  onTestFinished(() => removePostgres(folder));
  let running = await startPostgres(folder, { settings: { max_connections: 200 } });
  let times = 0;
  const { port, url } = running;
  return {
    address: `${url}?schema=headgate`,
    async kill() {
      process.kill(running.pid as number, 'SIGKILL');
      times += 1;
      // Now and then for longer than it is waited for: what is promised to survive stands still.
      if (times % 2 === 0) await sleep(AWAY_MS);
      for (let tries = 0; ; tries += 1) {
        await sleep(200);
        try {
          // As long as a process of the former one is there, it does not start.
          running = await startPostgres(folder, { port, settings: { max_connections: 200 } });
          return;
        } catch (error) {
          if (tries === 50) throw error;
        }
      }
    },
  };
}

describe.skipIf(!hasPostgres)('three nodes', () => {
  it(
    `killed ${KILLS} times: INV-2 nothing beyond the limit, INV-3 nothing billed is forgotten, INV-5 nothing completed is called again`,
    { timeout: 120_000 + KILLS * 60_000 },
    async () => {
      const random = seededRandom(SEED);
      const upstream = await startCountingUpstream({ random });
      const { kill: killDatabase, ...found } = await database();
      // A machine that is busy with other tests lets a process wait for longer than a node may be silent.
      const address = `${found.address}&silence=${SILENCE_MS}`;
      const proxies = await Promise.all(Array.from({ length: NODES }, () => startPostgresProxy(address)));
      const workflows = workflowFolder({
        budgets: [`company: { limit: ${LIMIT}, per: month, then: reject }`],
      });
      const start = (index: number): Promise<Served> =>
        serveFor(upstream, {
          dataDirectory: temporary('headgate-cluster-'),
          env: { HEADGATE_DATABASE: proxies[index]?.url },
          flags: ['--workflows', workflows, '--no-watch'],
        });
      // One after the other: the first makes the tables.
      const nodes: Served[] = [await start(0)];
      nodes.push(...(await Promise.all([1, 2].map(start))));

      const lost = (): number => proxies.reduce((sum, { lostAnswers }) => sum + lostAnswers, 0);
      let restarting: number | undefined;
      let sequence = 0;
      const over = new AbortController();
      const answers = { given: 0, refused: 0, cut: 0 };
      /** What was accepted by `startTask`, and what was answered to a key. */
      const started: string[] = [];
      const keyed = new Map<string, Set<string>>();
      const lane = async (first: number): Promise<void> => {
        for (let at = first; !over.signal.aborted; at += 1) {
          const node = nodes[at % NODES];
          const dice = random();
          sequence += 1;
          const mark = `m${sequence}`;
          const what = dice < 0.3 ? RUN_SINGLE : dice < 0.75 ? RUN_TRAIL : START_TRAIL;
          const hasKey = what === RUN_TRAIL && dice < 0.5;
          try {
            const { data } = await ask(
              node?.url ?? '',
              what,
              hasKey ? { mark, options: { idempotencyKey: mark } } : { mark },
              { signal: AbortSignal.timeout(20_000) },
            );
            const result = data?.runTask ?? data?.startTask;
            if (data?.startTask?.id !== undefined) started.push(data.startTask.id as string);
            if (hasKey && result?.__typename === 'Run') keyed.set(mark, new Set([result.id as string]));
            if (result?.__typename === 'Run') answers.given += 1;
            else answers.refused += 1;
            if (result?.__typename === 'BudgetExceeded') await sleep(IS_SMALL ? 100 : 20);
          } catch {
            // Its node is gone: what became of the request is in the ledger, or it never came.
            answers.cut += 1;
            if (hasKey) keyed.set(mark, new Set());
            await sleep(20);
          }
        }
      };
      const lanes = Array.from({ length: LANES }, (_, index) => lane(index));
      const watch = (async () => {
        while (!over.signal.aborted) {
          const [sum] = await query(
            address,
            'select coalesce(sum(spent_nano_usd + held_nano_usd), 0)::text as used from budget_windows',
          ).catch(() => []);
          if (sum !== undefined) expect(BigInt(sum['used'] as string)).toBeLessThanOrEqual(nano(LIMIT));
          await sleep(100);
        }
      })();

      const lose = (async () => {
        while (!over.signal.aborted) {
          // Not of one that is being started: it would not start.
          const index = Math.floor(random() * NODES);
          if (index !== restarting) proxies[index]?.loseAnswer();
          await sleep(ANSWER_LOST_EVERY_MS * (0.5 + random()));
        }
      })();

      for (let kill = 1; kill <= KILLS; kill += 1) {
        await sleep(200 + random() * 600);
        const index = Math.floor(random() * NODES);
        const node = nodes[index] as Served;
        if (killDatabase !== undefined && kill % Math.ceil(KILLS / DATABASE_KILLS) === 0) {
          await killDatabase();
          await sleep(2_000);
        }
        if (kill % STOP_EVERY === 0) {
          // It wakes after the others have buried it, and goes by itself. One may have gone already, where the machine let it be silent for too long.
          killQuietly(node.pid, 'SIGSTOP');
          await sleep(SILENCE_MS + 2_000);
          killQuietly(node.pid, 'SIGCONT');
          await sleep(1_500);
        } else if (kill % STILL_EVERY === 0) {
          proxies[index]?.standStill(true);
          await sleep(SILENCE_MS + 2_000);
          proxies[index]?.standStill(false);
          await sleep(1_500);
        }
        restarting = index;
        await node.kill();
        proxies[index]?.loseAnswer(0);
        nodes[index] = await start(index);
        restarting = undefined;
        if (kill % 10 === 0)
          console.info(
            `${kill} kills, ${upstream.calls.length} calls received, ${JSON.stringify(answers)}, ${lost()} answers lost`,
          );
      }
      await sleep(1_000);
      over.abort();
      await Promise.all([...lanes, watch, lose]);

      // What the last one that was killed left is settled by those that live.
      const unsettled = `select count(*)::int as n from runs where finished_at_ms is null`;
      for (let looks = 0; looks < 300; looks += 1) {
        const [row] = await query(address, unsettled);
        if (row?.['n'] === 0) break;
        await sleep(100);
      }
      // Whoever has a key asks again, at another node: what was accepted has one answer, and what never came may be refused for its cost.
      for (const [mark, ids] of [...keyed].slice(-200)) {
        const { data } = await ask(nodes[0]?.url ?? '', RUN_TRAIL, {
          mark,
          options: { idempotencyKey: mark },
        });
        if (data?.runTask?.__typename === 'Run') ids.add(data.runTask.id as string);
        expect(ids.size).toBeLessThanOrEqual(1);
      }
      for (const node of nodes) await node.stop();
      // A node that was taken for dead books what it has paid for, without the receipt: the step was not complete for whoever went on with it.
      const late = new Set((await query(address, LATE)).map(({ id }) => id as string));

      const ledger = openLedgerReader(address);
      const rows = await rowsOf(ledger);
      const report = await ledger.verify();
      await ledger.close();
      expect(report.discrepancies).toEqual([]);
      expectNothingForgotten(upstream, rows);
      const inTime = [...rows.attempts].map(
        ([id, made]) => [id, made.filter((one) => !late.has(one.id))] as const,
      );
      expectNothingTwice({ ...rows, attempts: new Map(inTime) });
      expect(upstream.billedNanoUsd()).toBeLessThanOrEqual(nano(LIMIT));
      expect(rows.runs.filter(({ finishedAtMs }) => finishedAtMs === null)).toEqual([]);
      // What was accepted has gone on, whatever died; it may have been refused for its cost.
      const byId = new Map(rows.runs.map((run) => [run.id, run]));
      const lostRuns = started.filter((id) => {
        const run = byId.get(id);
        return run === undefined || LOST.has(run.error?.code ?? '');
      });
      expect(lostRuns).toEqual([]);
      const all = [...rows.attempts.values()].flat();
      console.info(
        `${KILLS} kills: ${rows.runs.length} runs, ${all.length} attempts, ${upstream.calls.length} calls received, ${started.length} started and ${keyed.size} with a key, ${rows.runs.filter(({ begun }) => begun > 1).length} taken over, ${late.size} settled late, ${all.filter(({ status }) => status === 'unreconciled').length} held as unknown, ${lost()} answers of the database lost; answers ${JSON.stringify(answers)}; billed ${upstream.billedNanoUsd()} of ${nano(LIMIT)}`,
      );
      await upstream.close();
      await Promise.all(proxies.map((each) => each.close()));
    },
  );
});
