// Writes runs and the receipts of their steps; keeps of their texts what the task retains.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { redactJsonText } from '../retention/redact.ts';
import { RecordingRules } from '../retention/recording-rules.ts';
import type { Retain } from '../retention/recording-rules.ts';
import type { ContentStore, StoredText } from './content-store.ts';
import type { Value } from './operations.ts';
import type { RollupWrites } from './rollup-writes.ts';
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
  readonly opened: readonly Value[];
  /** Where OPEN_RUN's values begin. */
  readonly openedAt: number;
  finished: Finished | null;
}

interface Finished {
  readonly output: StoredText;
  readonly costNanoUsd: bigint;
  readonly rollupKeyId: number;
  readonly values: readonly Value[];
  /** Where FINISH_RUN's values begin. */
  readonly at: number;
}

const NOTHING: StoredText = { text: null, content: null };
const REMEMBERED_CALLERS = 10_000;

export class RunWrites {
  readonly #contents: ContentStore;
  readonly #rollups: RollupWrites;
  readonly #costs: RunCosts;
  readonly #rules: RecordingRules;
  readonly #insert: StatementSync;
  readonly #isThere: StatementSync;
  readonly #setStatus: StatementSync;
  readonly #finish: StatementSync;
  readonly #step: StatementSync;
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
    this.#insert = database.prepare(
      `insert into runs (id, task, revision, task_revision, status, caller, team, tier, tags, idempotency_key, parent_run_id,
         durable, continuation, input_text, input_content, input_hash, cached, started_at_ms, retain, keep_until_ms, reusable,
         output_text, output_content, error, cost_nano_usd, saved_nano_usd, finished_at_ms, latency_ms, rollup_key_id)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#isThere = database.prepare('select 1 from runs where id = ?');
    this.#setStatus = database.prepare('update runs set status = ? where id = ? and finished_at_ms is null');
    this.#finish = database.prepare(
      `update runs set status = ?, output_text = ?, output_content = ?, error = ?, cost_nano_usd = ?, saved_nano_usd = ?, cached = ?,
         finished_at_ms = ?, latency_ms = ?, rollup_key_id = ?, continuation = null where id = ? and finished_at_ms is null`,
    );
    this.#step = database.prepare(
      `insert into steps (run_id, key, kind, status, started_at_ms, finished_at_ms, output_text, output_content, error)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (run_id, key) do update set status = excluded.status, started_at_ms = excluded.started_at_ms,
         finished_at_ms = excluded.finished_at_ms, output_text = excluded.output_text, output_content = excluded.output_content,
         error = excluded.error
       where status <> 'succeeded'`,
    );
    this.#caller = database.prepare(
      `insert into callers (name, team, tier, first_seen_ms, last_seen_ms) values (?, ?, ?, ?, ?)
       on conflict (name) do update set team = excluded.team, tier = excluded.tier, last_seen_ms = excluded.last_seen_ms`,
    );
    this.#findKeeping = database.prepare(
      'select retain, durable, keep_until_ms, started_at_ms from runs where id = ?',
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
  open(batch: readonly Value[], at: number, together: boolean): void {
    const id = batch[at] as string;
    const durable = batch[at + 11] === 1;
    if (durable && this.#wasOpened(id)) {
      // A run that was accepted before: it was queued, or it goes on after a restart.
      this.#setStatus.run(batch[at + 4] as string, id);
      return;
    }
    const startedAtMs = batch[at + 16] as number;
    const { retain, reusable } = this.#rules.of(batch[at + 2] as string, batch[at + 1] as string);
    const keepUntilMs = startedAtMs + retain.forMs;
    const keeping = { content: retain.content, durable, keepUntilMs, startedAtMs };
    const input = this.#keep(batch[at + 13] as string | null, keeping);
    const row: NewRun = { keeping, input, reusable, opened: batch, openedAt: at, finished: null };
    if (together) {
      this.#new.push(row);
      this.#newById.set(id, row);
    } else this.#insertRow(row);
    this.#keeping.set(id, keeping);
    this.#costs.opened(id);
    const [name, team, tier] = batch.slice(at + 5, at + 8) as [string, string | null, string | null];
    this.#seeCaller(name, team, tier, startedAtMs);
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

  #insertRow({ keeping, input, reusable, opened, openedAt: at, finished }: NewRun): void {
    const end = finished?.values;
    const endAt = finished?.at ?? 0;
    this.#insert.run(
      ...opened.slice(at, at + 4),
      (end === undefined ? opened[at + 4] : end[endAt + 1]) ?? null,
      ...opened.slice(at + 5, at + 12),
      end === undefined ? (opened[at + 12] ?? null) : null,
      input.text,
      input.content,
      opened[at + 14] ?? null,
      (end === undefined ? opened[at + 15] : end[endAt + 6]) ?? null,
      opened[at + 16] ?? null,
      keeping.content,
      keeping.keepUntilMs,
      reusable ? 1 : 0,
      finished?.output.text ?? null,
      finished?.output.content ?? null,
      end?.[endAt + 3] ?? null,
      finished?.costNanoUsd ?? 0,
      end?.[endAt + 5] ?? 0,
      end?.[endAt + 7] ?? null,
      end?.[endAt + 8] ?? null,
      finished?.rollupKeyId ?? null,
    );
  }

  /** A durable run may need its texts again until it is over, so only then are they reduced; they are never shared before. */
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
  finish(batch: readonly Value[], at: number): boolean {
    const id = batch[at] as string;
    const key = batch[at + 9] as string;
    const keeping = this.#keepingOf(id);
    const outputText = batch[at + 2] as string | null;
    const output = this.#keep(
      outputText !== null && keeping.content !== 'full' ? reduce(outputText, keeping.content) : outputText,
      keeping,
    );
    const finished: Finished = {
      output,
      costNanoUsd: this.#costs.finished(id),
      rollupKeyId: this.#rollups.keyId(key),
      values: batch,
      at,
    };
    this.#keeping.delete(id);
    // What it has cost may have had to be read, for which all rows are inserted.
    const row = this.#newById.get(id);
    if (row !== undefined) row.finished = finished;
    else if (!this.#finishRow(id, finished)) return false;
    if (keeping.durable && keeping.content !== 'full') this.#reduceTexts(id, keeping.content);
    const sums = this.#rollups.at(key, keeping.startedAtMs);
    sums.runs += 1;
    sums.savedNanoUsd += BigInt(batch[at + 5] as string);
    return true;
  }

  #finishRow(id: string, { output, costNanoUsd, rollupKeyId, values, at }: Finished): boolean {
    const { changes } = this.#finish.run(
      values[at + 1] as string,
      output.text,
      output.content,
      values[at + 3] as string | null,
      costNanoUsd,
      ...values.slice(at + 5, at + 9),
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
  step(batch: readonly Value[], at: number): void {
    const output = this.#keep(batch[at + 6] as string | null, this.#keepingOf(batch[at] as string));
    this.#step.run(...batch.slice(at, at + 6), output.text, output.content, batch[at + 7] ?? null);
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

function reduce(text: string, content: Retain['content']): string | null {
  if (content === 'hash') return null;
  return content === 'redacted' ? redactJsonText(text) : text;
}
