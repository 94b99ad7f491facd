// Journals: the events of runs that are followed, numbered and kept for a while, so that who comes back misses none of the text.
import { rootRunId } from '../../../common/ids.ts';
import type { RunEvent } from '../../../engine/execution/port.ts';

/** `seq` numbers a run's events from 0, those of its children among them; null where no journal of the run is kept. */
export type NumberedEvent = RunEvent & { readonly seq: number | null };

/** All journals together take some 40 MB at most (INV-14). */
const MAX_JOURNALS = 200;
const MAX_EVENTS = 2000;
const MAX_CHARACTERS = 100_000;

/** Of the numbers that a run's events have each time that it is begun: one that goes on elsewhere does not take those of before. */
const NUMBERS_A_BEGINNING = 1_000_000;

class RunJournal {
  readonly #first: number;
  readonly #listeners = new Set<(event: NumberedEvent) => void>();
  #events: NumberedEvent[] = [];
  #count = 0;
  #characters = 0;
  ended = false;
  /** Its events are still there from the first one on. */
  whole = true;

  constructor(begun: number) {
    this.#first = Math.max(0, begun - 1) * NUMBERS_A_BEGINNING;
  }

  append(event: RunEvent): NumberedEvent {
    const numbered: NumberedEvent = { ...event, seq: this.#first + this.#count };
    this.#count += 1;
    if (event.type === 'text') this.#characters += event.delta.length;
    if (event.type === 'finished') this.ended = true;
    if (this.#count > MAX_EVENTS || this.#characters > MAX_CHARACTERS) this.forget();
    if (this.whole) this.#events.push(numbered);
    for (const listener of this.#listeners) listener(numbered);
    if (this.ended) this.#listeners.clear();
    return numbered;
  }

  /** Those who listen go on being told. */
  forget(): void {
    this.whole = false;
    this.#events = [];
  }

  /** What came after that number, then what comes. The function returned stops it. */
  follow(after: number, listener: (event: NumberedEvent) => void): () => void {
    for (const event of this.#events.slice(Math.max(0, after + 1 - this.#first))) listener(event);
    if (this.ended) return () => {};
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export class RunJournals {
  readonly #journals = new Map<string, RunJournal>();

  /** Writes an event down; a run's first begins its journal. Each event of the run has to come here, in order. */
  append(event: RunEvent): NumberedEvent {
    const runId = rootRunId(event.runId);
    let journal = this.#journals.get(runId);
    if (event.type === 'queued' && (journal === undefined || event.begun !== undefined)) {
      this.#makeRoom();
      journal = new RunJournal(event.begun ?? 1);
      this.#journals.set(runId, journal);
    }
    if (journal === undefined) return { ...event, seq: null };
    const numbered = journal.append(event);
    if (journal.ended && !journal.whole) this.#journals.delete(runId);
    return numbered;
  }

  /** undefined: there is none from the first event on; the run's past is in the ledger. */
  follow(runId: string, after: number, listener: (event: NumberedEvent) => void): (() => void) | undefined {
    const journal = this.#journals.get(runId);
    return journal?.whole === true ? journal.follow(after, listener) : undefined;
  }

  /** Whether it is there from the first event on. */
  has(runId: string): boolean {
    return this.#journals.get(runId)?.whole === true;
  }

  get size(): number {
    return this.#journals.size;
  }

  /** Ended runs go first, the oldest before the younger; then what is kept of the oldest of all. */
  #makeRoom(): void {
    if (this.#journals.size < MAX_JOURNALS) return;
    for (const [runId, { ended }] of this.#journals) {
      if (!ended) continue;
      this.#journals.delete(runId);
      return;
    }
    for (const journal of this.#journals.values()) {
      if (!journal.whole) continue;
      journal.forget();
      return;
    }
  }
}

/** `run_01kb…:12`: where a reader of an event stream was. */
export interface EventPlace {
  readonly runId: string;
  readonly seq: number;
}

export function eventId({ runId, seq }: Pick<NumberedEvent, 'runId' | 'seq'>): string | null {
  return seq === null || runId === '' ? null : `${rootRunId(runId)}:${seq}`;
}

/** undefined: not such a text. */
export function parseEventId(text: string | undefined): EventPlace | undefined {
  const match = /^(run_\w+):(\d{1,9})$/.exec(text ?? '');
  return match?.[1] === undefined ? undefined : { runId: match[1], seq: Number(match[2]) };
}
