// Writes runs and the receipts of their steps; keeps of their texts what the task retains.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { redactJsonText } from '../../common/redact-text.ts';
import { RecordingRules } from '../retention/recording-rules.ts';
import type { Retain } from '../retention/recording-rules.ts';
import type { ContentStore, StoredText } from './content-store.ts';
import type { FinishRun, OpenRun, StepReceipt } from './operations.ts';
import { countRun } from '../rollup/sums.ts';
import type { RollupWrites } from './rollup-writes.ts';
import { RowInsert } from './row-statements.ts';
import type { OpenedRun, RunEndColumns, RunRow, StepRow } from './rows.ts';
import type { RunCosts } from './run-costs.ts';

/** What writing a run's texts needs to know of its opening. */
interface Keeping {
  readonly content: Retain['content'];
  readonly durable: boolean;
  readonly keepUntilMs: number;
  readonly startedAtMs: number;
}

/** A row of the open transaction that is inserted at its end: most runs are finished in the transaction that opens them. */
interface NewRun {
  readonly keeping: Keeping;
  readonly input: StoredText;
  readonly reusable: boolean;
  readonly opened: OpenedRun;
  finished: Finished | null;
}

interface Finished {
  readonly end: RunEndColumns;
  readonly output: StoredText;
  readonly costNanoUsd: bigint;
  readonly rollupKeyId: number;
}

/** What is not said of a run before it is finished. */
const NOT_FINISHED = {
  outputText: null,
  outputContent: null,
  error: null,
  costNanoUsd: 0n,
  savedNanoUsd: '0',
  finishedAtMs: null,
  latencyMs: null,
  rollupKeyId: null,
} as const;

const NOTHING: StoredText = { text: null, content: null };
const REMEMBERED_CALLERS = 10_000;

export class RunWrites {
  readonly #contents: ContentStore;
  readonly #rollups: RollupWrites;
  readonly #costs: RunCosts;
  readonly #rules: RecordingRules;
  readonly #insert: RowInsert<RunRow>;
  readonly #isThere: StatementSync;
  readonly #setStatus: StatementSync;
  readonly #finish: StatementSync;
  readonly #step: RowInsert<StepRow>;
  readonly #caller: StatementSync;
  readonly #findKeeping: StatementSync;
  readonly #texts: StatementSync;
  readonly #replaceInput: StatementSync;
  readonly #stepTexts: StatementSync;
  readonly #replaceStep: StatementSync;
  /** Of the runs that are under way. */
  #keeping = new Map<string, Keeping>();
  /** In the order in which they were opened. */
  #new: NewRun[] = [];
  #newById = new Map<string, NewRun>();
  /** Callers whose row is known to be up to date, with what it says. */
  #callers = new Map<string, string>();

