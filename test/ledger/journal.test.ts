// The journal: what is written there is written for good, whatever dies before the database has it.
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { crc32 } from 'node:zlib';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { JOURNAL_FORMAT, decodeFrames, encodeFrame } from '../../src/ledger/journal/frames.ts';
import type { Frame } from '../../src/ledger/journal/frames.ts';
import { journalPath } from '../../src/ledger/journal/journal.ts';
import { openLedgerReader } from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/open.ts';
import { createStats } from '../../src/ledger/stats/stats.ts';
import type { Stats } from '../../src/ledger/stats/stats.ts';
import { ledgerPath, openTestLedger } from '../support/ledger-folder.ts';
import { finish, makeAttempt, makeRun, makeStep, settle } from '../support/ledger-records.ts';

/** Frames that follow each other. */
const following = fc
  .tuple(
    fc.integer({ min: 1, max: 1_000_000 }),
    fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.string({ unit: 'binary' }))),
  )
  .map(([start, parts]) => {
    let first = start;
    return parts.map(([operations, text]): Frame => {
      const frame = { first, last: first + operations - 1, text: JSON.stringify(text) };
      first += operations;
      return frame;
    });
  });

describe('frames of the journal', () => {
  it('INV-3: are read as they were written, up to wherever the file was cut', () => {
    fc.assert(
      fc.property(following, fc.nat(), (frames, cut) => {
        const pieces = frames.map(encodeFrame);
        const bytes = Buffer.concat(pieces);
        expect(decodeFrames(bytes, 'j')).toEqual(frames);
        const length = bytes.length === 0 ? 0 : cut % bytes.length;
        let whole = 0;
        for (let end = 0; whole < pieces.length; whole += 1) {
          end += pieces[whole]?.length ?? 0;
          if (end > length) break;
        }
        expect(decodeFrames(bytes.subarray(0, length), 'j')).toEqual(frames.slice(0, whole));
      }),
    );
  });

  it('end where a byte is not what was written, and where an earlier round goes on', () => {
    const frames = [1, 2, 3].map((first): Frame => ({ first, last: first, text: `{"number":${first}}` }));
    const bytes = Buffer.concat(frames.map(encodeFrame));
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      const read = decodeFrames(damaged, 'j');
      expect(read).toEqual(frames.slice(0, read.length));
      expect(read.length).toBeLessThan(3);
    }
    const round = Buffer.concat([encodeFrame({ first: 9, last: 9, text: '{}' }), bytes]);
    expect(decodeFrames(round, 'j').map(({ first }) => first)).toEqual([9]);
  });

  it('of another format are refused with what to do', () => {
    const sum = crc32('{}\n', crc32(`${JOURNAL_FORMAT + 1} 1 1`));
    const bytes = Buffer.from(`headgate-journal ${JOURNAL_FORMAT + 1} 1 1 3 ${sum}\n{}\n`);
    expect(() => decodeFrames(bytes, '/data/headgate.db.journal')).toThrow(
      expect.objectContaining({ code: 'JOURNAL_NEWER', remedy: expect.stringMatching(/Start that version/) }),
    );
  });
});

/** What a process leaves behind that is killed now. */
function leftBehind(path: string): string {
  const copy = ledgerPath();
  for (const suffix of ['', '-wal', '.journal']) {
    if (existsSync(`${path}${suffix}`)) copyFileSync(`${path}${suffix}`, `${copy}${suffix}`);
  }
  return copy;
}

/** A run whose call is under way. */
async function callProvider(ledger: Ledger, name: string): Promise<void> {
  const run = makeRun(`run_${name}`);
  void ledger.openRun(run);
  await ledger.openAttempt(makeAttempt(`att_${name}`, run));
}

