// A node's own connection to PostgreSQL: its signs of life, what nodes tell each other at once, and the burial of those that are silent.
import type { Client, Pool } from 'pg';
import type { Clock } from '../../common/clock.ts';
import type { Json } from '../../common/json.ts';
import type { ClusterNode, SharedState } from '../cluster-port.ts';
import { BEAT_MS, startBeats } from './beats.ts';
import type { Beats } from './beats.ts';
import { DATABASE_NOW_MS, connect as connectTo } from './connection.ts';
import type { DatabaseAddress } from './connection.ts';
import { buryNode } from './nodes.ts';
import type { Buried } from './nodes.ts';

const RECONNECT_MS = 200;

/** What nodes tell each other; small, and never the only way: whoever missed it finds out by asking. */
export type Signal =
  | { readonly kind: 'recall'; readonly budgetId: string; readonly account: string }
  /** `version`: how often it was changed; the signs of life tell it too. */
  | { readonly kind: 'changed'; readonly what: SharedState; readonly version: number }
  | { readonly kind: 'wrote' }
  | { readonly kind: 'said'; readonly news: readonly object[] }
  /** An attempt of the node `of` was settled at less; what it was settled at comes as JSON, with amounts as texts. */
  | { readonly kind: 'lowered'; readonly of: number; readonly what: string }
  /** A durable run waits for whoever has room. */
  | { readonly kind: 'waiting' }
  /** A run is to be cancelled by the node that runs it. */
  | { readonly kind: 'cancel'; readonly runId: string; readonly reason: string }
  /** Of what the ledger knows nothing; `to`: that node alone. */
  | { readonly kind: 'message'; readonly body: Json; readonly to?: number };

export interface NodeSignals {
  /** Nodes that live, this one among them; by their last signs of life. */
  living(): readonly ClusterNode[];
  onNodes(listener: (count: number) => void): () => void;
  /** In one statement, and each of them is heard, in this order. */
  send(...signals: readonly Signal[]): Promise<void>;
  onSignal(listener: (signal: Signal, from: number) => void): () => void;
  /** The connection was lost and is back: what was told meanwhile was not heard. */
  onReconnect(listener: () => void): () => void;
  onBuried(listener: (id: string, buried: Buried) => void): () => void;
  /** This node is declared dead; it is told once, also who asks after it was. */
  onFenced(listener: () => void): () => void;
  /** By how much the database's clock is ahead of this one's, in milliseconds. */
  aheadMs(): number;
  /** It has loaded what it needs; from here on its silence counts, and a thread of its own gives its signs of life too. */
  ready(): void;
  close(): Promise<void>;
}

/** Where nodes of one ledger tell each other. */
export function channelOf({ schema }: DatabaseAddress): string {
  return `headgate_${schema}`;
}

interface NodeRow {
  readonly seq: bigint;
  readonly id: string;
  readonly place: string;
  readonly version: string;
  readonly has_left: boolean;
  readonly started_at_ms: bigint;
  readonly beat_at_ms: bigint;
  readonly now_ms: bigint;
  readonly versions: { readonly [what in SharedState]?: number } | null;
}

/** Its own sign of life, while it loads its code and its thread gives none yet; one that is in the future stays as it is. */
const BEAT = `with mine as (update nodes set beat_at_ms = greatest(beat_at_ms, ${DATABASE_NOW_MS}) where seq = $1 and alive returning 1)`;

