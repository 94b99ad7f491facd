// The journal: what is written there is written for good, whatever dies before the database has it.
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { crc32 } from 'node:zlib';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { encodeFrame, journalPath, readJournal } from '../../src/ledger/journal/journal.ts';
import type { Frame } from '../../src/ledger/journal/journal.ts';
import { openLedgerReader, repairLedger } from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/open.ts';
import { encodeBatch } from '../../src/ledger/sqlite/batch-text.ts';
import { closeAttempt, openAttempt, openRun } from '../../src/ledger/sqlite/operations.ts';
import type { Operation } from '../../src/ledger/sqlite/operations.ts';
import { createStats } from '../../src/ledger/stats/stats.ts';
import type { Stats } from '../../src/ledger/stats/stats.ts';
import { damageJournal, ledgerPath, leftBehind, openTestLedger } from '../support/ledger-folder.ts';
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
      const frame = { first, last: first + operations - 1, text: JSON.stringify({ text }) };
      first += operations;
      return frame;
    });
  });

/** As one round of the journal has them. */
function encoded(frames: readonly Frame[]): Buffer[] {
  let previous = 0;
  return frames.map((frame) => {
    const { bytes, sum } = encodeFrame(frame, previous);
    previous = sum;
    return bytes;
  });
}

const three = [1, 2, 3].map((first): Frame => ({ first, last: first, text: `{"number":${first}}` }));

