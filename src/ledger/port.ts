// What the rest of the engine reads from the ledger: pages of rows, batches by id, and the announcement of what is written.
import type { AlertRecord } from '../engine/execution/recorder.ts';
import type { AttemptRecord, RunRecord, RunStatus, StepRecord } from '../engine/execution/records.ts';
import type { Problem } from '../errors/problem.ts';

export interface RunFilter {
  readonly task?: string;
  readonly caller?: string;
  readonly session?: string;
  readonly status?: RunStatus;
  readonly provider?: string;
  readonly revision?: string;
  readonly tag?: { readonly key: string; readonly value: string };
  /** Inclusive. */
  readonly startedFromMs?: number;
  /** Exclusive. */
  readonly startedToMs?: number;
  readonly minCostNanoUsd?: bigint;
}

/** Keyset paging: newest first; `after` and `before` are ids. */
export interface PageRequest {
  readonly limit: number;
  readonly after?: string;
  readonly before?: string;
  readonly backwards?: boolean;
}
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly hasMore: boolean;
}

export interface RevisionRecord {
  /** The plan's hash; for a refused revision, the hash of its files. */
  readonly hash: string;
  readonly commit: string | null;
  readonly author: string | null;
  readonly subject: string | null;
  readonly dirty: boolean;
  readonly source: string;
  readonly compiledAtMs: number;
  readonly activeFromMs: number | null;
  readonly activeToMs: number | null;
  /** Empty: it compiled. */
  readonly problems: readonly Problem[];
  readonly pinned: boolean;
}

export interface SwitchRecord {
  /** `all`, `provider:openai`, `model:…`, `task:summarize`, `caller:ana`. */
  readonly scope: string;
  readonly reason: string;
  /** Who or what pulled it: a caller's name, or `guard:loop`, `guard:surge`. */
  readonly by: string;
  readonly sinceMs: number;
}

export interface ApiKeyRecord {
  readonly id: string;
  /** SHA-256 of the secret, hexadecimal. */
  readonly hash: string;
  /** The first characters, for people to tell keys apart. */
  readonly hint: string;
  readonly caller: string;
  readonly team: string | null;
  readonly tier: string | null;
  readonly tags: { readonly [key: string]: string };
  readonly scopes: readonly string[];
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
  readonly lastUsedAtMs: number | null;
  readonly requestsPerMinute: number | null;
  /** What a request may have at `/v1`; null or left out: the server's limit. */
  readonly maxBodyBytes?: number | null;
}

/** How far back estimates are listed: longer ago than the longest window of a budget, nothing is freed by lowering one. */
export const ESTIMATES_LISTED_MS = 31 * 86_400_000;

export interface LedgerReader {
  run(id: string): Promise<RunRecord | undefined>;
  /** One query for all ids; those there are not are left out. */
  runsById(ids: readonly string[]): Promise<ReadonlyMap<string, RunRecord>>;
  runs(filter: RunFilter, page: PageRequest): Promise<Page<RunRecord>>;
  /** One query for all ids. */
  attemptsOf(runIds: readonly string[]): Promise<ReadonlyMap<string, readonly AttemptRecord[]>>;
  stepsOf(runIds: readonly string[]): Promise<ReadonlyMap<string, readonly StepRecord[]>>;
  revisions(page: PageRequest): Promise<Page<RevisionRecord>>;
  revisionsByHash(hashes: readonly string[]): Promise<ReadonlyMap<string, RevisionRecord>>;
  alerts(page: PageRequest): Promise<Page<AlertRecord>>;
  alert(id: string): Promise<AlertRecord | undefined>;
  switches(): Promise<readonly SwitchRecord[]>;
  apiKeys(): Promise<readonly ApiKeyRecord[]>;
  unreconciled(): Promise<readonly AttemptRecord[]>;
  /** Settled at an estimate since then, and not decided on yet: what `reconcile` can lower. The dearest first. */
  estimates(sinceMs: number, limit: number): Promise<readonly AttemptRecord[]>;
}

