// Runs of other nodes, followed here; and the runs of this node, told to the nodes where they are followed.
import type { Clock } from '../../../common/clock.ts';
import type { Json } from '../../../common/json.ts';
import type { Engine, RunEvent } from '../../../engine/execution/port.ts';
import type { History } from '../../../engine/execution/recorder.ts';
import type { NumberedEvent, RunJournals } from './journal.ts';

/** What is in no row goes from node to node; it may be lost. */
export interface Messages {
  send(body: Json, to?: number): Promise<void>;
  onMessage(listener: (body: Json, from: number) => void): () => void;
  readonly mostBytes: number;
}

export interface RemoteRunsParts {
  readonly messages: Messages;
  readonly journals: RunJournals;
  readonly engine: Pick<Engine, 'has' | 'subscribe'>;
  readonly history: History;
  readonly clock: Clock;
}

export interface RemoteFollower {
  /** Whether it is told all that happened after the number that it gave, or only what happens from now on. */
  readonly whole: boolean;
  stop(): void;
}

/** Texts go as they are; what is in a row is read there by whoever hears of it (INV-11). `more`: the text goes on in the next one. */
type ToldEvent = { readonly seq: number | null; readonly runId: string; readonly atMs: number } & (
  | {
      readonly type: 'text';
      readonly step: string;
      readonly path: string;
      readonly delta: string;
      readonly more?: true;
    }
  | { readonly type: 'restart'; readonly step: string; readonly path: string; readonly reason: string }
  | { readonly type: 'step'; readonly key: string }
  | { readonly type: 'attempt' | 'settled'; readonly id: string }
  | { readonly type: 'queued' | 'finished' }
);

type Message =
  /** Asked of all, again and again: whoever runs it, then or later, tells what comes after that number. */
  | { readonly kind: 'follow'; readonly follower: number; readonly runId: string; readonly after: number }
  | { readonly kind: 'unfollow'; readonly follower: number }
  | { readonly kind: 'following'; readonly follower: number; readonly whole: boolean }
  | { readonly kind: 'events'; readonly follower: number; readonly events: readonly ToldEvent[] };

/** So often it is asked for: the node that runs it may have died. */
const ASK_EVERY_MS = 500;
/** Nobody runs it, or the answer is lost. */
const ANSWER_WITHIN_MS = 400;
/** Who has not asked for so long is gone. */
const FORGET_MS = 10_000;
/** Text is told so often. */
const GATHER_MS = 25;
/** A run whose end is in the ledger: so long is waited for its last texts, and for its node to tell the end itself. It may have died with them. */
const LAST_TEXTS_MS = 3_000;
/** The same where no node has said that it tells of the run. */
const UNTOLD_MS = 300;
/** A character of JSON takes six bytes at most. */
const BYTES_A_CHARACTER = 6;
const MOST_FOLLOWERS = 1_000;

export class RemoteRuns {
  readonly #parts: RemoteRunsParts;
  /** Of this node, by number: who follows a run elsewhere. */
  readonly #following = new Map<
    number,
    (message: Extract<Message, { kind: 'following' | 'events' }>) => void
  >();
  /** Of other nodes, by node and number: who follows a run that is here. */
  readonly #followers = new Map<string, Follower>();
  #next = 0;

  constructor(parts: RemoteRunsParts) {
    this.#parts = parts;
    parts.messages.onMessage((body, from) => this.#hear(body as unknown as Message, from));
  }

  #hear(message: Message, from: number): void {
    if (message.kind === 'follow') this.#tellTo(message, from);
    else if (message.kind === 'unfollow') this.#forget(`${from} ${message.follower}`);
    else this.#following.get(message.follower)?.(message);
  }

