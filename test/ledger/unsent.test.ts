// What a killed process leaves of the attempts whose rows were written and whose requests were not.
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnsentAttempts, readUnsent, unsentPath } from '../../src/ledger/journal/unsent.ts';
import { ledgerPath, openTestLedger } from '../support/ledger-folder.ts';

/** Opens one attempt that it may send, and dies while the other one is being written. */
const PROGRAM = `
(async () => {
  const { openLedger } = await import(process.argv[1]);
  const { makeAttempt, makeRun } = await import(process.argv[2]);
  const { systemClock } = await import(process.argv[3]);
  const ledger = await openLedger({ path: process.argv[4], synchronous: 'full', clock: systemClock });
  const run = makeRun('run_1');
  await ledger.openRun(run);
  await ledger.openAttempt(makeAttempt('att_sent', run));
  void ledger.openAttempt(makeAttempt('att_unsent', run));
  process.kill(process.pid, 'SIGKILL');
})();
`;

const urlOf = (path: string): string => new URL(path, import.meta.url).href;

function killed(): string {
  const path = ledgerPath();
  const { signal } = spawnSync(process.execPath, [
    '-e',
    PROGRAM,
    urlOf('../../src/ledger/open.ts'),
    urlOf('../support/ledger-records.ts'),
    urlOf('../../src/common/clock.ts'),
    path,
  ]);
  expect(signal).toBe('SIGKILL');
  return path;
}

describe.skipIf(process.platform !== 'linux')('attempts that were written and not sent', () => {
  it('INV-3: hold nothing after a kill, beside those that may have been sent', async () => {
    const path = killed();
    expect(readUnsent(path)).toEqual(['att_unsent']);
    const ledger = await openTestLedger(path);
    expect(ledger.recovered).toMatchObject({ unreconciled: 1, heldNanoUsd: 5_000_000n });
    const attempts = (await ledger.attemptsOf(['run_1'])).get('run_1') ?? [];
    expect(attempts.map(({ id, status, costNanoUsd }) => ({ id, status, costNanoUsd }))).toEqual([
      { id: 'att_sent', status: 'unreconciled', costNanoUsd: 0n },
      { id: 'att_unsent', status: 'cancelled', costNanoUsd: 0n },
    ]);
    expect([...ledger.accounts.open()].map(({ attemptId }) => attemptId)).toEqual(['att_sent']);
    expect(await ledger.verify()).toMatchObject({ ok: true, discrepancies: [] });
    await ledger.close();
    expect(readUnsent(path)).toEqual([]);
  });

  it('INV-3: are held where the list is of another boot, or a copy, or gone', async () => {
    const path = killed();
    const list = readFileSync(unsentPath(path), 'latin1');
    writeFileSync(unsentPath(path), list.replace(/ [\da-f]{8}-/, ' 00000000-'));
    expect(readUnsent(path)).toEqual([]);
    writeFileSync(unsentPath(path), list);
    expect(readUnsent(path)).toEqual(['att_unsent']);
    const copy = ledgerPath();
    copyFileSync(unsentPath(path), unsentPath(copy));
    expect(readUnsent(copy)).toEqual([]);
    rmSync(unsentPath(path));
    const ledger = await openTestLedger(path);
    expect(ledger.recovered).toMatchObject({ unreconciled: 2, heldNanoUsd: 10_000_000n });
  });

  it('are listed until each is taken off, in places that are used again', () => {
    const path = ledgerPath();
    const unsent = new UnsentAttempts(path);
    const places = ['att_1', 'att_2', 'att_3'].map((id) => unsent.list(id) ?? -1);
    expect(readUnsent(path)).toEqual([]);
    unsent.write();
    expect(readUnsent(path)).toEqual(['att_1', 'att_2', 'att_3']);
    unsent.takeOff(places[1] ?? -1);
    unsent.write();
    expect(readUnsent(path)).toEqual(['att_1', 'att_3']);
    expect(unsent.list('att_4')).toBe(places[1]);
    unsent.write();
    expect(readUnsent(path)).toEqual(['att_1', 'att_4', 'att_3']);
    expect(unsent.list('an id that does not fit into a place')).toBeUndefined();
    unsent.close();
    expect(readUnsent(path)).toEqual([]);
  });

  it('are told whatever is listed and taken off in a turn, and however many', () => {
    const change = fc.record({ list: fc.nat(120), takeOff: fc.nat(120) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (turns) => {
        const path = ledgerPath();
        const unsent = new UnsentAttempts(path);
        const listed = new Map<string, number>();
        let made = 0;
        for (const { list, takeOff } of turns) {
          for (let times = 0; times < list; times += 1) {
            const id = `att_${(made += 1)}`;
            listed.set(id, unsent.list(id) ?? -1);
          }
          for (const [id, place] of [...listed].slice(0, takeOff)) {
            unsent.takeOff(place);
            listed.delete(id);
          }
          unsent.write();
          expect(readUnsent(path).toSorted()).toEqual([...listed.keys()].toSorted());
        }
        unsent.close();
      }),
      { numRuns: 25 },
    );
  });
});
