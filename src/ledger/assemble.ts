// Puts the ledger's ports together over a write queue and readers, whatever database is under them.
import type { Clock } from '../common/clock.ts';
import { systemClock } from '../common/clock.ts';
import type { Recorder } from '../engine/execution/recorder.ts';
import { createAdmin } from './admin.ts';
import { createMaintenance } from './maintenance.ts';
import type { Alone } from './maintenance.ts';
import type { Ledger } from './open.ts';
import { unpackSpans } from './rollup/packed-groups.ts';
import type { LedgerReader, RevisionReader, RunFilter, WrittenFeed, WrittenRow } from './port.ts';
import { createRunEnds } from './run-ends.ts';
import type { ReaderThread } from './sqlite/reader.ts';
import type { WriteQueue } from './sqlite/write-queue.ts';

export interface LedgerParts {
  readonly queue: WriteQueue;
  readonly reader: ReaderThread;
  /** Whole-table scans have one of their own, so that a page of runs does not wait for them. */
  readonly scanner: ReaderThread;
  /** Does not wait for what is being written: whoever asks puts it together with what was announced. */
  readonly quickReader: ReaderThread;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly feed: Feed;
  /** Where several processes keep the ledger in order. */
  readonly alone?: Alone;
  /** Where several nodes share it: told when another one has written. */
  readonly onOthersWrote?: (listener: () => void) => void;
}

/** All of a ledger but what opening and closing it is. */
export function assembleLedger(
  parts: LedgerParts,
): Omit<Ledger, 'accounts' | 'recovered' | 'recoveryAlerts' | 'close'> {
  const { queue, reader, scanner, quickReader, recorder, clock, feed } = parts;
  const rows = createLedgerReader(reader, scanner);
  const admin = createAdmin(queue, reader, clock);
  return {
    ...recorder,
    ...admin,
    ...createMaintenance(queue, reader, scanner, admin, parts.alone),
    ...rows,
    stepsUnder: (id) => reader.ask('stepsUnder', id),
    ended: createRunEnds(rows, feed, clock, parts.onOthersWrote),
    learntBounds: () => reader.ask('learntBounds'),
    learnBound: (model, bound) => queue.write(() => ({ kind: 'learnBound', model, bound }), null),
    keepSinks: (names, sinceMs) =>
      queue.commit(() => ({ kind: 'keepSinks', names: JSON.stringify(names), sinceMs }), null),
    waitingAlerts: (sink, limit) => reader.ask('waitingAlerts', sink, limit),
    delivered: (sink, throughSeq, state) =>
      queue.commit(() => ({ kind: 'delivered', sink, throughSeq, state }), null),
    async rollups(reads) {
      const announced = queue.announced();
      const answer = await quickReader.ask('rollups', reads);
      const missing = announced.filter(({ number }) => number > answer.lastOperation);
      return { ...answer, missing: missing.map(({ row }) => row) };
    },
    scan: (reads, filter) => scanner.ask('scan', reads, filter),
    spans: async (reads) => unpackSpans(await reader.ask('spans', reads)),
    onWritten: feed.onWritten,
    health() {
      const health = queue.health();
      return { ok: health.failure === null, ...health };
    },
  };
}

/** What is written goes to the tables at once when somebody reads. Reading waits so long for it, and not for a disk that is slow or a database that is locked. */
const LONGEST_WAIT_MS = 50;

export function afterWriting(reader: ReaderThread, queue: WriteQueue): ReaderThread {
  return {
    ...reader,
    async ask(name, ...args) {
      if (!queue.isFlushed()) await atMost(LONGEST_WAIT_MS, queue.flushed());
      return reader.ask(name, ...args);
    },
  };
}

function atMost(delayMs: number, flushed: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = systemClock.after(delayMs, resolve);
    void flushed.then(() => {
      cancel();
      resolve();
    });
  });
}

export function createLedgerReader(
  reader: ReaderThread,
  scanner: ReaderThread,
): LedgerReader & RevisionReader {
  return {
    run: (id) => reader.ask('run', id),
    runsById: (ids) => reader.ask('runsById', ids),
    runs: (filter, page) => (mayScan(filter) ? scanner : reader).ask('runs', filter, page),
    attemptsOf: (runIds) => reader.ask('attemptsOf', runIds),
    stepsOf: (runIds) => reader.ask('stepsOf', runIds),
    revisions: (page) => reader.ask('revisions', page),
    revisionsByHash: (hashes) => reader.ask('revisionsByHash', hashes),
    revisionsInForce: () => reader.ask('revisionsInForce'),
    revisionsNamed: (start) => reader.ask('revisionsNamed', start),
    alerts: (page) => reader.ask('alerts', page),
    alert: (id) => reader.ask('alert', id),
    switches: () => reader.ask('switches'),
    apiKeys: () => reader.ask('apiKeys'),
    unreconciled: () => reader.ask('unreconciled'),
    estimates: (sinceMs, limit) => reader.ask('estimates', sinceMs, limit),
  };
}

/** No index finds these; where few runs match, a page may mean reading very many. */
function mayScan({ status, session, provider, revision, tag, minCostNanoUsd }: RunFilter): boolean {
  return [status, session, provider, revision, tag, minCostNanoUsd].some((part) => part !== undefined);
}

export interface Feed {
  readonly onWritten: WrittenFeed['onWritten'];
  readonly announce: (rows: readonly WrittenRow[], lastOperation: number) => void;
}

export function createFeed(): Feed {
  const listeners = new Set<(rows: readonly WrittenRow[], lastOperation: number) => void>();
  return {
    onWritten(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    announce(rows, lastOperation) {
      for (const listener of listeners) {
        try {
          listener(rows, lastOperation);
        } catch (error) {
          // The row is written, whatever a listener makes of it; the others hear of it all the same.
          process.emitWarning(error instanceof Error ? error : String(error));
        }
      }
    },
  };
}