  #tellTo({ follower, runId, after }: Extract<Message, { kind: 'follow' }>, from: number): void {
    const { journals, engine, messages, clock } = this.#parts;
    const key = `${from} ${follower}`;
    const known = this.#followers.get(key);
    if (known !== undefined) {
      known.askedAtMs = clock.monotonicMs();
      return;
    }
    if (this.#followers.size >= MOST_FOLLOWERS) this.#forgetTheGone();
    // One after the other: sent side by side, the end may arrive before the last texts, and nobody listens after it.
    let sending = Promise.resolve();
    const send = (message: Message): void => {
      sending = sending.then(() => messages.send(message as unknown as Json, from)).catch(() => undefined);
    };
    const made = new Follower(
      clock,
      (events) => send({ kind: 'events', follower, events }),
      messages.mostBytes - 200,
      () => this.#forget(key),
    );
    const whole = journals.has(runId);
    if (!whole && !engine.has(runId)) return;
    send({ kind: 'following', follower, whole });
    this.#followers.set(key, made);
    // What is kept of it is told at once, its end perhaps.
    const stop = whole
      ? journals.follow(runId, after, (event) => made.push(event))
      : engine.subscribe(runId, (event) => made.push({ ...event, seq: null }));
    if (made.isOver) stop?.();
    else made.stop = stop;
  }

  #forget(key: string): void {
    this.#followers.get(key)?.end();
    this.#followers.delete(key);
  }

  #forgetTheGone(): void {
    const sinceMs = this.#parts.clock.monotonicMs() - FORGET_MS;
    for (const [key, { askedAtMs }] of this.#followers) if (askedAtMs < sinceMs) this.#forget(key);
  }

  /** Follows a run that is not here until it ends, through the death of the node that runs it. */
  async follow(runId: string, after: number, tell: (event: NumberedEvent) => void): Promise<RemoteFollower> {
    const { messages, journals, history, clock } = this.#parts;
    const follower = (this.#next += 1);
    const answered = Promise.withResolvers<boolean>();
    const gone = new AbortController();
    let last = after;
    let stopHere: (() => void) | undefined;
    let cancelAsking = (): void => undefined;
    let cancelEnd = (): void => undefined;
    let isToldOf = false;
    let reading = Promise.resolve();

    const stop = (): void => {
      if (gone.signal.aborted) return;
      gone.abort(new Error('nobody follows it any more'));
      cancelAsking();
      cancelEnd();
      stopHere?.();
      this.#following.delete(follower);
      messages.send({ kind: 'unfollow', follower }).catch(() => undefined);
    };
    const give = (event: NumberedEvent): void => {
      if (gone.signal.aborted || (event.seq !== null && event.seq <= last)) return;
      last = event.seq ?? last;
      if (event.type === 'finished') stop();
      tell(event);
    };
    let partOfText = '';
    const take = async (told: ToldEvent): Promise<void> => {
      if (told.type === 'text') {
        partOfText += told.delta;
        if (told.more === true) return;
        give({ ...told, delta: partOfText });
        partOfText = '';
      } else {
        const event = await readEvent(history, told);
        if (event !== undefined) give(event);
      }
    };
    const ask = (): void => {
      // It may be taken by this very node.
      stopHere ??= journals.follow(runId, last, give);
      if (stopHere === undefined)
        messages.send({ kind: 'follow', follower, runId, after: last }).catch(() => undefined);
      cancelAsking = clock.after(ASK_EVERY_MS, ask);
    };

    this.#following.set(follower, (message) => {
      isToldOf = true;
      if (message.kind === 'following') answered.resolve(message.whole);
      else for (const told of message.events) reading = reading.then(() => take(told)).catch(() => undefined);
    });
    ask();
    clock.after(ANSWER_WITHIN_MS, () => answered.resolve(false));
    const whole = stopHere !== undefined || (await answered.promise);
    // The end is in the ledger, whoever tells of it.
    history.ended(runId, gone.signal).then(
      () => {
        if (gone.signal.aborted) return;
        cancelEnd = clock.after(isToldOf ? LAST_TEXTS_MS : UNTOLD_MS, () => {
          reading = reading
            .then(() => take({ type: 'finished', runId, seq: null, atMs: clock.nowMs() }))
            .catch(() => undefined);
        });
      },
      () => undefined,
    );
    return { whole, stop };
  }
}

/** Who follows a run of this node elsewhere: what happens is gathered for a moment, and sent in messages that are small enough. */
class Follower {
  readonly #clock: Clock;
  readonly #send: (events: readonly ToldEvent[]) => void;
  readonly #mostBytes: number;
  readonly #onOver: () => void;
  #waiting: ToldEvent[] = [];
  #cancel: (() => void) | undefined;
  askedAtMs: number;
  isOver = false;
  stop: (() => void) | undefined;

