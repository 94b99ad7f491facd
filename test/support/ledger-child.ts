// A process that spends through a ledger until it is killed: a line on stdout for each thing that surely happened, written before going on.
import { writeSync } from 'node:fs';
import { systemClock } from '../../src/common/clock.ts';
import { openLedger } from '../../src/ledger/open.ts';
import { finish, makeAttempt, makeRun, makeStep, settle } from './ledger-records.ts';

const [path = '', generation = '0', lanes = '8'] = process.argv.slice(2);
const ledger = await openLedger({ path, synchronous: 'normal', clock: systemClock });

/** Not through a stream: what was said must be out before the process can die. */
function say(...words: readonly string[]): void {
  const line = `${words.join(' ')}\n`;
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      // The pipe is full: whoever reads it is slower than we are. A line is shorter than what a pipe takes at once.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
}

async function lane(number: number): Promise<never> {
  for (let count = 0; ; count += 1) {
    const id = `${generation}_${number}_${count}`;
    const run = makeRun(`run_${id}`, { startedAtMs: systemClock.nowMs() });
    ledger.openRun(run).catch(fail);
    const attempt = makeAttempt(`att_${id}`, run, {
      heldNanoUsd: BigInt(1_000 + count),
      postings: [
        { budgetId: 'company', account: '', windowStartMs: 60_000 },
        { budgetId: 'lane', account: String(number), windowStartMs: 60_000 },
      ],
    });
    await ledger.openAttempt(attempt);
    // From here on a provider would bill.
    say('billed', attempt.id);
    await new Promise((resolve) => setImmediate(resolve));
    ledger.closeAttempt(settle(attempt), makeStep(run.id, 'summary')).catch(fail);
    await ledger.finishRun(finish(run, { costNanoUsd: 3_000_000n }));
    say('done', run.id);
  }
}

function fail(error: unknown): never {
  say('failed', String(error));
  process.exit(1);
}

say('ready');
await Promise.all(Array.from({ length: Number(lanes) }, (_, number) => lane(number).catch(fail)));
