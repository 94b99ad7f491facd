// The write queue against a writer that does as it is told: what is promised when a transaction fails, or the writer is gone.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/common/clock.ts';
import { HeadgateError } from '../../src/errors/headgate-error.ts';
import { LedgerUnavailable } from '../../src/errors/ledger-unavailable.ts';
import type { WrittenRow } from '../../src/ledger/port.ts';
import { Journal, journalPath, readJournal } from '../../src/ledger/journal/journal.ts';
import { decodeBatch } from '../../src/ledger/sqlite/batch-text.ts';
import type { Operation } from '../../src/ledger/sqlite/operations.ts';
import { UNCHANGED } from '../../src/ledger/sqlite/unchanged.ts';
import { WriteQueue } from '../../src/ledger/sqlite/write-queue.ts';
import type { Acknowledgement, Batch, RefusedOperation } from '../../src/ledger/sqlite/writer.ts';
import type { WriterHost } from '../../src/ledger/sqlite/writer-host.ts';
import { ledgerPath } from '../support/ledger-folder.ts';
import { makeAttempt, makeRun, settle } from '../support/ledger-records.ts';

const FULL = { code: 'DISK_FULL', message: 'The disk is full.', remedy: 'Free some space.' };
const PROBE: Operation = { kind: 'probe' };
/** Any operation, told from the others by a number. */
const touch = (value: number): Operation => ({ kind: 'touchApiKey', id: 'key_1', atMs: value });
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const run = makeRun('run_1');
const closed: WrittenRow = { kind: 'attempt_closed', attempt: settle(makeAttempt('att_1', run)) };
const opened: WrittenRow = { kind: 'run_opened', run };

function setUp(
  journal: Journal | null = null,
  { isElsewhere = false, ...far }: Pick<WriterHost, 'gatherMs'> & { readonly isElsewhere?: boolean } = {},
): {
  queue: WriteQueue;
  host: WriterHost;
  sent: Batch[];
  seen: WrittenRow[];
  setAside: RefusedOperation[];
  acknowledge: (fields?: Partial<Acknowledgement>) => void;
  lose: () => void;
  passTime: () => void;
} {
  const sent: Batch[] = [];
  const seen: WrittenRow[] = [];
  const setAside: RefusedOperation[] = [];
  const timers: (() => void)[] = [];
  let onAcknowledgement: (acknowledgement: Acknowledgement) => void = () => {};
  let onLost: (reason: string) => void = () => {};
  const host: WriterHost = {
    ...far,
    recovered: {
      unreconciled: 0,
      heldNanoUsd: 0n,
      interrupted: 0,
      journal: { setAside: [], unmatched: null },
    },
    lastOperation: 0,
    send: (batches) => void sent.push(...batches.map(decodeBatch)),
    ...(isElsewhere ? { take: (batch) => void sent.push(batch) } : {}),
    listen(acknowledged, lost) {
      onAcknowledgement = acknowledged;
      onLost = lost;
    },
    close: () => Promise.resolve(),
  };
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    after(_delayMs, callback) {
      timers.push(callback);
      return () => void timers.splice(timers.indexOf(callback), 1);
    },
  };
  const queue = new WriteQueue(
    host,
    clock,
    (rows) => void seen.push(...rows),
    journal,
    (refused) => void setAside.push(...refused),
  );
  const lastSent = (): number => Math.max(0, ...sent.map(({ last }) => last));
  return {
    queue,
    host,
    sent,
    seen,
    setAside,
    acknowledge: (fields = {}) =>
      onAcknowledgement({ last: lastSent(), failure: null, refused: [], answers: [], ...fields }),
    lose: () => onLost('it crashed'),
    passTime: () => timers.splice(0).forEach((timer) => timer()),
  };
}