  constructor(
    clock: Clock,
    send: (events: readonly ToldEvent[]) => void,
    mostBytes: number,
    onOver: () => void,
  ) {
    this.#clock = clock;
    this.#send = send;
    this.#mostBytes = mostBytes;
    this.#onOver = onOver;
    this.askedAtMs = clock.monotonicMs();
  }

  push(event: NumberedEvent): void {
    if (this.isOver) return;
    this.#waiting.push(...toldOf(event, Math.floor(this.#mostBytes / 2 / BYTES_A_CHARACTER)));
    if (event.type === 'finished') {
      this.#flush();
      this.isOver = true;
      this.#onOver();
    } else
      this.#cancel ??= this.#clock.after(GATHER_MS, () => {
        this.#flush();
      });
  }

  #flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    let batch: ToldEvent[] = [];
    let bytes = 0;
    for (const told of this.#waiting) {
      const more = Buffer.byteLength(JSON.stringify(told)) + 1;
      if (bytes + more > this.#mostBytes) {
        this.#send(batch);
        batch = [];
        bytes = 0;
      }
      batch.push(told);
      bytes += more;
    }
    if (batch.length > 0) this.#send(batch);
    this.#waiting = [];
  }

  end(): void {
    this.isOver = true;
    this.#cancel?.();
    this.stop?.();
  }
}

function toldOf(event: NumberedEvent, mostCharacters: number): readonly ToldEvent[] {
  const { seq, runId, atMs } = event;
  const base = { seq, runId, atMs };
  switch (event.type) {
    case 'text': {
      const { type, step, path, delta } = event;
      const parts: ToldEvent[] = [];
      for (let at = 0; at < delta.length || at === 0; at += mostCharacters) {
        const isLast = at + mostCharacters >= delta.length;
        const part = delta.slice(at, at + mostCharacters);
        parts.push({ ...base, type, step, path, delta: part, ...(isLast ? {} : { more: true as const }) });
      }
      return parts;
    }
    case 'restart': {
      const { type, step, path, reason } = event;
      return [{ ...base, type, step, path, reason: reason.slice(0, mostCharacters) }];
    }
    case 'step':
      return [{ ...base, type: 'step', key: event.step.key }];
    case 'attempt':
    case 'settled':
      return [{ ...base, type: event.type, id: event.attempt.id }];
    case 'queued':
    case 'finished':
      return [{ ...base, type: event.type }];
  }
}

/** undefined: its row is not there. */
async function readEvent(
  history: History,
  told: Exclude<ToldEvent, { type: 'text' }>,
): Promise<NumberedEvent | undefined> {
  const { runId, atMs, seq } = told;
  const base = { runId, atMs, seq };
  switch (told.type) {
    case 'restart':
      return { ...base, type: 'restart', step: told.step, path: told.path, reason: told.reason };
    case 'queued':
      return { ...base, type: 'queued' };
    case 'step': {
      const step = (await history.stepsOf([runId])).get(runId)?.find(({ key }) => key === told.key);
      return step && { ...base, type: 'step', step };
    }
    case 'attempt':
    case 'settled': {
      const attempt = (await history.attemptsOf([runId])).get(runId)?.find(({ id }) => id === told.id);
      return attempt && { ...base, type: told.type, attempt };
    }
    case 'finished': {
      const run = await history.ended(runId);
      const [steps, attempts] = await Promise.all([history.stepsOf([runId]), history.attemptsOf([runId])]);
      const snapshot = { run, steps: steps.get(runId) ?? [], attempts: attempts.get(runId) ?? [] };
      return { ...base, type: 'finished', result: { kind: 'run', snapshot } };
    }
  }
}

/** What happens in runs that go on here is kept from their beginning here on, for those who followed them elsewhere. */
export function journalContinued(engine: Pick<Engine, 'onContinued'>, journals: RunJournals): void {
  engine.onContinued((event: RunEvent) => {
    journals.append(event);
  });
}
