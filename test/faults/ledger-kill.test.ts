// A process killed while it spends: nothing that may have been billed is missing, nothing is counted twice.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/common/random.ts';
import type { Ledger } from '../../src/ledger/open.ts';
import { ledgerPath, openTestLedger } from '../support/ledger-folder.ts';

const CHILD = fileURLToPath(new URL('../support/ledger-child.ts', import.meta.url));
/** The full size is 200: `HEADGATE_KILLS=200`. */
const KILLS = Number(process.env['HEADGATE_KILLS'] ?? '4');

interface Said {
  readonly billed: readonly string[];
  readonly done: readonly string[];
}

/** Starts the child on the database and kills it once it has said so many lines. */
async function killAfter(path: string, generation: number, lines: number): Promise<Said> {
  const child = spawn(process.execPath, [CHILD, path, String(generation)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: [string, string][] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [word = '', id = ''] = line.split(' ');
    expect(word).not.toBe('failed');
    said.push([word, id]);
    if (said.length === lines) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  const of = (word: string): string[] => said.filter(([each]) => each === word).map(([, id]) => id);
  return { billed: of('billed'), done: of('done') };
}

async function checkNothingLost(ledger: Ledger, said: Said): Promise<void> {
  const runIds = said.billed.map((id) => id.replace('att_', 'run_'));
  const attempts = await ledger.attemptsOf(runIds);
  const steps = await ledger.stepsOf(said.done);
  const unreconciled = new Set((await ledger.unreconciled()).map(({ id }) => id));
  for (const id of said.billed) {
    const [attempt] = attempts.get(id.replace('att_', 'run_')) ?? [];
    expect(attempt?.id).toBe(id);
    expect(attempt?.status === 'succeeded' || unreconciled.has(id)).toBe(true);
  }
  for (const id of said.done) {
    expect(attempts.get(id)?.[0]?.status).toBe('succeeded');
    expect(steps.get(id)?.length).toBe(1);
  }
}

describe('a process killed at any instant', () => {
  it(
    'INV-3: has every attempt that may have been billed in the ledger, and all sums agree',
    { timeout: 600_000 },
    async () => {
      const path = ledgerPath();
      const random = seededRandom(7);
      for (let generation = 0; generation < KILLS; generation += 1) {
        const said = await killAfter(path, generation, 2 + Math.floor(random() * 300));
        const ledger = await openTestLedger(path);
        await checkNothingLost(ledger, said);
        expect(await ledger.verify()).toMatchObject({ ok: true, discrepancies: [] });
        const held = (await ledger.unreconciled()).reduce((sum, { heldNanoUsd }) => sum + heldNanoUsd, 0n);
        const open = [...ledger.accounts.open()].reduce((sum, { worst }) => sum + worst.costNanoUsd, 0n);
        expect(open).toBe(held);
        // One half is confirmed, the other released, so that later generations start from both.
        for (const [index, attempt] of (await ledger.unreconciled()).entries())
          await ledger.reconcile(attempt.id, { kind: index % 2 === 0 ? 'confirm' : 'release' });
        expect(await ledger.verify()).toMatchObject({ ok: true, discrepancies: [] });
        await ledger.close();
      }
    },
  );
});
