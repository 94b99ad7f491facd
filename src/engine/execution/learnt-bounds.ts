// What each model counts beside what is counted here: hidden templates, other tokenizers, output beyond the maximum, dearer bills; learnt from answers.
import { InFlight } from '../../common/in-flight.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { PlanModel } from '../../language/plan/types.ts';
import type { Usage } from '../providers/port.ts';
import { costOf, worstCost } from '../routing/cost.ts';

/** The most that a call may come to: what is held for it. */
export interface WorstCase {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costNanoUsd: NanoUsd;
  /** On top, where a budget has room, while little is known of the model; given back as soon as more is. */
  readonly margin: { readonly costNanoUsd: NanoUsd; readonly tokens: number };
}

/** A call as it is asked: the bound of its input as counted here, and the most output. */
export interface Asked {
  readonly model: Pick<PlanModel, 'key' | 'price' | 'contextTokens' | 'maxOutputTokens'>;
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
  /** Beside the tokens: of the vendor's own tools. */
  readonly feesNanoUsd?: NanoUsd;
}

/** What is kept of a model, for the next process. */
export interface LearntBound {
  /** Answers with a count, as far as they are told apart. */
  readonly calls: number;
  /** By the size of the input, as a power of two: tokens above what was counted, at most, and as a share of it. */
  readonly input: Excesses;
  /** The same of the output, beside the maximum that was asked for. */
  readonly output: Excesses;
  /** Cost billed, as a multiple of what the price list says; 1 and more. */
  readonly cost: number;
  /** Beside the likely count of the input, and beside what was seen of the output: what estimates are raised by. Left out: kept by a version that did not know. */
  readonly likely?: Excesses;
  readonly shown?: Excesses;
}

/** What was counted here of a call that ended. */
export interface Counted {
  /** The best guess at the input. */
  readonly inputTokens: number;
  /** Of the text that was seen. */
  readonly outputTokens: number;
}

interface Excesses {
  readonly [bits: string]: Excess;
}

interface Excess {
  readonly tokens: number;
  readonly share: number;
}

const NOTHING: LearntBound = { calls: 0, input: {}, output: {}, cost: 1 };

/** What was seen is passed a little by what comes next: texts differ. */
const PAD = 1.125;
/** After so many answers with a count a model is known. */
const KNOWN_AFTER = 16;
/** Of a model that nothing is known of, and of one that little is known of. */
const NEW_MARGIN = { share: 0.5, tokens: 64 };
const EARLY_MARGIN = { share: 0.1, tokens: 16 };
/** What was learnt is forgotten after twice as many answers that did not confirm it: templates and tokenizers change. */
const FORGET_AFTER = 256;

/** Kept by model of the plans, of which there are few (INV-14). */
export class LearntBounds {
  /** `both`: put together of the two, until there is something new. */
  readonly #models = new Map<
    string,
    { now: LearntBound; before: LearntBound; both?: LearntBound | undefined }
  >();
  readonly #onLearnt: (modelKey: string, bound: LearntBound) => void;
  /** Calls under way, by model, and how each is told of another worst case. */
  readonly #open = new Map<string, InFlight<number, () => void>>();
  #calls = 0;

  /** `onLearnt`: called for what is worth being kept over a restart. */
  constructor(
    known: ReadonlyMap<string, LearntBound> = new Map(),
    onLearnt: (modelKey: string, bound: LearntBound) => void = () => undefined,
  ) {
    for (const [key, bound] of known) this.#models.set(key, { now: NOTHING, before: bound });
    this.#onLearnt = onLearnt;
  }

