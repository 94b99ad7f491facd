// Delivers alerts to sinks, each at least once, from the ledger's outbox: a restart, or a sink that is down, loses none.
import type { Clock } from '../../common/clock.ts';
import type { AlertRecord } from '../../engine/execution/recorder.ts';
import type { PlanAlertSink } from '../../language/plan/types.ts';
import type { AlertOutbox, WrittenFeed } from '../../ledger/port.ts';
import { alertMessage, RANK, TOPIC_OF, type Message, type SpendReport } from './message.ts';
import { SinkFailed, type Send } from './send.ts';

export interface DeliveryOptions {
  readonly ledger: AlertOutbox & WrittenFeed;
  readonly clock: Clock;
  readonly send: Send;
  /** The report that is due for the span that ended last. */
  readonly report: (sink: PlanAlertSink) => Promise<SpendReport | null>;
  /** What happened to a message; `failed` is told of each try. */
  readonly told: (sink: string, result: 'delivered' | 'failed', error: Error | null) => void;
}

export interface Delivery {
  /** The sinks that there are now; new ones hear of alerts from `sinceMs` on. */
  configure(sinks: readonly PlanAlertSink[], sinceMs: number): Promise<void>;
  /** Not from the ledger: for what the ledger cannot write. */
  tellNow(alert: AlertRecord): Promise<void>;
  /** Looks for reports that are due. */
  reports(): Promise<void>;
  /** No more is sent; resolves when what is under way has ended. */
  close(): Promise<void>;
}

/** What comes within a second comes together. */
const GATHER_MS = 1_000;
/** More than so many at once are a digest. */
const SINGLY = 3;
/** Read at once; what is beyond it is the next digest. */
const AT_ONCE = 1_000;
const FIRST_BACKOFF_MS = 5_000;
const LONGEST_BACKOFF_MS = 15 * 60_000;
/** Keys that are remembered for deduplication (INV-14). */
const MOST_TOLD = 1_000;

/** Kept in the ledger with each delivery. */
interface SinkState {
  /** When each was told last, by what makes two alerts the same. */
  readonly told: { readonly [key: string]: number };
  /** When messages were sent, within the rate's time. */
  readonly sentAtMs: readonly number[];
  /** The end of the span that was reported last; null: none yet. */
  readonly reportedMs: number | null;
}

const FRESH: SinkState = { told: {}, sentAtMs: [], reportedMs: null };

export function createDelivery(options: DeliveryOptions): Delivery {
  const { ledger, clock } = options;
  const sinks = new Map<string, SinkPump>();
  let isClosed = false;
  const release = ledger.onWritten((rows) => {
    if (rows.some(({ kind }) => kind === 'alert')) for (const sink of sinks.values()) sink.wake(GATHER_MS);
  });
  return {
    async configure(next, sinceMs) {
      if (isClosed) return;
      await ledger.keepSinks(
        next.map(({ name }) => name),
        sinceMs,
      );
      const names = new Set(next.map(({ name }) => name));
      for (const [name, pump] of sinks)
        if (!names.has(name)) {
          sinks.delete(name);
          await pump.stop();
        }
      for (const sink of next) {
        const known = sinks.get(sink.name);
        if (known) known.sink = sink;
        else sinks.set(sink.name, new SinkPump(sink, options));
        sinks.get(sink.name)?.wake(GATHER_MS);
      }
    },
    async tellNow(alert) {
      await Promise.all(
        [...sinks.values()]
          .filter(({ sink }) => takes(sink, alert))
          .map(({ sink }) =>
            options
              .send(sink, alertMessage([alert], clock.nowMs()))
              .catch((error: unknown) => options.told(sink.name, 'failed', asError(error))),
          ),
      );
    },
    async reports() {
      await Promise.all([...sinks.values()].map((pump) => pump.reportWhenDue()));
    },
    async close() {
      isClosed = true;
      release();
      await Promise.all([...sinks.values()].map((pump) => pump.stop()));
    },
  };
}

function takes({ kinds, from }: PlanAlertSink, { kind, severity }: AlertRecord): boolean {
  return (kinds === null || kinds.includes(TOPIC_OF[kind])) && RANK[severity] >= RANK[from];
}

/** What makes two alerts the same: another account, share, window, state or revision is another matter. */
const PARTS = [
  'account',
  'share',
  'windowStartedAtMs',
  'state',
  'hash',
  'model',
  'attempts',
  'code',
  'path',
] as const;

/** null: each is told. */
function sameness({ kind, scope, details }: AlertRecord): string | null {
  if (kind === 'paused' || kind === 'resumed') return null;
  return JSON.stringify([kind, scope, ...PARTS.map((part) => details[part] ?? null)]);
}

class SinkPump {
  sink: PlanAlertSink;
  readonly #options: DeliveryOptions;
  #cancel: (() => void) | undefined;
  #wakesAtMs = Number.POSITIVE_INFINITY;
  #working: Promise<void> = Promise.resolve();
  #isStopped = false;
  #failures = 0;
  #restsUntilMs = 0;
  /** Sent, and not yet taken out of the ledger: it is not sent again by this process. */
  #sent: { readonly throughSeq: number; readonly state: SinkState } | undefined;

  constructor(sink: PlanAlertSink, options: DeliveryOptions) {
    this.sink = sink;
    this.#options = options;
  }

