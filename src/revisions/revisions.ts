// Revisions: which plan is in force. Reads a source, compiles it, and swaps the active plan in one assignment (INV-7).
import type { Clock } from '../common/clock.ts';
import { canonicalJson, sha256Hex } from '../common/json.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import type { Problem } from '../errors/problem.ts';
import type { LedgerAdmin, RevisionRecord } from '../ledger/port.ts';
import { decodePlan, encodePlan } from '../plan/encode.ts';
import type { Plan } from '../plan/types.ts';
import type { ReloadResult, Revision, Revisions, Source, SourceFile, SourceSnapshot } from './port.ts';

export interface RevisionsOptions {
  readonly source: Source;
  /** All problems; `plan` is null when one of them is an error. */
  readonly compile: (
    files: readonly SourceFile[],
  ) => Promise<{ readonly plan: Plan | null; readonly problems: readonly Problem[] }>;
  /** Where revisions are written down; null: nowhere, as in `check`. */
  readonly ledger: Pick<LedgerAdmin, 'recordRevision'> | null;
  readonly planText: (hash: string) => Promise<string | undefined>;
  readonly clock: Clock;
}

export function createRevisions(options: RevisionsOptions): Revisions {
  const { source, compile, ledger, planText, clock } = options;
  const listeners = new Set<(result: ReloadResult) => void>();
  let active: Revision | null = null;
  let refused: RevisionRecord | null = null;
  let pinned = false;
  let latest: { readonly plan: Plan; readonly record: RevisionRecord } | null = null;
  let running: Promise<ReloadResult> | null = null;
  let again = false;
  let stopWatching: (() => Promise<void>) | null = null;

  function announce(result: ReloadResult): ReloadResult {
    for (const listener of listeners) listener(result);
    return result;
  }

  function recordOf(
    snapshot: SourceSnapshot,
    hash: string,
    problems: readonly Problem[],
    activeFromMs: number | null,
  ): RevisionRecord {
    return {
      hash,
      commit: snapshot.commit?.hash ?? null,
      author: snapshot.commit?.author ?? null,
      subject: snapshot.commit?.subject ?? null,
      dirty: snapshot.dirty,
      source: source.description,
      compiledAtMs: clock.nowMs(),
      activeFromMs,
      activeToMs: null,
      problems,
      pinned: false,
    };
  }

  /** The previous revision's row is closed and the next one's opened before any run can take it (INV-8). */
  async function swap(next: Revision, warnings: readonly Problem[]): Promise<ReloadResult> {
    const previous = active;
    if (previous)
      await ledger?.recordRevision({ ...previous.record, activeToMs: clock.nowMs(), pinned: false }, null);
    await ledger?.recordRevision(next.record, encodePlan(next.plan));
    active = next;
    return announce({ kind: 'activated', revision: next, previous, warnings });
  }

  async function load(): Promise<ReloadResult> {
    const snapshot = await source.read();
    const { plan, problems } = await compile(snapshot.files);
    if (plan === null) {
      const record = recordOf(
        snapshot,
        sha256Hex(canonicalJson(snapshot.files.map(({ path, text }) => [path, text]))),
        problems,
        null,
      );
      const known = refused?.hash === record.hash;
      refused = record;
      if (!known) await ledger?.recordRevision(record, null);
      const result: ReloadResult = { kind: 'refused', record, serving: active };
      return known ? result : announce(result);
    }
    refused = null;
    latest = { plan, record: recordOf(snapshot, plan.hash, problems, clock.nowMs()) };
    if (active && (pinned || (active.plan.hash === plan.hash && sameEnvironment(active.plan, plan))))
      return { kind: 'unchanged', revision: active };
    return swap(latest, problems);
  }

  /** One reading at a time; a request made during one is served by a further reading, so that the newest content is always seen. */
  async function reload(): Promise<ReloadResult> {
    if (running) {
      again = true;
      return running;
    }
    running = (async () => {
      try {
        let result = await load();
        while (again) {
          again = false;
          result = await load();
        }
        return result;
      } finally {
        running = null;
        again = false;
      }
    })();
    return running;
  }

  return {
    active() {
      if (!active)
        throw new HeadgateError(
          'NO_REVISION',
          'no revision of the workflows has been loaded',
          'Load one first.',
        );
      return active;
    },
    refused: () => refused,
    reload,
    async activate(hash) {
      const text = await planText(hash);
      if (text === undefined)
        throw new HeadgateError(
          'UNKNOWN_REVISION',
          `there is no compiled revision ${hash}`,
          'List them with "headgate history".',
        );
      const plan = decodePlan(text);
      pinned = true;
      const base = active?.record;
      return swap(
        {
          plan,
          record: {
            hash,
            commit: null,
            author: null,
            subject: null,
            dirty: false,
            source: base?.source ?? source.description,
            compiledAtMs: clock.nowMs(),
            activeFromMs: clock.nowMs(),
            activeToMs: null,
            problems: [],
            pinned: true,
          },
        },
        [],
      );
    },
    async release() {
      pinned = false;
      return reload();
    },
    pinned: () => pinned,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async watch(onFailure) {
      stopWatching = await source.watch(() => void reload().catch(onFailure));
    },
    async close() {
      await stopWatching?.();
      listeners.clear();
      await running?.catch(() => undefined);
    },
  };
}

function sameEnvironment(left: Plan, right: Plan): boolean {
  return canonicalJson(left.environment) === canonicalJson(right.environment);
}