  worst({ model, inputTokens, maxOutputTokens, feesNanoUsd = 0n }: Asked): WorstCase {
    const { price, contextTokens } = model;
    const fees = price.kind === 'free' ? 0n : feesNanoUsd;
    const learnt = this.#of(model.key);
    // What is beyond the model's own limits is no count of it, and is not settled as one.
    const within = (tokens: number, more: number, limit: number): number =>
      Math.max(tokens, Math.min(limit, tokens + more));
    const mostOutput = model.maxOutputTokens ?? contextTokens;
    const input = within(inputTokens, excess(learnt.input, inputTokens), contextTokens);
    const output = within(maxOutputTokens, excess(learnt.output, maxOutputTokens), mostOutput);
    const dearer = 1 + (learnt.cost - 1) * PAD;
    const costNanoUsd = times(worstCost(price, input, output), dearer) + fees;
    const margin = learnt.calls === 0 ? NEW_MARGIN : learnt.calls < KNOWN_AFTER ? EARLY_MARGIN : undefined;
    if (margin === undefined)
      return {
        inputTokens: input,
        outputTokens: output,
        costNanoUsd,
        margin: { costNanoUsd: 0n, tokens: 0 },
      };
    const moreInput = within(input, Math.ceil(input * margin.share) + margin.tokens, contextTokens) - input;
    const moreOutput = within(output, Math.ceil(output * margin.share), mostOutput) - output;
    const most = times(worstCost(price, input + moreInput, output + moreOutput), dearer) + fees;
    return {
      inputTokens: input,
      outputTokens: output,
      costNanoUsd,
      margin: { costNanoUsd: most - costNanoUsd, tokens: moreInput + moreOutput },
    };
  }

  /**
   * What a call may have been counted as by its provider, who said nothing, or was cut: half as much again of a model that nothing is known of, else as much
   * more as it was seen to count.
   */
  estimate(modelKey: string, { inputTokens, outputTokens }: Counted): Counted {
    const learnt = this.#of(modelKey);
    if (learnt.calls === 0)
      return {
        inputTokens: inputTokens + Math.ceil(inputTokens * NEW_MARGIN.share),
        outputTokens: outputTokens + Math.ceil(outputTokens * NEW_MARGIN.share),
      };
    return {
      inputTokens: inputTokens + excess(learnt.likely ?? {}, inputTokens),
      // What was never shown (thinking) is as long as it is, whatever follows it.
      outputTokens: outputTokens + excess(learnt.shown ?? {}, outputTokens, 1),
    };
  }

  /** An answer was counted, and cost so much; `counted`: by us, null where its text was not looked at. Calls under way are held for by what is known now. */
  observe(
    { model, inputTokens, maxOutputTokens }: Asked,
    usage: Usage,
    costNanoUsd: NanoUsd,
    counted: { readonly inputTokens: number; readonly outputTokens: number | null },
  ): void {
    const { key, price } = model;
    let kept = this.#models.get(key);
    if (kept === undefined) this.#models.set(key, (kept = { now: NOTHING, before: NOTHING }));
    const known = this.#of(key);
    const { now } = kept;
    kept.now = {
      calls: now.calls + 1,
      input: seen(now.input, inputTokens, usage.inputTokens),
      output: seen(now.output, maxOutputTokens, usage.outputTokens),
      cost: Math.max(now.cost, ratioOf(costNanoUsd, costOf(price, usage))),
      likely: seen(now.likely ?? NONE, counted.inputTokens, usage.inputTokens),
      shown:
        counted.outputTokens === null
          ? (now.shown ?? NONE)
          : seen(now.shown ?? NONE, counted.outputTokens, usage.outputTokens),
    };
    // Nearly every answer brings nothing new: then what was put together holds, but for how many there were.
    kept.both =
      kept.both !== undefined && sameExcesses(now, kept.now)
        ? { ...kept.both, calls: kept.both.calls + 1 }
        : undefined;
    if (kept.now.calls >= FORGET_AFTER) {
      kept.before = kept.now;
      kept.now = NOTHING;
      kept.both = undefined;
    }
    const next = this.#of(key);
    const changed = !alike(known, next);
    if (!changed) return;
    this.#onLearnt(key, next);
    for (const again of this.#open.get(key)?.values() ?? []) again();
  }

  /** A call is under way: `again` hears of its worst case when that is another than before. Gives how to end it. */
  under(asked: Asked, again: (worst: WorstCase) => void): () => void {
    const { key } = asked.model;
    let open = this.#open.get(key);
    if (open === undefined) this.#open.set(key, (open = new InFlight()));
    this.#calls += 1;
    const call = this.#calls;
    open.set(call, () => again(this.worst(asked)));
    return () => open.take(call);
  }

  #of(modelKey: string): LearntBound {
    const model = this.#models.get(modelKey);
    if (model === undefined) return NOTHING;
    const { now, before } = model;
    if (now.calls === 0) return before;
    if (before.calls === 0) return now;
    return (model.both ??= {
      calls: before.calls + now.calls,
      input: greater(before.input, now.input),
      output: greater(before.output, now.output),
      cost: Math.max(now.cost, before.cost),
      likely: greater(before.likely ?? NONE, now.likely ?? NONE),
      shown: greater(before.shown ?? NONE, now.shown ?? NONE),
    });
  }
}

