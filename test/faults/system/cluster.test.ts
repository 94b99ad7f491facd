// Three nodes over one PostgreSQL, killed, stopped for a while and started again under load, with the model server outside counting what it answered.
// `npm run test:cluster` does it 200 times.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/common/random.ts';
import { openLedgerReader } from '../../../src/ledger/open.ts';
import { startCountingUpstream } from '../../support/counting-upstream.ts';
import { emptyDatabase, hasPostgres, query } from '../../support/postgres.ts';
import type { Served } from '../../support/served.ts';
import {
  RUN_SINGLE,
  RUN_TRAIL,
  START_TRAIL,
  ask,
  expectNothingForgotten,
  expectNothingTwice,
  nano,
  rowsOf,
  serveFor,
  temporary,
  workflowFolder,
} from './support.ts';

const KILLS = Number(process.env['HEADGATE_KILLS'] ?? 1);
const SEED = Number(process.env['HEADGATE_SEED'] ?? 20_261_128);
/** Of KILLS, so many are a SIGSTOP for longer than a node may be silent; and connections are ended so often. */
const SILENCE_MS = KILLS < 10 ? 6_000 : 3_000;
const STOP_EVERY = 10;
const CUT_EVERY = 40;
const NODES = 3;
const LANES = 6;
/** Enough for a part of what is asked, so that the last of it is fought over. */
const LIMIT = KILLS < 10 ? '$0.03' : '$2';

describe.skipIf(!hasPostgres)('three nodes', () => {
  it(
    `killed ${KILLS} times: INV-2 nothing beyond the limit, INV-3 nothing billed is forgotten, INV-5 nothing completed is called again`,
    { timeout: 120_000 + KILLS * 20_000 },
    async () => {
      const random = seededRandom(SEED);
      const upstream = await startCountingUpstream({ random });
      // A machine that is busy with other tests lets a process wait for longer than a node may be silent.
      const address = `${await emptyDatabase()}&silence=${SILENCE_MS}`;
      const workflows = workflowFolder({
        budgets: [`company: { limit: ${LIMIT}, per: month, then: reject }`],
      });
      const start = (): Promise<Served> =>
        serveFor(upstream, {
          dataDirectory: temporary('headgate-cluster-'),
          env: { HEADGATE_DATABASE: address },
          flags: ['--workflows', workflows, '--no-watch'],
        });
      // One after the other: the first makes the tables.
      const nodes: Served[] = [await start()];
      nodes.push(...(await Promise.all(Array.from({ length: NODES - 1 }, start))));

      let sequence = 0;
      const over = new AbortController();
      const answers = { given: 0, refused: 0, cut: 0 };
      const lane = async (first: number): Promise<void> => {
        for (let at = first; !over.signal.aborted; at += 1) {
          const node = nodes[at % NODES];
          const dice = random();
          sequence += 1;
          const mark = `m${sequence}`;
          const what = dice < 0.4 ? RUN_SINGLE : dice < 0.8 ? RUN_TRAIL : START_TRAIL;
          try {
            const { data } = await ask(
              node?.url ?? '',
              what,
              { mark },
              { signal: AbortSignal.timeout(20_000) },
            );
            const result = data?.runTask ?? data?.startTask;
            if (result?.__typename === 'Run') answers.given += 1;
            else answers.refused += 1;
            if (result?.__typename === 'BudgetExceeded') await sleep(20);
          } catch {
            // Its node is gone: what became of the request is in the ledger, or it never came.
            answers.cut += 1;
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

      for (let kill = 1; kill <= KILLS; kill += 1) {
        await sleep(200 + random() * 600);
        const index = Math.floor(random() * NODES);
        const node = nodes[index] as Served;
        if (kill % CUT_EVERY === 0)
          await query(
            address,
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'headgate'",
          );
        if (kill % STOP_EVERY === 0) {
          // It wakes after the others have buried it, and goes by itself.
          process.kill(node.pid, 'SIGSTOP');
          await sleep(SILENCE_MS + 2_000);
          process.kill(node.pid, 'SIGCONT');
          await sleep(1_500);
        }
        await node.kill();
        nodes[index] = await start();
        if (kill % 20 === 0) console.info(`${kill} kills, ${upstream.calls.length} calls received`);
      }
      await sleep(1_000);
      over.abort();
      await Promise.all([...lanes, watch]);

      // What the last one that was killed left is settled by those that live.
      const unsettled = `select count(*)::int as n from runs where finished_at_ms is null`;
      for (let looks = 0; looks < 300; looks += 1) {
        const [row] = await query(address, unsettled);
        if (row?.['n'] === 0) break;
        await sleep(100);
      }
      for (const node of nodes) await node.stop();

      const ledger = openLedgerReader(address);
      const rows = await rowsOf(ledger);
      const report = await ledger.verify();
      await ledger.close();
      expect(report.discrepancies).toEqual([]);
      expectNothingForgotten(upstream, rows);
      expectNothingTwice(rows);
      expect(upstream.billedNanoUsd()).toBeLessThanOrEqual(nano(LIMIT));
      expect(rows.runs.filter(({ finishedAtMs }) => finishedAtMs === null)).toEqual([]);
      const all = [...rows.attempts.values()].flat();
      console.info(
        `${KILLS} kills: ${rows.runs.length} runs, ${all.length} attempts, ${upstream.calls.length} calls received, ${all.filter(({ status }) => status === 'unreconciled').length} held as unknown; answers ${JSON.stringify(answers)}; billed ${upstream.billedNanoUsd()} of ${nano(LIMIT)}`,
      );
      await upstream.close();
    },
  );
});