describe('a process that dies before the database has what is in its journal', () => {
  it('INV-3: finds each attempt whose promise had resolved, open ones held, closed ones settled with their receipt', async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path);
    await callProvider(ledger, 'open');
    const run = makeRun('run_done');
    const attempt = makeAttempt('att_done', run);
    void ledger.openRun(run);
    await ledger.openAttempt(attempt);
    await ledger.closeAttempt(settle(attempt), makeStep(run.id, 'summary'));
    const copy = leftBehind(path);

    const again = await openTestLedger(copy);
    expect(again.recovered).toMatchObject({ unreconciled: 1 });
    expect((await again.unreconciled()).map(({ id }) => id)).toEqual(['att_open']);
    expect((await again.attemptsOf(['run_done'])).get('run_done')?.[0]?.status).toBe('succeeded');
    expect((await again.receipts('run_done')).size).toBe(1);
    expect([...again.accounts.open()].map(({ attemptId }) => attemptId)).toEqual(['att_open']);
    expect(await again.verify()).toMatchObject({ ok: true, discrepancies: [] });
  });

  it('has it in the answer of a command that only reads, beside no server and beside one', async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path);
    await callProvider(ledger, '1');
    const dead = leftBehind(path);
    for (let time = 0; time < 2; time += 1) {
      const reader = openLedgerReader(dead);
      expect((await reader.attemptsOf(['run_1'])).get('run_1')?.map(({ id }) => id)).toEqual(['att_1']);
      expect(await reader.verify()).toMatchObject({ ok: true, attempts: 1 });
      await reader.close();
      expect(existsSync(journalPath(dead))).toBe(false);
    }
    const beside = openLedgerReader(path);
    expect(await beside.verify()).toMatchObject({ ok: true });
    await beside.close();
    expect(existsSync(journalPath(path))).toBe(true);
    expect((await (await openTestLedger(dead)).unreconciled()).map(({ id }) => id)).toEqual(['att_1']);
  });

  it('applies it once, however often the next one dies too', async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path);
    await callProvider(ledger, '1');
    const dead = leftBehind(path);
    const next = await openTestLedger(dead);
    await callProvider(next, '2');
    const deadAgain = leftBehind(dead);
    const last = await openTestLedger(deadAgain);
    expect((await last.unreconciled()).map(({ id }) => id).sort()).toEqual(['att_1', 'att_2']);
    expect(await last.verify()).toMatchObject({ ok: true, attempts: 2 });
  });

  it('applies nothing of it twice where the database has it and the file was left', async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path);
    await callProvider(ledger, '1');
    const journal = readFileSync(journalPath(path));
    expect(journal.length).toBeGreaterThan(0);
    await ledger.close();
    expect(existsSync(journalPath(path))).toBe(false);
    writeFileSync(journalPath(path), journal);
    const again = await openTestLedger(path);
    expect(await again.verify()).toMatchObject({ ok: true, attempts: 1 });
    expect((await again.runs({}, { limit: 10 })).rows.length).toBe(1);
  });

  it('leaves a journal aside that goes on where the database does not end, and says so', async () => {
    const path = ledgerPath();
    await (await openTestLedger(path)).close();
    const older = ledgerPath();
    copyFileSync(path, older);
    const ledger = await openTestLedger(path);
    await callProvider(ledger, '1');
    await ledger.run('run_1');
    await callProvider(ledger, '2');
    copyFileSync(journalPath(path), journalPath(older));
    const warned = once(process, 'warning');
    const restored = await openTestLedger(older, { writer: 'inline' });
    expect((await warned)[0]).toMatchObject({ code: 'JOURNAL_UNMATCHED' });
    expect(existsSync(`${journalPath(older)}.unmatched`)).toBe(true);
    expect((await restored.runs({}, { limit: 10 })).rows).toEqual([]);
  });
});

describe('statistics', () => {
  it(
    'INV-1: count what is journaled once, whether they begin before, while or after the database gets it',
    { timeout: 30_000 },
    async () => {
      const path = ledgerPath();
      const ledger = await openTestLedger(path);
      const spend = async (name: string): Promise<void> => {
        const run = makeRun(`run_${name}`, { startedAtMs: Date.now() });
        const attempt = makeAttempt(`att_${name}`, run, { startedAtMs: Date.now() });
        void ledger.openRun(run);
        await ledger.openAttempt(attempt);
        await ledger.closeAttempt(settle(attempt), null);
      };
      const attempts = async (stats: Stats): Promise<number> =>
        (await stats.costStats({ window: 'DAY', by: [] })).total.attempts;
      const early = createStats({ ledger, clock: systemClock });
      await spend('1');
      expect(await attempts(early)).toBe(1);
      await ledger.run('run_1');
      const other = new DatabaseSync(path, { timeout: 5_000 });
      other.exec('begin immediate');
      await spend('2');
      const late = createStats({ ledger, clock: systemClock });
      expect([await attempts(early), await attempts(late)]).toEqual([2, 2]);
      // The database refuses it, and takes it later.
      await ledger.verify();
      expect(ledger.health().ok).toBe(false);
      const later = createStats({ ledger, clock: systemClock });
      expect(await attempts(later)).toBe(2);
      other.exec('rollback');
      other.close();
      await ledger.finishRun(finish(makeRun('run_1')));
      await ledger.verify();
      expect(ledger.health()).toMatchObject({ ok: true, backlog: 0 });
      const last = createStats({ ledger, clock: systemClock });
      for (const stats of [early, late, later, last]) expect(await attempts(stats)).toBe(2);
    },
  );
});

describe('texts of a task that does not keep them', () => {
  it('are in no file but the database, which reduces them, also where others are journaled', async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path);
    await ledger.openRun(makeRun('run_kept', { input: { text: 'to be kept' } }));
    expect(readFileSync(journalPath(path), 'utf8')).toContain('to be kept');

    const run = makeRun('run_secret', { input: { text: 'a secret in' }, confidential: true });
    const attempt = makeAttempt('att_secret', run);
    await ledger.openRun(run);
    await ledger.openAttempt(attempt);
    await ledger.closeAttempt(settle(attempt), makeStep(run.id, 'one', { output: 'a secret step' }));
    await ledger.recordStep(makeStep(run.id, 'two', { output: 'a secret step' }));
    await ledger.finishRun(finish(run, { output: 'a secret out' }));
    expect(readFileSync(journalPath(path), 'utf8')).not.toContain('a secret');
    expect((await ledger.run('run_secret'))?.status).toBe('succeeded');
  });
});