/** A text from the ledger, which another version may have written; undefined: it is none. */
export function readLearntBound(text: string): LearntBound | undefined {
  try {
    const read = JSON.parse(text) as LearntBound;
    const excesses = [read.input, read.output, read.likely ?? {}, read.shown ?? {}].flatMap((each) =>
      Object.values(each),
    );
    const sane = [read.calls, read.cost, ...excesses.flatMap(({ tokens, share }) => [tokens, share])];
    return sane.every((value) => Number.isFinite(value) && value >= 0) ? read : undefined;
  } catch {
    return undefined;
  }
}

function sizeOf(tokens: number): number {
  return Math.ceil(Math.log2(Math.max(1, tokens)));
}

/** By what was seen of inputs of this size; else of smaller ones, else of larger ones: both ways the greater of offset and share, which is the careful one. */
function excess(seenBySize: Excesses, tokens: number, mostShare = Number.POSITIVE_INFINITY): number {
  const size = sizeOf(tokens);
  const found = seenBySize[size] ?? nearest(seenBySize, size);
  return found === undefined
    ? 0
    : Math.ceil(Math.max(found.tokens, Math.min(found.share, mostShare) * tokens) * PAD);
}

function nearest(seenBySize: Excesses, size: number): Excess | undefined {
  let found: number | undefined;
  for (const key of Object.keys(seenBySize)) {
    const bits = Number(key);
    if (found === undefined || (bits <= size ? found > size || bits > found : found > size && bits < found))
      found = bits;
  }
  return found === undefined ? undefined : seenBySize[found];
}

function seen(before: Excesses, counted: number, reported: number): Excesses {
  const tokens = Math.max(0, reported - counted);
  const bits = sizeOf(counted);
  const known = before[bits];
  const share = tokens / Math.max(1, counted);
  if (known !== undefined && known.tokens >= tokens && known.share >= share) return before;
  return greater(before, { [bits]: { tokens, share } });
}

const NONE: Excesses = {};

/** `a` itself where `b` has nothing beyond it: every call asks, and few bring something new. */
function greater(a: Excesses, b: Excesses): Excesses {
  let both: { [bits: string]: Excess } | undefined;
  for (const [bits, { tokens, share }] of Object.entries(b)) {
    const known = a[Number(bits)];
    if (known !== undefined && known.tokens >= tokens && known.share >= share) continue;
    both ??= { ...a };
    both[bits] = { tokens: Math.max(tokens, known?.tokens ?? 0), share: Math.max(share, known?.share ?? 0) };
  }
  return both ?? a;
}

/** The very same ones: `seen` gives back what it was given where there is nothing new. */
function sameExcesses(a: LearntBound, b: LearntBound): boolean {
  return (
    a.cost === b.cost &&
    a.input === b.input &&
    a.output === b.output &&
    a.likely === b.likely &&
    a.shown === b.shown
  );
}

const PRECISION = 1_000_000;

function times(amount: NanoUsd, ratio: number): NanoUsd {
  if (ratio <= 1) return amount;
  return (amount * BigInt(Math.ceil(ratio * PRECISION)) + BigInt(PRECISION - 1)) / BigInt(PRECISION);
}

/** 1 where the price list says nothing. */
function ratioOf(actual: NanoUsd, expected: NanoUsd): number {
  if (expected <= 0n || actual <= expected) return 1;
  return Number((actual * BigInt(PRECISION)) / expected) / PRECISION;
}

function howKnown({ calls }: LearntBound): number {
  return calls === 0 ? 0 : calls < KNOWN_AFTER ? 1 : 2;
}

function same(one: Excesses = NONE, other: Excesses = NONE): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

function alike(a: LearntBound, b: LearntBound): boolean {
  return (
    howKnown(a) === howKnown(b) &&
    a.cost === b.cost &&
    same(a.input, b.input) &&
    same(a.output, b.output) &&
    same(a.likely, b.likely) &&
    same(a.shown, b.shown)
  );
}