  constructor(database: DatabaseSync, contents: ContentStore, rollups: RollupWrites, costs: RunCosts) {
    this.#contents = contents;
    this.#rollups = rollups;
    this.#costs = costs;
    this.#rules = new RecordingRules(database);
    this.#insert = new RowInsert(database, 'runs');
    this.#isThere = database.prepare('select 1 from runs where id = ?');
    this.#setStatus = database.prepare(
      'update runs set status = ?, begun = ? where id = ? and finished_at_ms is null',
    );
    this.#finish = database.prepare(
      `update runs set status = ?, output_text = ?, output_content = ?, error = ?, cost_nano_usd = ?, saved_nano_usd = ?, cached = ?,
         finished_at_ms = ?, latency_ms = ?, rollup_key_id = ?, continuation = null where id = ? and finished_at_ms is null`,
    );
    this.#step = new RowInsert(
      database,
      'steps',
      `on conflict (run_id, key) do update set status = excluded.status, started_at_ms = excluded.started_at_ms,
         finished_at_ms = excluded.finished_at_ms, output_text = excluded.output_text, output_content = excluded.output_content,
         error = excluded.error
       where status <> 'succeeded'`,
    );
    this.#caller = database.prepare(
      `insert into callers (name, team, tier, first_seen_ms, last_seen_ms) values (?, ?, ?, ?, ?)
       on conflict (name) do update set team = excluded.team, tier = excluded.tier, last_seen_ms = excluded.last_seen_ms`,
    );
    this.#findKeeping = database.prepare(
      'select retain, durable and finished_at_ms is null as durable, keep_until_ms, started_at_ms from runs where id = ?',
    );
    this.#texts = database.prepare('select input_text from runs where id = ?');
    this.#replaceInput = database.prepare(
      'update runs set input_text = ?, input_content = null where id = ?',
    );
    this.#stepTexts = database.prepare(
      'select key, output_text from steps where run_id = ? and output_text is not null',
    );
    this.#replaceStep = database.prepare('update steps set output_text = ? where run_id = ? and key = ?');
  }

  /** `together`: its row is inserted when the transaction ends, as it is by then; else at once, which tells at once whether it can be. */
  open({ run, input }: OpenRun, together: boolean): void {
    const { id, startedAtMs } = run;
    const durable = run.durable === 1;
    if (durable && this.#wasOpened(id)) {
      // A run that was accepted before: it was queued, or it goes on after a restart.
      this.#setStatus.run(run.status, run.begun ?? 1, id);
      return;
    }
    const { retain, reusable } = this.#rules.of(run.revision, run.task);
    const keepUntilMs = startedAtMs + retain.forMs;
    const keeping = { content: retain.content, durable, keepUntilMs, startedAtMs };
    const row: NewRun = {
      keeping,
      input: this.#keep(input, keeping),
      reusable,
      opened: run,
      finished: null,
    };
    if (together) {
      this.#new.push(row);
      this.#newById.set(id, row);
    } else this.#insertRow(row);
    this.#keeping.set(id, keeping);
    this.#costs.opened(id);
    this.#seeCaller(run.caller, run.team, run.tier, startedAtMs);
  }

  #wasOpened(id: string): boolean {
    if (this.#newById.has(id)) this.flush();
    return this.#isThere.get(id) !== undefined;
  }

  /** Inserts what the open transaction has opened. Throws where a run of the same id or idempotency key is there. */
  flush(): void {
    for (const row of this.#new) this.#insertRow(row);
    this.#new = [];
    this.#newById.clear();
  }

  #insertRow({ keeping, input, reusable, opened, finished }: NewRun): void {
    this.#insert.run(opened, finished === null ? NOT_FINISHED : columnsOf(finished), {
      inputText: input.text,
      inputContent: input.content,
      retain: keeping.content,
      keepUntilMs: keeping.keepUntilMs,
      cancelReason: null,
      reusable: reusable ? 1 : 0,
    });
  }

  /** A durable run may need its texts again until it is over, so only then are they reduced; they are never shared before. What comes later is reduced at once. */
  #keep(text: string | null, keeping: Keeping): StoredText {
    if (text === null) return NOTHING;
    if (keeping.content === 'full') return this.#contents.store(text, keeping.keepUntilMs);
    if (keeping.durable) return { text, content: null };
    return { text: reduce(text, keeping.content), content: null };
  }

  #seeCaller(name: string, team: string | null, tier: string | null, atMs: number): void {
    // To the hour: a caller's row is not worth a write for each of its runs.
    const seen = JSON.stringify([team, tier, Math.floor(atMs / 3_600_000)]);
    if (this.#callers.get(name) === seen) return;
    if (this.#callers.size >= REMEMBERED_CALLERS) this.#callers = new Map();
    this.#caller.run(name, team, tier, atMs, atMs);
    this.#callers.set(name, seen);
  }

  /** False, and nothing is done, for a run that is finished already: it is counted once. Its cost is what its attempts have cost (INV-1). */
  finish({ id, end, output, rollupKey }: FinishRun): boolean {
    const keeping = this.#keepingOf(id);
    const kept = output !== null && keeping.content !== 'full' ? reduce(output, keeping.content) : output;
    const finished: Finished = {
      end,
      output: this.#keep(kept, keeping),
      costNanoUsd: this.#costs.finished(id),
      rollupKeyId: this.#rollups.keyId(rollupKey),
    };
    this.#keeping.delete(id);
    // What it has cost may have had to be read, for which all rows are inserted.
    const row = this.#newById.get(id);
    if (row !== undefined) row.finished = finished;
    else if (!this.#finishRow(id, finished)) return false;
    if (keeping.durable && keeping.content !== 'full') this.#reduceTexts(id, keeping.content);
    countRun(this.#rollups.at(rollupKey, keeping.startedAtMs), BigInt(end.savedNanoUsd), end.cached);
    return true;
  }

  #finishRow(id: string, { end, output, costNanoUsd, rollupKeyId }: Finished): boolean {
    const { changes } = this.#finish.run(
      end.status,
      output.text,
      output.content,
      end.error,
      costNanoUsd,
      end.savedNanoUsd,
      end.cached,
      end.finishedAtMs,
      end.latencyMs,
      rollupKeyId,
      id,
    );
    return changes > 0n;
  }

  #reduceTexts(id: string, content: Retain['content']): void {
    this.flush();
    const input = this.#texts.get(id)?.['input_text'] as string | null | undefined;
    if (typeof input === 'string') this.#replaceInput.run(reduce(input, content), id);
    for (const step of this.#stepTexts.all(id))
      this.#replaceStep.run(reduce(step['output_text'] as string, content), id, step['key'] as string);
  }

  /** A step that succeeded keeps its first receipt (INV-5). */
  step({ step, output }: StepReceipt): void {
    const { text, content } = this.#keep(output, this.#keepingOf(step.runId));
    this.#step.run(step, {}, { outputText: text, outputContent: content });
  }

  #keepingOf(id: string): Keeping {
    const known = this.#keeping.get(id);
    if (known !== undefined) return known;
    this.flush();
    const row = this.#findKeeping.get(id);
    return {
      content: (row?.['retain'] ?? 'full') as Retain['content'],
      durable: row?.['durable'] === 1n,
      keepUntilMs: Number(row?.['keep_until_ms'] ?? 0),
      startedAtMs: Number(row?.['started_at_ms'] ?? 0),
    };
  }

  forget(): void {
    this.#keeping = new Map();
    this.#new = [];
    this.#newById = new Map();
    this.#callers = new Map();
    this.#rules.forget();
  }
}

/** With the continuation gone: it is over. */
function columnsOf({ end, output, costNanoUsd, rollupKeyId }: Finished) {
  return {
    ...end,
    outputText: output.text,
    outputContent: output.content,
    costNanoUsd,
    rollupKeyId,
    continuation: null,
  };
}

function reduce(text: string, content: Retain['content']): string | null {
  if (content === 'hash') return null;
  return content === 'redacted' ? redactJsonText(text) : text;
}