/** What decides which plan is in force after a restart, and which one a person means. */
export interface RevisionReader {
  /** Those that a person pinned, and those whose time has no end yet. */
  revisionsInForce(): Promise<readonly RevisionRecord[]>;
  /** Compiled ones whose hash or commit begins so, newest first; at most ten. */
  revisionsNamed(start: string): Promise<readonly RevisionRecord[]>;
}

/** What is learnt of how models count, by `provider/model`; JSON. */
export interface BoundsKeeper {
  learntBounds(): Promise<ReadonlyMap<string, string>>;
  learnBound(model: string, bound: string): Promise<void>;
}

/** Alerts that a sink was not told yet, the oldest first, and what its delivery remembers (JSON). */
export interface WaitingAlerts {
  readonly waiting: readonly { readonly seq: number; readonly alert: AlertRecord }[];
  readonly state: string | null;
  /** false: another process tells the sinks. */
  readonly isTeller: boolean;
}

/** An alert waits for each sink from the transaction that writes it to the one that says it was delivered. */
export interface AlertOutbox {
  /** The sinks that there are. A new one hears of alerts from `sinceMs` on; what waits for one that is not named is dropped. */
  keepSinks(names: readonly string[], sinceMs: number): Promise<void>;
  waitingAlerts(sink: string, limit: number): Promise<WaitingAlerts>;
  delivered(sink: string, throughSeq: number, state: string): Promise<void>;
}

export interface LedgerAdmin {
  recordRevision(revision: RevisionRecord, planText: string | null): Promise<void>;
  setSwitch(record: SwitchRecord): Promise<void>;
  clearSwitch(scope: string, by: string, atMs: number): Promise<void>;
  /** Does nothing where somebody did it before. */
  acknowledgeAlert(id: string, by: string, atMs: number): Promise<void>;
  saveApiKey(key: ApiKeyRecord): Promise<void>;
  revokeApiKey(id: string, atMs: number): Promise<void>;
  touchApiKey(id: string, atMs: number): void;
  /** Confirms attempts of unknown outcome at their worst case, or at a given cost; or releases them. One that is settled at an estimate is lowered: to a given cost, or to nothing. */
  reconcile(
    attemptId: string,
    verdict: { readonly kind: 'confirm'; readonly costNanoUsd?: bigint } | { readonly kind: 'release' },
  ): Promise<AttemptRecord>;
}

/**
 * What was written together, in order. `rollupKey`: the dimensions under which the row was counted, once it is over. `reconciled`: the
 * attempt was of unknown outcome, and was decided on; whoever still holds its worst case settles or releases it now.
 */
export type WrittenRow =
  | { readonly kind: 'run_opened' | 'run_finished'; readonly run: RunRecord; readonly rollupKey?: string }
  | {
      readonly kind: 'attempt_opened' | 'attempt_closed';
      readonly attempt: AttemptRecord;
      readonly rollupKey?: string;
      readonly reconciled?: true;
    }
  /** One that was settled at an estimate costs less than that. */
  | {
      readonly kind: 'attempt_lowered';
      readonly before: AttemptRecord;
      readonly attempt: AttemptRecord;
      readonly rollupKey: string;
    }
  | { readonly kind: 'step'; readonly step: StepRecord }
  | { readonly kind: 'alert'; readonly alert: AlertRecord };

export interface WrittenFeed {
  /**
   * Called in the main thread for what the ledger has written for good (INV-11): a crash does not take it back. `lastOperation`: the number of the
   * last operation of these, in the database's life.
   */
  onWritten(listener: (rows: readonly WrittenRow[], lastOperation: number) => void): () => void;
}

/** How the ledger is doing, for health checks and metrics. */
export interface LedgerHealth {
  /** false: the last transaction failed; nothing is lost, and each new write tries again. */
  readonly ok: boolean;
  /** Rows that were asked for and are not committed yet. */
  readonly backlog: number;
  /** Settlements that the disk refused; they are tried again until it takes them. */
  readonly deferred: number;
  /** Transactions since the start. */
  readonly commits: number;
  readonly failure: { readonly code: string; readonly message: string; readonly remedy: string } | null;
}
