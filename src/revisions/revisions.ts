// Revisions: which plan is in force. Reads a source, compiles it, and swaps the active plan in one assignment (INV-7).
import { LRUCache } from 'lru-cache';
import type { Clock } from '../common/clock.ts';
import { canonicalJson } from '../common/json.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import type { Problem } from '../errors/problem.ts';
import type { EngineLog } from '../engine/execution/engine-parts.ts';
import type { LedgerAdmin, RevisionReader, RevisionRecord } from '../ledger/port.ts';
import { deepFreeze, encodePlan } from '../language/plan/encode.ts';
import type { Plan } from '../language/plan/types.ts';
import { findRevision, storedPlan } from './find.ts';
import type {
  ChangedLine,
  ReloadResult,
  Revision,
  RevisionNotice,
  Revisions,
  Source,
  WorkflowFile,
} from './port.ts';
import { attributed, compiledRecord, refusedRecord, unreadableRecord } from './records.ts';
import { renamedProviders } from './renames.ts';

export interface RevisionsOptions {
  readonly source: Source;
  /** All problems; `plan` is null when one of them is an error. */
  readonly compile: (
    files: readonly WorkflowFile[],
  ) => Promise<{ readonly plan: Plan | null; readonly problems: readonly Problem[] }>;
  /** What takes time before a plan can serve; one that throws is not put in force. */
  readonly prepare: (plan: Plan) => Promise<void>;
  readonly ledger: Pick<LedgerAdmin, 'recordRevision'> & RevisionReader;
  readonly planText: (hash: string) => Promise<string | undefined>;
  /** For plans that were stored under another environment. */
  readonly env: { readonly [name: string]: string | undefined };
  readonly clock: Clock;
  readonly log?: EngineLog;
}

const REMEMBERED_CHANGES = 100;

/** Nothing is loaded yet: the first `reload` asks the ledger for a pin, then the source. */
export function createRevisions(options: RevisionsOptions): Revisions {
  return new LiveRevisions(options);
}

/** A revision that is pinned again is mostly one of the last. */
const KEPT_READINGS = 8;

class LiveRevisions implements Revisions {
  readonly #options: RevisionsOptions;
  readonly #changes = new Set<(result: ReloadResult) => void>();
  readonly #changesKnown = new LRUCache<string, readonly ChangedLine[]>({ max: REMEMBERED_CHANGES });
  readonly #notices = new Set<(notice: RevisionNotice) => void>();
  #active: Revision | null = null;
  /** What was read when a revision was compiled, by its hash. */
  readonly #readings = new LRUCache<string, readonly WorkflowFile[]>({ max: KEPT_READINGS });
  #refused: RevisionRecord | null = null;
  /** Rows whose time a process that died did not end; null: not asked yet. */
  #leftOpen: readonly RevisionRecord[] | null = null;
  #tail: Promise<unknown> = Promise.resolve();
  #queued: Promise<ReloadResult> | null = null;
  #stopWatching: (() => Promise<void>) | null = null;

  constructor(options: RevisionsOptions) {
    this.#options = options;
  }