describe('the write queue', () => {
  it('of a database of other processes sends what waits before it tells those whose rows are written, and tells them in order', async () => {
    const { queue, sent, seen, acknowledge } = setUp(null, { isElsewhere: true });
    void queue.commit(() => touch(1), opened);
    await turn();
    void queue.commit(() => touch(2), closed);
    acknowledge();
    expect(sent.map(({ first }) => first)).toEqual([1, 2]);
    expect(seen).toEqual([]);
    const flushed = queue.flushed();
    // Also where the second answer comes at once.
    acknowledge();
    expect(seen).toEqual([opened, closed]);
    await flushed;
    await turn();
    expect(seen).toEqual([opened, closed]);
  });

  it('of a database that is far away sends what nobody waits for with what somebody does, or with a question, or after a moment', async () => {
    const { queue, sent, acknowledge } = setUp(null, { gatherMs: 60_000 });
    const values = (): unknown[] =>
      sent.map(({ operations }) => operations.map((each) => 'atMs' in each && each.atMs));
    void queue.write(() => touch(1), closed);
    await turn();
    expect(values()).toEqual([]);
    void queue.writeNow(() => touch(2), null);
    expect(values()).toEqual([[1, 2]]);
    acknowledge();
    void queue.write(() => touch(3), closed);
    const flushed = queue.flushed();
    expect(values()).toEqual([[1, 2], [3]]);
    acknowledge();
    await flushed;
    void queue.write(() => touch(4), closed);
    void queue.commit(() => touch(5), null);
    await turn();
    expect(values().at(-1)).toEqual([4, 5]);
    // What comes while a batch is under way, and is waited for, goes as soon as that is answered.
    void queue.write(() => touch(6), closed);
    void queue.writeNow(() => touch(7), null);
    expect(values()).toHaveLength(3);
    acknowledge();
    await turn();
    expect(values().at(-1)).toEqual([6, 7]);
    acknowledge();

    const soon = setUp(null, { gatherMs: 1 });
    const written = soon.queue.write(() => touch(8), closed);
    while (soon.sent.length === 0) await turn();
    soon.acknowledge();
    await written;
  });

  it('sends what one turn of the event loop asks for as one batch, and announces it once it is written', async () => {
    const { queue, sent, seen, acknowledge } = setUp();
    const writes = [1, 2, 3].map((value) => queue.write(() => touch(value), value === 2 ? opened : null));
    expect(sent).toEqual([]);
    await turn();
    expect(sent).toEqual([{ first: 1, last: 3, operations: [1, 2, 3].map(touch), journaled: false }]);
    expect(seen).toEqual([]);
    acknowledge();
    await Promise.all(writes);
    expect(seen).toEqual([opened]);
    expect(queue.health()).toMatchObject({ backlog: 0, commits: 1, failure: null });
  });

  it('tells all of a failed transaction, and announces none of it', async () => {
    const { queue, seen, acknowledge } = setUp();
    const writes = [opened, null].map((row) => queue.write(() => touch(1), row));
    await turn();
    acknowledge({ failure: FULL });
    for (const result of await Promise.allSettled(writes)) {
      const { reason } = result as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(LedgerUnavailable);
      expect(reason).toMatchObject({ remedy: FULL.remedy, cause: { code: 'DISK_FULL' } });
    }
    expect(seen).toEqual([]);
    expect(queue.health().failure).toEqual(FULL);
    const next = queue.write(() => touch(1), null);
    await turn();
    acknowledge();
    await next;
    expect(queue.health().failure).toBeNull();
  });

  it('INV-3: tries a settlement again until it is written, and nothing else', async () => {
    const { queue, sent, seen, acknowledge, passTime } = setUp();
    const settlement = queue.write(() => touch(7), closed);
    const other = queue.write(() => touch(8), opened);
    await turn();
    acknowledge({ failure: FULL });
    await expect(settlement).rejects.toBeInstanceOf(LedgerUnavailable);
    await expect(other).rejects.toBeInstanceOf(LedgerUnavailable);
    expect(queue.health().deferred).toBe(1);
    expect(queue.pendingAfter(2)).toEqual([closed]);
    for (let round = 0; round < 3; round += 1) {
      passTime();
      await turn();
      expect(sent.at(-1)?.operations).toEqual([touch(7)]);
      acknowledge({ failure: FULL });
    }
    passTime();
    await turn();
    acknowledge();
    expect(seen).toEqual([closed]);
    expect(queue.health()).toMatchObject({ deferred: 0, backlog: 0 });
    passTime();
    await turn();
    expect(sent.length).toBe(5);
  });

  it('tries what is deferred once more when it is closed', async () => {
    const { queue, sent, acknowledge } = setUp();
    queue.write(() => touch(7), closed).catch(() => undefined);
    await turn();
    acknowledge({ failure: FULL });
    const closing = queue.close();
    await turn();
    await turn();
    expect(sent.at(-1)?.operations).toEqual([touch(7)]);
    acknowledge();
    await closing;
  });

  it('finds out by itself that the disk is well again', async () => {
    const { queue, sent, acknowledge, passTime } = setUp();
    queue.write(() => touch(1), opened).catch(() => undefined);
    await turn();
    acknowledge({ failure: FULL });
    for (const failure of [FULL, null]) {
      expect(queue.health().failure).toEqual(FULL);
      passTime();
      await turn();
      expect(sent.at(-1)?.operations).toEqual([PROBE]);
      acknowledge({ failure });
    }
    expect(queue.health().failure).toBeNull();
    passTime();
    await turn();
    expect(sent.length).toBe(3);
  });

  it('tells who broke a constraint, and no one else', async () => {
    const { queue, seen, acknowledge } = setUp();
    const writes = [1, 2].map((value) => queue.write(() => touch(value), opened));
    await turn();
    acknowledge({
      refused: [{ number: 1, what: 'openRun run_1', failure: { ...FULL, code: 'LEDGER_CONSTRAINT' } }],
    });
    await expect(writes[0]).rejects.toMatchObject({ code: 'LEDGER_CONSTRAINT' });
    await expect(writes[0]).rejects.not.toBeInstanceOf(LedgerUnavailable);
    await writes[1];
    expect(seen.length).toBe(1);
  });

  it('announces nothing of an operation that found nothing to do, and answers one that asks', async () => {
    const { queue, seen, acknowledge } = setUp();
    const twice = queue.write(() => touch(1), closed);
    const asked = queue.ask(() => touch(1), null);
    await turn();
    acknowledge({
      answers: [
        { number: 1, value: UNCHANGED },
        { number: 2, value: 42 },
      ],
    });
    await twice;
    expect(await asked).toBe(42);
    expect(seen).toEqual([]);
  });

  it('knows which settlements are not in a snapshot yet', async () => {
    const { queue, acknowledge } = setUp();
    for (const row of [opened, closed, null, closed]) queue.write(() => touch(1), row).catch(() => undefined);
    await turn();
    expect(queue.pendingAfter(0)).toEqual([closed, closed]);
    expect(queue.pendingAfter(2)).toEqual([closed]);
    acknowledge({ last: 3 });
    expect(queue.pendingAfter(2)).toEqual([closed]);
    expect(queue.pendingAfter(4)).toEqual([]);
  });

  it('refuses everything at once when the writer is gone', async () => {
    const { queue, lose } = setUp();
    const waiting = queue.write(() => touch(1), opened);
    const flushed = queue.flushed();
    await turn();
    lose();
    await expect(waiting).rejects.toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
      cause: { code: 'LEDGER_WRITER_LOST' },
    });
    await flushed;
    const after = queue.write(() => touch(1), null);
    await expect(after).rejects.toBeInstanceOf(HeadgateError);
    expect(queue.health()).toMatchObject({ backlog: 0, failure: { code: 'LEDGER_WRITER_LOST' } });
  });
});

