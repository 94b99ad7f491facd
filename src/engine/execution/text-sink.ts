// TextSink: the text of one step on its way to a listener; whatever is void is said to be void, nothing is spliced (INV-10).
import type { LiveRun } from './live-run.ts';

export interface TextWriter {
  write(delta: string): void;
  /** This attempt's text is void. */
  failed(reason: string): void;
  /** This attempt's text is the answer. */
  won(text: string): void;
}

/**
 * Several attempts may write at once (hedging): the first that has text leads and is heard, the others wait in memory. When the leader fails, the next
 * that has text takes over, after a restart event if anything was given.
 */
export class TextSink {
  readonly #run: LiveRun;
  readonly #step: string;
  readonly #nowMs: () => number;
  readonly #writers = new Set<Writer>();
  #leader: Writer | undefined;
  /** Given to the listener and void since: the reason. */
  #void: string | undefined;

  constructor(run: LiveRun, step: string, nowMs: () => number) {
    this.#run = run;
    this.#step = step;
    this.#nowMs = nowMs;
    // What was given of this step before ends nowhere.
    if (run.resumed) this.#void = 'the run was begun again';
  }

  writer(): TextWriter {
    const writer = new Writer(this);
    this.#writers.add(writer);
    return writer;
  }

  wrote(writer: Writer, delta: string): void {
    this.#leader ??= writer;
    if (this.#leader === writer) this.#give(writer, delta);
  }

  ended(writer: Writer, reason: string): void {
    this.#writers.delete(writer);
    if (this.#leader !== writer) return;
    this.#leader = undefined;
    if (writer.given) this.#void = reason;
    for (const next of this.#writers) {
      if (next.text === '') continue;
      this.#leader = next;
      this.#give(next, next.text);
      return;
    }
  }

  won(writer: Writer, text: string): void {
    if (this.#leader !== undefined && this.#leader !== writer)
      this.ended(this.#leader, 'another candidate answered first');
    this.#leader = writer;
    if (writer.given && !text.startsWith(writer.text)) {
      this.#void = 'the whole answer differs from its pieces';
      this.#give(writer, text);
      return;
    }
    // A call that did not stream has given nothing so far; one that did may have held back its last characters.
    const rest = writer.given ? text.slice(writer.text.length) : text;
    if (rest !== '') this.#give(writer, rest);
  }

  #give(writer: Writer, delta: string): void {
    const base = {
      runId: this.#run.id,
      atMs: this.#nowMs(),
      step: this.#step,
      path: this.#run.path(this.#step),
    };
    if (this.#void !== undefined) {
      this.#run.emit({ type: 'restart', ...base, reason: this.#void });
      this.#void = undefined;
    }
    writer.given = true;
    this.#run.emit({ type: 'text', ...base, delta });
  }
}

class Writer implements TextWriter {
  readonly #sink: TextSink;
  text = '';
  given = false;

  constructor(sink: TextSink) {
    this.#sink = sink;
  }

  write(delta: string): void {
    this.text += delta;
    this.#sink.wrote(this, delta);
  }

  failed(reason: string): void {
    this.#sink.ended(this, reason);
  }

  won(text: string): void {
    this.#sink.won(this, text);
  }
}