  active(): Revision {
    if (this.#active === null)
      throw new HeadgateError(
        'NO_REVISION',
        'no revision of the workflows has been loaded',
        'Load one first.',
      );
    return this.#active;
  }

  refused(): RevisionRecord | null {
    return this.#refused;
  }

  pinned(): boolean {
    return this.#active?.record.pinned === true;
  }

  /** A request that comes while one is being served is served by a further reading, so that the newest content is always seen. */
  reload(): Promise<ReloadResult> {
    this.#queued ??= this.#inTurn(() => {
      this.#queued = null;
      return this.#load();
    });
    return this.#queued;
  }

  activate(name: string, by: string): Promise<ReloadResult> {
    return this.#inTurn(async () => {
      const { ledger, planText, env } = this.#options;
      await this.#start();
      const found = await findRevision(ledger, name);
      const same = this.#active?.record.hash === found.hash ? this.#active : null;
      const plan = same?.plan ?? withEnvironment(await storedPlan(planText, found.hash), env);
      const record: RevisionRecord = { ...(same?.record ?? found), pinned: true };
      const result = await this.#take({ plan, record }, []);
      this.#notify({ kind: 'pinned', record: this.active().record, by });
      return result;
    });
  }

  async followOthers(): Promise<void> {
    await this.#inTurn(async () => {
      const active = this.#active;
      if (active === null) return;
      const { ledger, planText, env } = this.#options;
      const [pin] = (await ledger.revisionsInForce())
        .filter(({ pinned }) => pinned)
        .sort((left, right) => (right.activeFromMs ?? 0) - (left.activeFromMs ?? 0));
      if (pin === undefined) {
        if (active.record.pinned) this.#active = { ...active, record: { ...active.record, pinned: false } };
      } else if (!active.record.pinned || active.record.hash !== pin.hash) {
        const plan = withEnvironment(await storedPlan(planText, pin.hash), env);
        await this.#take({ plan, record: pin }, []);
      }
    });
    await this.reload();
  }

  async changesBetween(before: string, after: string): Promise<readonly ChangedLine[] | null> {
    // Commits do not change: what was found is kept, and what was not may have been fetched by the next question.
    const name = `${before} ${after}`;
    const known =
      this.#changesKnown.get(name) ?? (await this.#options.source.changesBetween?.(before, after));
    if (known !== undefined) this.#changesKnown.set(name, known);
    return known ?? null;
  }

  textOf(file: string): string | null {
    const files = this.#readings.get(this.active().record.hash);
    return files?.find(({ path }) => path === file || path.endsWith(`/${file}`))?.text ?? null;
  }

  async release(by: string): Promise<ReloadResult> {
    await this.#inTurn(async () => {
      await this.#start();
      const active = this.#active;
      if (active === null || !active.record.pinned) return;
      const record = { ...active.record, pinned: false };
      await this.#options.ledger.recordRevision(record, null);
      this.#active = { plan: active.plan, record };
      this.#notify({ kind: 'released', record, by });
    });
    return this.reload();
  }

  onChange(listener: (result: ReloadResult) => void): () => void {
    this.#changes.add(listener);
    return () => this.#changes.delete(listener);
  }

  onNotice(listener: (notice: RevisionNotice) => void): () => void {
    this.#notices.add(listener);
    return () => this.#notices.delete(listener);
  }

  async watch(onFailure: (error: unknown) => void): Promise<void> {
    const reload = (): void => void this.reload().catch(onFailure);
    this.#stopWatching = await this.#options.source.watch(reload);
    // What changed between the first reading and now, nobody has called for.
    reload();
  }

  async close(): Promise<void> {
    await this.#stopWatching?.();
    await this.#tail;
    this.#changes.clear();
    this.#notices.clear();
  }

  /** One at a time, in the order in which they were asked for; what fails does not stop the next. */
  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#tail.then(work);
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  /** What the ledger remembers, once: the pin that a person set holds before the source is asked. */
  async #start(): Promise<void> {
    if (this.#leftOpen !== null) return;
    const { ledger, planText, env } = this.#options;
    const rows = await ledger.revisionsInForce();
    const [pin] = rows
      .filter(({ pinned }) => pinned)
      .sort((left, right) => (right.activeFromMs ?? 0) - (left.activeFromMs ?? 0));
    this.#leftOpen = rows;
    if (pin === undefined) return;
    const plan = withEnvironment(await storedPlan(planText, pin.hash), env);
    await this.#take({ plan, record: pin }, []);
  }

  async #load(): Promise<ReloadResult> {
    await this.#start();
    const { source, compile, clock } = this.#options;
    const snapshot = await source.read().catch((error: unknown) => {
      if (error instanceof HeadgateError && this.#active !== null) return error;
      throw error;
    });
    if (snapshot instanceof HeadgateError)
      return this.#refuse(unreadableRecord(source.description, snapshot, clock.nowMs()), 'unreadable');
    const { plan, problems } = await compile(snapshot.files);
    if (plan === null)
      return this.#refuse(
        refusedRecord(source.description, snapshot, problems, clock.nowMs()),
        'does not compile',
      );
    this.#refused = null;
    this.#readings.set(plan.hash, snapshot.files);
    const fresh = { plan, record: compiledRecord(source.description, snapshot, plan.hash, clock.nowMs()) };
    if (this.#active === null) return this.#take(fresh, problems);
    if (this.#active.record.pinned) return this.#keepPinned(this.#active, fresh);
    if (this.#active.plan.hash !== plan.hash || !sameEnvironment(this.#active.plan, plan))
      return this.#take(fresh, problems);
    return this.#confirm(this.#active, fresh.record);
  }

  /** A new revision is written down as compiled; the pinned one serves on. */
  async #keepPinned(active: Revision, fresh: Revision): Promise<ReloadResult> {
    const { ledger } = this.#options;
    if (fresh.plan.hash !== active.plan.hash && (await ledger.revisionsNamed(fresh.plan.hash)).length === 0)
      await ledger.recordRevision({ ...fresh.record, activeFromMs: null }, encodePlan(fresh.plan));
    return { kind: 'unchanged', revision: active };
  }

  /** The same meaning again; its commit may be known only now. */
  async #confirm(active: Revision, fresh: RevisionRecord): Promise<ReloadResult> {
    const record = attributed(active.record, fresh);
    if (record !== active.record) {
      await this.#options.ledger.recordRevision(record, null);
      this.#active = { plan: active.plan, record };
    }
    return { kind: 'unchanged', revision: this.active() };
  }

  async #refuse(record: RevisionRecord, why: 'unreadable' | 'does not compile'): Promise<ReloadResult> {
    const serving = this.#active;
    const known = this.#refused?.hash === record.hash;
    const result: ReloadResult = { kind: 'refused', record, serving };
    this.#refused = record;
    if (known) return result;
    if (why === 'does not compile') await this.#options.ledger.recordRevision(record, null);
    if (serving) this.#notify({ kind: 'refused', record, serving });
    return this.#announce(result);
  }

  /**
   * Puts a revision in force. Its row is committed before any run can take it (INV-8), in one transaction with the end of those before it; then one
   * assignment makes the swap, and a run has either the one or the other.
   */
  async #take(next: Revision, warnings: readonly Problem[]): Promise<ReloadResult> {
    const { ledger, clock, prepare } = this.#options;
    await prepare(next.plan);
    const previous = this.#active;
    const leftOpen = this.#leftOpen ?? [];
    const before = [...leftOpen, ...(previous ? [previous.record] : [])];
    const same = before.find(({ hash }) => hash === next.record.hash);
    const nowMs = clock.nowMs();
    const revision: Revision = {
      plan: next.plan,
      record: {
        ...(same === undefined ? next.record : attributed(same, next.record)),
        // What is still in force goes on; what is taken, or taken again, begins now.
        activeFromMs: same?.activeToMs === null ? (same.activeFromMs ?? nowMs) : nowMs,
        activeToMs: null,
        pinned: next.record.pinned,
      },
    };
    await Promise.all([
      ...before
        .filter((row) => row !== same)
        .map((row) =>
          ledger.recordRevision(
            {
              ...row,
              activeToMs: row.activeFromMs === null ? null : (row.activeToMs ?? nowMs),
              pinned: false,
            },
            null,
          ),
        ),
      ledger.recordRevision(revision.record, encodePlan(revision.plan)),
    ]);
    this.#leftOpen = [];
    this.#active = revision;
    for (const rename of previous ? renamedProviders(previous.plan, revision.plan) : [])
      this.#notify({ kind: 'renamed', ...rename, record: revision.record });
    return this.#announce({ kind: 'activated', revision, previous, warnings });
  }

  #announce(result: ReloadResult): ReloadResult {
    this.#tell(this.#changes, result);
    return result;
  }

  #notify(notice: RevisionNotice): void {
    this.#tell(this.#notices, notice);
  }

  /** The swap is made, whatever a listener makes of it; the others hear of it all the same. */
  #tell<Value>(listeners: ReadonlySet<(value: Value) => void>, value: Value): void {
    for (const listener of listeners) {
      try {
        listener(value);
      } catch (error) {
        this.#options.log?.error({ err: error }, 'a listener for revisions failed');
      }
    }
  }
}

function sameEnvironment(left: Plan, right: Plan): boolean {
  return canonicalJson(left.environment) === canonicalJson(right.environment);
}

/** The plan with the environment of this process: a stored one has that of the process that stored it. */
function withEnvironment(plan: Plan, env: RevisionsOptions['env']): Plan {
  const names = Object.keys(plan.environment);
  return deepFreeze({
    ...plan,
    environment: Object.fromEntries(names.map((name) => [name, env[name] ?? null])),
  });
}