export async function openSignals(
  pool: Pool,
  address: DatabaseAddress,
  node: number,
  clock: Clock,
): Promise<NodeSignals> {
  const channel = channelOf(address);
  const heard = createListeners<[Signal, number]>();
  const reconnected = createListeners<[]>();
  const buriedListeners = createListeners<[string, Buried]>();
  const fenced = createListeners<[]>();
  const numbered = createListeners<[number]>();
  let living: readonly ClusterNode[] = [];
  let client: Client | undefined;
  let closed = false;
  let isFenced = false;
  /** undefined: it is starting. */
  let beats: Beats | undefined;
  let aheadMs = 0;
  /** Since when every beat of this node has succeeded: only who was there all the time can tell that another was not. */
  let wellSinceMs = clock.monotonicMs();
  let lastBeatMs = clock.monotonicMs();
  /** The changes of what nodes share that are known here; undefined: none is known yet. */
  let versions: Map<string, number> | undefined;
  let beating: Promise<void> | undefined;

  async function connect(): Promise<void> {
    const made = await connectTo(address, address.silenceMs, lose);
    made.on('notification', ({ payload }) => {
      const read = readSignal(payload, node);
      if (read === undefined) return;
      const [signal, from] = read;
      if (signal.kind === 'changed') changed(signal, from);
      else heard.tell(signal, from);
    });
    await made.query(`listen ${channel}; listen ${channel}_${node}`);
    if (closed) await made.end();
    else client = made;
  }

  /** Once for each change, whether it was told or found out by asking. */
  function changed(signal: Extract<Signal, { kind: 'changed' }>, from = node): void {
    const { what, version } = signal;
    if (versions !== undefined && version <= (versions.get(what) ?? 0)) return;
    versions?.set(what, version);
    heard.tell(signal, from);
  }

  function lose(lost: Client): void {
    if (client !== lost) return;
    client = undefined;
    wellSinceMs = Number.POSITIVE_INFINITY;
    // It may be one that nobody is at the other end of any more.
    lost.end().catch(() => undefined);
    if (!closed) clock.after(RECONNECT_MS, () => void reconnect());
  }

  async function reconnect(): Promise<void> {
    try {
      await connect();
      reconnected.tell();
    } catch {
      if (!closed) clock.after(RECONNECT_MS, () => void reconnect());
    }
  }

  async function beatOnce(): Promise<void> {
    const began = clock.monotonicMs();
    beats?.goOn();
    // A process that stood still does not know what the others did meanwhile.
    if (began - lastBeatMs > address.silenceMs / 2) wellSinceMs = began;
    lastBeatMs = began;
    let rows: readonly NodeRow[];
    const isBeating = beats?.isBeating() === true;
    // On its own connection: no sign of life waits for what is written.
    const by = client;
    if (by === undefined) {
      wellSinceMs = Number.POSITIVE_INFINITY;
      return;
    }
    try {
      const found = await by.query(
        `${isBeating ? '' : BEAT}
         select seq, id, place, version, has_left, started_at_ms, beat_at_ms, ${DATABASE_NOW_MS} as now_ms,
           (select json_object_agg(what, version) from shared_changes) as versions
         from nodes where alive and (seq <> $1 or ${isBeating ? 'true' : 'exists (select 1 from mine)'})`,
        [node],
      );
      rows = found.rows as NodeRow[];
    } catch {
      lose(by);
      return;
    }
    const tookMs = clock.monotonicMs() - began;
    const nowMs = Number(rows[0]?.now_ms ?? clock.nowMs());
    const own = rows.find(({ seq }) => Number(seq) === node);
    const silentMs = isBeating && own !== undefined ? nowMs - Number(own.beat_at_ms) : 0;
    // It reads and cannot be written: it may be the primary no more.
    if (silentMs > address.silenceMs) lose(by);
    // Who could not write for so long does not know either whether others could.
    if (Math.max(tookMs, silentMs) > address.silenceMs / 2) wellSinceMs = Number.POSITIVE_INFINITY;
    else wellSinceMs = Math.min(wellSinceMs, began);
    aheadMs = nowMs + tookMs / 2 - clock.nowMs();
    if (own === undefined) {
      if (!isFenced && !closed) {
        isFenced = true;
        fenced.tell();
      }
      return;
    }
    const before = living.length;
    living = rows
      .filter(
        ({ has_left: hasLeft, beat_at_ms: at, seq }) =>
          Number(seq) === node || (!hasLeft && nowMs - Number(at) < address.silenceMs),
      )
      .map((row) => ({
        id: row.id,
        place: row.place,
        version: row.version,
        startedAtMs: Number(row.started_at_ms),
        beatAtMs: Number(row.beat_at_ms),
        isSelf: Number(row.seq) === node,
      }));
    if (living.length !== before) numbered.tell(living.length);
    const found = Object.entries(rows[0]?.versions ?? {}) as [SharedState, number][];
    if (versions === undefined) versions = new Map(found);
    else for (const [what, version] of found) changed({ kind: 'changed', what, version });
    const canTell = clock.monotonicMs() - wellSinceMs >= address.silenceMs;
    for (const { seq, id, has_left: hasLeft, beat_at_ms: at } of rows) {
      if (Number(seq) === node) continue;
      if (!hasLeft && !(canTell && nowMs - Number(at) >= address.silenceMs)) continue;
      const isDead = `has_left or beat_at_ms < ${DATABASE_NOW_MS} - ${address.silenceMs}`;
      const buried = await buryNode(pool, Number(seq), node, clock.nowMs(), isDead).catch(() => undefined);
      if (buried === undefined) continue;
      buriedListeners.tell(id, buried);
      if (buried.waiting.length > 0) await send({ kind: 'waiting' }).catch(() => undefined);
    }
  }

  async function send(...signals: readonly Signal[]): Promise<void> {
    const places = signals.map((signal) =>
      signal.kind === 'message' && signal.to !== undefined ? `${channel}_${signal.to}` : channel,
    );
    // Numbered: of two that are alike in one statement PostgreSQL tells but one.
    const texts = signals.map((signal, number) => JSON.stringify({ ...signal, from: node, number }));
    await pool.query({
      name: 'headgate_tell',
      text: 'select pg_notify(place, said) from unnest($1::text[], $2::text[]) as u(place, said)',
      values: [places, texts],
    });
  }

  function beat(): Promise<void> {
    return (beating ??= beatOnce().finally(() => {
      beating = undefined;
    }));
  }

  function keepBeating(): void {
    if (closed) return;
    void beat();
    clock.after(BEAT_MS, keepBeating);
  }

  await connect();
  await beat();
  clock.after(BEAT_MS, keepBeating);
  return {
    living: () => living,
    onNodes: numbered.listen,
    send,
    onSignal: heard.listen,
    onReconnect: reconnected.listen,
    onBuried: buriedListeners.listen,
    onFenced(listener) {
      // It may have been while the server was still starting, before anybody listened.
      if (isFenced) queueMicrotask(listener);
      return fenced.listen(listener);
    },
    aheadMs: () => aheadMs,
    ready() {
      beats ??= startBeats({ address, node });
    },
    async close() {
      closed = true;
      await beats?.stop();
      await beating;
      const last = client;
      client = undefined;
      await last?.end().catch(() => undefined);
    },
  };
}

const KINDS: ReadonlySet<string> = new Set<Signal['kind']>([
  'recall',
  'changed',
  'wrote',
  'said',
  'lowered',
  'waiting',
  'cancel',
  'message',
]);

/** undefined: this node's own, or one that this version does not know. */
function readSignal(payload: string | undefined, node: number): [Signal, number] | undefined {
  try {
    const { from, ...signal } = JSON.parse(payload ?? '') as Signal & { readonly from: number };
    if (from === node) return undefined;
    return KINDS.has(signal.kind) ? [signal, from] : undefined;
  } catch {
    return undefined;
  }
}

interface Listeners<Told extends readonly unknown[]> {
  readonly listen: (listener: (...told: Told) => void) => () => void;
  readonly tell: (...told: Told) => void;
}

export function createListeners<Told extends readonly unknown[]>(): Listeners<Told> {
  const listeners = new Set<(...told: Told) => void>();
  return {
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell(...told) {
      for (const listener of listeners) listener(...told);
    },
  };
}