  wake(delayMs: number): void {
    if (this.#isStopped) return;
    const { clock } = this.#options;
    const atMs = Math.max(clock.nowMs() + delayMs, this.#restsUntilMs);
    if (atMs >= this.#wakesAtMs) return;
    this.#cancel?.();
    this.#wakesAtMs = atMs;
    this.#cancel = clock.after(atMs - clock.nowMs(), () => {
      this.#wakesAtMs = Number.POSITIVE_INFINITY;
      this.#cancel = undefined;
      void this.#work(() => this.#deliver());
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel?.();
    await this.#working;
  }

  async reportWhenDue(): Promise<void> {
    if (this.sink.report !== null) await this.#work(() => this.#report());
  }

  /** One thing after the other; a failure is told, and tried again later. */
  #work(body: () => Promise<void>): Promise<void> {
    this.#working = this.#working.then(() => this.#attempt(body));
    return this.#working;
  }

  async #attempt(body: () => Promise<void>): Promise<void> {
    const { clock, told } = this.#options;
    if (this.#isStopped || clock.nowMs() < this.#restsUntilMs) {
      this.wake(0);
      return;
    }
    try {
      await body();
      this.#failures = 0;
    } catch (error) {
      const asked = error instanceof SinkFailed ? (error.retryAfterMs ?? 0) : 0;
      const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(this.#failures, 20), LONGEST_BACKOFF_MS);
      this.#failures += 1;
      this.#restsUntilMs = clock.nowMs() + Math.max(backoffMs, asked);
      told(this.sink.name, 'failed', asError(error));
      this.wake(0);
    }
  }

  async #deliver(): Promise<void> {
    const { ledger, clock } = this.#options;
    while (!this.#isStopped) {
      await this.#takeOutSent();
      const { waiting, state: stored } = await ledger.waitingAlerts(this.sink.name, AT_ONCE);
      const last = waiting.at(-1);
      if (last === undefined) return;
      const nowMs = clock.nowMs();
      const state = stateOf(stored);
      const { fresh, told } = this.#fresh(waiting, state);
      const [first] = fresh;
      if (first === undefined) {
        await this.#takeOut(last.seq, { ...state, told });
        continue;
      }
      const { amount, perMs } = this.sink.rate;
      const sentAtMs = state.sentAtMs.filter((atMs) => atMs > nowMs - perMs && atMs <= nowMs);
      const oldest = sentAtMs[0];
      if (sentAtMs.length >= amount && oldest !== undefined) {
        this.wake(oldest + perMs - nowMs);
        return;
      }
      const together = fresh.length > Math.min(SINGLY, amount - sentAtMs.length);
      const taken = together ? fresh : [first];
      const throughSeq = together ? last.seq : first.seq;
      await this.#send(
        alertMessage(
          taken.map(({ alert }) => alert),
          nowMs,
        ),
        throughSeq,
        {
          ...state,
          told: together ? told : this.#remember(state.told, [first.alert]),
          sentAtMs: [...sentAtMs, nowMs],
        },
      );
    }
  }

  /** Those that the sink takes and was not told lately. */
  #fresh(
    waiting: readonly { readonly seq: number; readonly alert: AlertRecord }[],
    { told }: SinkState,
  ): { readonly fresh: typeof waiting; readonly told: SinkState['told'] } {
    let known = told;
    const fresh = waiting.filter(({ alert }) => {
      if (!takes(this.sink, alert)) return false;
      const key = sameness(alert);
      const toldAtMs = key === null ? undefined : known[key];
      if (toldAtMs !== undefined && alert.atMs < toldAtMs + this.sink.dedupeMs) return false;
      known = this.#remember(known, [alert]);
      return true;
    });
    return { fresh, told: known };
  }

  #remember(told: SinkState['told'], alerts: readonly AlertRecord[]): SinkState['told'] {
    const next = new Map(Object.entries(told));
    for (const alert of alerts) {
      const key = sameness(alert);
      if (key === null) continue;
      next.delete(key);
      next.set(key, alert.atMs);
    }
    return Object.fromEntries([...next].slice(-MOST_TOLD));
  }

  async #report(): Promise<void> {
    const { ledger, clock, report } = this.#options;
    await this.#takeOutSent();
    const due = await report(this.sink);
    if (due === null) return;
    const { waiting, state: stored, isTeller } = await ledger.waitingAlerts(this.sink.name, 1);
    if (!isTeller) return;
    const state = stateOf(stored);
    if (state.reportedMs !== null && due.toMs <= state.reportedMs) return;
    const next = { ...state, reportedMs: due.toMs };
    // Nothing that waits is taken out with it.
    const before = (waiting[0]?.seq ?? 0) - 1;
    // A sink that is new is not told of what was before it.
    if (state.reportedMs === null) await this.#takeOut(before, next);
    else
      await this.#send(
        { kind: 'report', id: `msg_report_${this.sink.name}_${due.toMs}`, atMs: clock.nowMs(), report: due },
        before,
        next,
      );
  }

  async #send(message: Message, throughSeq: number, state: SinkState): Promise<void> {
    await this.#options.send(this.sink, message);
    this.#options.told(this.sink.name, 'delivered', null);
    this.#sent = { throughSeq, state };
    await this.#takeOutSent();
  }

  async #takeOutSent(): Promise<void> {
    if (this.#sent === undefined) return;
    await this.#takeOut(this.#sent.throughSeq, this.#sent.state);
    this.#sent = undefined;
  }

  async #takeOut(throughSeq: number, state: SinkState): Promise<void> {
    await this.#options.ledger.delivered(this.sink.name, throughSeq, JSON.stringify(state));
  }
}

function stateOf(stored: string | null): SinkState {
  return stored === null ? FRESH : { ...FRESH, ...(JSON.parse(stored) as Partial<SinkState>) };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('unknown');
}