describe('frames of the journal', () => {
  it('INV-3: are read as they were written, up to wherever the file was cut, and a cut is no damage', () => {
    fc.assert(
      fc.property(following, fc.nat(), (frames, cut) => {
        const pieces = encoded(frames);
        const bytes = Buffer.concat(pieces);
        expect(readJournal(bytes, 0)).toMatchObject({ frames, damaged: [] });
        const length = bytes.length === 0 ? 0 : cut % bytes.length;
        const read = readJournal(bytes.subarray(0, length), 0);
        expect(read).toMatchObject({ frames: frames.slice(0, read.frames.length), damaged: [] });
        const whole = pieces.slice(0, read.frames.length + 1).reduce((sum, piece) => sum + piece.length, 0);
        expect(whole).toBeGreaterThanOrEqual(length);
      }),
    );
  });

  it('INV-3: are damaged wherever a byte is not what was written, and the others are read', () => {
    const bytes = Buffer.concat(encoded(three));
    for (let at = 0; at < bytes.length; at += 1) {
      for (const bit of [1, 32]) {
        const broken = Buffer.from(bytes);
        broken[at] = (broken[at] ?? 0) ^ bit;
        const { frames, damaged } = readJournal(broken, 0);
        // Only the line that ends a frame may be damaged without loss.
        expect({ at, ok: frames.length === 3 || damaged.length === 1 }).toEqual({ at, ok: true });
        expect(three).toEqual(expect.arrayContaining([...frames]));
        expect(frames.length).toBeGreaterThanOrEqual(2);
      }
    }
  });

  it('are damaged where one is missing, or stands in the place of another', () => {
    const [one, two, last] = encoded(three) as [Buffer, Buffer, Buffer];
    expect(readJournal(Buffer.concat([one, last]), 0).damaged).toHaveLength(1);
    const [, other] = encoded(three.map((frame) => ({ ...frame, text: '{}' }))) as [Buffer, Buffer];
    const swapped = readJournal(Buffer.concat([one, other, last]), 0);
    expect(swapped.damaged).toHaveLength(1);
    expect(two).not.toEqual(other);
  });

  it('end where an earlier round goes on, whole or damaged, and where a kill cut one over it', () => {
    const earlier = Buffer.concat(encoded(three));
    const [frame] = encoded([{ first: 9, last: 9, text: '{"a":1}' }]) as [Buffer];
    for (const length of [frame.length, frame.length - 3, 30, 5]) {
      const bytes = Buffer.concat([frame.subarray(0, length), earlier.subarray(length)]);
      const { frames, damaged } = readJournal(bytes, 8);
      expect({ length, damaged }).toEqual({ length, damaged: [] });
      expect(frames.filter(({ last }) => last > 8).length).toBe(length >= frame.length - 3 ? 1 : 0);
    }
  });

  it('of which the database has all are damaged without harm', () => {
    const bytes = Buffer.concat(encoded(three));
    bytes[30] = 0;
    expect(readJournal(bytes, 3)).toMatchObject({ frames: [], damaged: [] });
    expect(readJournal(bytes, 2)).toMatchObject({ damaged: [{ fromByte: 0 }] });
  });

  it('of another format are told from damaged ones', () => {
    const sum = crc32('{}\n', crc32('2 1 1'));
    expect(readJournal(Buffer.from(`headgate-journal 2 1 1 3 ${sum}\n{}\n`), 0).otherFormat).toBe(2);
    expect(readJournal(Buffer.from('something else'), 0)).toMatchObject({ newest: null, otherFormat: null });
  });
});

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

  it('leaves a journal aside that goes on where the database does not end, and raises an alert', async () => {
    const path = ledgerPath();
    await (await openTestLedger(path)).close();
    const older = ledgerPath();
    copyFileSync(path, older);
    const ledger = await openTestLedger(path);
    await callProvider(ledger, '1');
    await ledger.run('run_1');
    await callProvider(ledger, '2');
    copyFileSync(journalPath(path), journalPath(older));
    const restored = await openTestLedger(older);
    expect((await restored.alerts({ limit: 10 })).rows).toMatchObject([
      { kind: 'ledger_set_aside', severity: 'critical' },
    ]);
    expect(existsSync(`${journalPath(older)}.unmatched`)).toBe(true);
    expect((await restored.runs({}, { limit: 10 })).rows).toEqual([]);
  });

  it('INV-3: sets aside an operation that cannot be carried out, and takes up all others', async () => {
    const path = ledgerPath();
    await (await openTestLedger(path)).close();
    const run = makeRun('run_1');
    const attempt = makeAttempt('att_1', run);
    const stem = '["summarize","ana","","openai","gpt-5.6-luna","plan-1","{}"';
    const enormous = { ...openAttempt(makeAttempt('att_2', run), '[]', stem), rates: null };
    const impossible = [
      closeAttempt(settle(makeAttempt('att_none', run)), null, null, false),
      { kind: 'nothing that is known' },
      enormous,
    ] as unknown as Operation[];
    const operations = [openRun(run), openAttempt(attempt, '[]', stem), ...impossible];
    operations.push(closeAttempt(settle(attempt), null, null, false));
    const text = encodeBatch({ first: 1, last: operations.length, operations, journaled: true });
    const frame = { first: 1, last: operations.length, text };
    writeFileSync(journalPath(path), encodeFrame(frame, 0).bytes);

    const ledger = await openTestLedger(path);
    expect((await ledger.attemptsOf(['run_1'])).get('run_1')).toMatchObject([
      { id: 'att_1', status: 'succeeded' },
    ]);
    expect(await ledger.verify()).toMatchObject({ ok: true, attempts: 1 });
    expect(ledger.recovered.journal.setAside.map(({ number }) => number)).toEqual([3, 4, 5]);
    expect(ledger.recoveryAlerts).toMatchObject([{ kind: 'ledger_set_aside', severity: 'critical' }]);
    expect((await ledger.alerts({ limit: 10 })).rows).toHaveLength(1);
    const kept = readFileSync(`${path}.set-aside`, 'utf8').trim().split('\n');
    expect(kept.map((line) => (JSON.parse(line) as { what: string }).what)).toEqual([
      'closeAttempt att_none',
      'nothing that is known',
      'openAttempt att_2',
    ]);
    await ledger.close();
    expect((await openTestLedger(path)).recoveryAlerts).toEqual([]);
  });
});