describe('the write queue with a journal', () => {
  const journaled = (): Journal => new Journal(ledgerPath(), 'normal');

  it('INV-11: resolves and announces what is in the journal, before the database has it', async () => {
    const { queue, sent, seen, acknowledge } = setUp(journaled());
    await queue.write(() => touch(1), closed);
    expect(seen).toEqual([closed]);
    expect(queue.health().backlog).toBe(1);
    expect(queue.pendingAfter(0)).toEqual([closed]);
    expect(queue.pendingAfter(1)).toEqual([]);
    const flushed = queue.flushed();
    expect(sent).toEqual([{ first: 1, last: 1, operations: [touch(1)], journaled: true }]);
    acknowledge();
    await flushed;
    expect(seen).toEqual([closed]);
    expect(queue.health().backlog).toBe(0);
    await queue.close();
  });

  it('gathers many batches for the writer', async () => {
    const { queue, sent, acknowledge } = setUp(journaled());
    for (let value = 1; value <= 5; value += 1) await queue.write(() => touch(value), null);
    expect(sent).toEqual([]);
    const flushed = queue.flushed();
    expect(sent.map(({ operations }) => operations)).toEqual([1, 2, 3, 4, 5].map((value) => [touch(value)]));
    acknowledge();
    await flushed;
    await queue.close();
  });

  it('sends what must be in the database past it, after what is in it, and waits for the answer', async () => {
    const { queue, sent, seen, acknowledge } = setUp(journaled());
    await queue.write(() => touch(1), opened);
    const asked = queue.ask(() => touch(2), null);
    await turn();
    expect(sent.map(({ operations, journaled: is }) => [operations, is])).toEqual([
      [[touch(1)], true],
      [[touch(2)], false],
    ]);
    // What comes after it may stand on it.
    let written = false;
    const later = queue.write(() => touch(3), closed).then(() => (written = true));
    await turn();
    expect(written).toBe(false);
    expect(sent.length).toBe(2);
    acknowledge({ answers: [{ number: 2, value: 42 }] });
    expect(await asked).toBe(42);
    await later;
    expect(seen).toEqual([opened, closed]);
    const closing = queue.close();
    expect(sent.at(-1)).toMatchObject({ operations: [touch(3)], journaled: true });
    acknowledge();
    await closing;
  });

  it('INV-3: keeps what is journaled when the database refuses it, and journals nothing until it takes it', async () => {
    const { queue, seen, acknowledge, passTime, sent } = setUp(journaled());
    await queue.write(() => touch(1), closed);
    const flushed = queue.flushed();
    acknowledge({ failure: FULL });
    await flushed;
    expect(queue.health().failure).toEqual(FULL);
    expect(queue.pendingAfter(0)).toEqual([closed]);
    const refused = queue.write(() => touch(2), opened);
    await turn();
    acknowledge({ failure: FULL });
    await expect(refused).rejects.toBeInstanceOf(LedgerUnavailable);
    passTime();
    await turn();
    // The writer has kept the first one; what it needs is a reason to try again.
    expect(sent.at(-1)).toMatchObject({ operations: [PROBE], journaled: false });
    acknowledge();
    expect(queue.pendingAfter(0)).toEqual([]);
    expect(seen).toEqual([closed]);
    await queue.write(() => touch(4), opened);
    expect(seen).toEqual([closed, opened]);
  });

  it('tells of a journaled operation that the database refuses for itself', async () => {
    const { queue, acknowledge, setAside } = setUp(journaled());
    await queue.write(() => touch(1), opened);
    void queue.flushed();
    const refused = { number: 1, what: 'openRun run_1', failure: { ...FULL, code: 'LEDGER_CONSTRAINT' } };
    acknowledge({ refused: [refused] });
    expect(setAside).toEqual([refused]);
  });

  it('leaves what is written while it is closing to the next start', async () => {
    const path = ledgerPath();
    const { queue, host } = setUp(new Journal(path, 'normal'));
    host.close = () => queue.write(() => touch(1), closed);
    await queue.close();
    expect(readJournal(readFileSync(journalPath(path)), 0).frames.map(({ last }) => last)).toEqual([1]);
  });

  it('goes past a journal that cannot be written', async () => {
    const journal = journaled();
    const { queue, sent, seen, acknowledge } = setUp(journal);
    journal.close();
    const written = queue.write(() => touch(1), opened);
    await turn();
    expect(sent).toEqual([{ first: 1, last: 1, operations: [touch(1)], journaled: false }]);
    expect(seen).toEqual([]);
    acknowledge();
    await written;
    expect(seen).toEqual([opened]);
  });
});