describe('a journal that is damaged', () => {
  /** Three frames that the tables do not have: a run with its call, the call's end, another run with its call. */
  async function leftDamaged(byteOf: (text: string) => number): Promise<string> {
    const path = ledgerPath();
    const ledger = await openTestLedger(path);
    const run = makeRun('run_1');
    const attempt = makeAttempt('att_1', run);
    void ledger.openRun(run);
    await ledger.openAttempt(attempt);
    await ledger.closeAttempt(settle(attempt), null);
    await callProvider(ledger, '2');
    const dead = leftBehind(path);
    damageJournal(dead, byteOf);
    return dead;
  }

  it('INV-3: stops the start, which changes nothing and names the command that goes on', async () => {
    const path = await leftDamaged((text) => text.indexOf('closeAttempt'));
    const before = readFileSync(journalPath(path));
    for (let time = 0; time < 2; time += 1)
      await expect(openTestLedger(path)).rejects.toMatchObject({
        code: 'JOURNAL_DAMAGED',
        message: expect.stringContaining('operation 3'),
        remedy: expect.stringContaining('headgate ledger repair'),
      });
    expect(readFileSync(journalPath(path))).toEqual(before);
  });

  it('INV-3: is repaired by going on without the damaged part, which is listed; what it held open stays held', async () => {
    const path = await leftDamaged((text) => text.indexOf('"succeeded"'));
    const repaired = await repairLedger(path, systemClock);
    expect(repaired).toMatchObject({ lost: [{ from: 3, to: 3 }], named: ['att_1'], committed: 4 });
    expect(existsSync(repaired?.path ?? '')).toBe(true);
    expect(await repairLedger(path, systemClock)).toBeNull();
    const ledger = await openTestLedger(path);
    expect((await ledger.unreconciled()).map(({ id }) => id).sort()).toEqual(['att_1', 'att_2']);
    expect((await ledger.alerts({ limit: 10 })).rows.map(({ kind }) => kind).sort()).toEqual([
      'ledger_repaired',
      'unreconciled',
    ]);
    expect(await ledger.verify()).toMatchObject({ ok: true });
  });

  it('INV-3: is told also where the damage is in its last frame, in its first, or in a line between', async () => {
    for (const byteOf of [
      (text: string): number => text.lastIndexOf('att_2'),
      (text: string): number => text.lastIndexOf('headgate-journal'),
      (text: string): number => text.indexOf('headgate-journal'),
      (text: string): number => text.indexOf('run_1'),
    ]) {
      const path = await leftDamaged(byteOf);
      await expect(openTestLedger(path)).rejects.toMatchObject({ code: 'JOURNAL_DAMAGED' });
      expect((await repairLedger(path, systemClock))?.committed).toBeGreaterThanOrEqual(1);
      const ledger = await openTestLedger(path);
      expect(await ledger.verify()).toMatchObject({ ok: true });
      await ledger.close();
    }
  });

  it('is told from one whose end a kill cut off: that one is taken up to there', async () => {
    const path = await leftDamaged((text) => text.lastIndexOf('att_2'));
    const bytes = readFileSync(journalPath(path));
    writeFileSync(journalPath(path), bytes.subarray(0, bytes.length - 40));
    const ledger = await openTestLedger(path);
    expect((await ledger.runs({}, { limit: 10 })).rows.map(({ id }) => id)).toEqual(['run_1']);
    expect(ledger.recoveryAlerts).toEqual([]);
  });

  it('has a command that only reads answer from the tables, with a warning that names it', async () => {
    const path = await leftDamaged((text) => text.indexOf('closeAttempt'));
    const warned = once(process, 'warning');
    const reader = openLedgerReader(path);
    expect((await reader.runs({}, { limit: 10 })).rows).toEqual([]);
    expect((await warned)[0]).toMatchObject({
      code: 'JOURNAL_DAMAGED',
      message: expect.stringContaining('headgate ledger repair'),
    });
    await reader.close();
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

  it('are not waited for where there are none: such a run is journaled as any other', async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path);
    const run = makeRun('run_hashed', { input: {}, confidential: true });
    const attempt = makeAttempt('att_hashed', run);
    await ledger.openRun(run);
    await ledger.openAttempt(attempt);
    await ledger.closeAttempt(settle(attempt), makeStep(run.id, 'one', { output: null }));
    await ledger.finishRun(finish(run, { output: null }));
    const journaled = readFileSync(journalPath(path), 'utf8');
    for (const kind of ['openRun', 'openAttempt', 'closeAttempt', 'finishRun'])
      expect(journaled).toContain(`"kind":"${kind}"`);
  });
});
