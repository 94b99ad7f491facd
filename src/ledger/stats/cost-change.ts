// Why a cost changed: the difference of two spans, split by cause and laid to revisions, to the nano-dollar.
import type { NanoUsd } from '../../common/money.ts';
import type { PlanPrice, PlanRates } from '../../language/plan/types.ts';
import type { CostCause } from './port.ts';

/** Tokens, and what they cost, of the attempts that answered. */
export interface ModelUse {
  readonly attempts: bigint;
  readonly input: bigint;
  readonly cached: bigint;
  readonly written: bigint;
  readonly output: bigint;
  readonly reasoning: bigint;
  readonly costNanoUsd: NanoUsd;
}

/** One task under one revision, in one span. */
export interface SpanCell {
  /** The plan's hash. */
  readonly revision: string;
  readonly runs: bigint;
  /** Runs that called somebody. */
  readonly called: bigint;
  /** What attempts cost whose answers were not used. */
  readonly failedNanoUsd: NanoUsd;
  /** By `provider/model`. */
  readonly models: ReadonlyMap<string, ModelUse>;
  priceOf(model: string): PlanPrice | undefined;
}

/** Cells in the order of their time; `share`: the span stands for so many, and counts as their mean. */
export interface Side {
  readonly cells: readonly SpanCell[];
  readonly share: bigint;
}

export interface CostEffect {
  readonly cause: CostCause;
  /** The revision whose change of the workflows explains it; null: the same workflows cost more, or less. */
  readonly revision: string | null;
  /** The revision before it. */
  readonly before: string | null;
  readonly amountNanoUsd: NanoUsd;
}

/** Which causes a change of the workflows can have, from one revision to the next. */
export type Explains = (before: string, after: string) => ReadonlySet<CostCause>;

/** Parts of a nano-dollar: enough that only the last rounding is one. */
const SCALE = 10n ** 24n;
const PER_TOKENS = 1_000_000n;

/**
 * The effects add up to the cost of `to` less the (mean) cost of `from`. First the number of runs, at what a run cost before. Then, from each cell to the
 * next, what a run costs is changed in one respect after the other, in this order: answers from the cache, failures, calls a run, route, tokens in,
 * tokens out, prompt cache, price; each counts for the runs that came over from the cells before to the cells after it. So a change that was in force
 * for half of the runs counts for half.
 */
export function effectsOf(from: Side, to: Side, explains: Explains): readonly CostEffect[] {
  const before = withRuns(from.cells);
  const after = withRuns(to.cells);
  const fromNanoUsd = meanOf(from);
  const toNanoUsd = to.cells.reduce((sum, cell) => sum + costOfCell(cell), 0n);
  const change = toNanoUsd - fromNanoUsd;
  const runsBefore = runsOf(before);
  const runsAfter = runsOf(after);
  // A task that is new, or gone, costs what its runs cost.
  if (runsBefore === 0n || runsAfter === 0n)
    return change === 0n ? [] : [{ cause: 'volume', revision: null, before: null, amountNanoUsd: change }];

  const exact = new Map<string, { effect: Omit<CostEffect, 'amountNanoUsd'>; scaled: bigint }>();
  const add = (effect: Omit<CostEffect, 'amountNanoUsd'>, scaled: bigint): void => {
    const name = JSON.stringify([effect.cause, effect.revision, effect.before]);
    const known = exact.get(name) ?? { effect, scaled: 0n };
    known.scaled += scaled;
    exact.set(name, known);
  };
  const costBefore = before.reduce((sum, cell) => sum + costOfCell(cell), 0n);
  add(
    { cause: 'volume', revision: null, before: null },
    (SCALE * (runsAfter * from.share - runsBefore) * costBefore) / (from.share * runsBefore),
  );
  const chain = [...before, ...after];
  for (let index = 1; index < chain.length; index += 1) {
    const [earlier, later] = [chain[index - 1], chain[index]];
    if (earlier === undefined || later === undefined) continue;
    // Runs that lie behind this link in the one span and in the other, both as of the later span's number.
    const behindAfter = runsOf(after.slice(Math.max(0, index - before.length)));
    const behindBefore = runsOf(before.slice(index));
    const moved = behindAfter * runsBefore - runsAfter * behindBefore;
    const known = earlier.revision === later.revision ? NOTHING : explains(earlier.revision, later.revision);
    for (const [cause, perRun] of stepsBetween(earlier, later)) {
      const revision = known.has(cause) ? later.revision : null;
      add(
        { cause, revision, before: revision === null ? null : earlier.revision },
        (perRun * moved) / runsBefore,
      );
    }
  }
  return rounded([...exact.values()], change);
}

const NOTHING: ReadonlySet<CostCause> = new Set();

function meanOf({ cells, share }: Side): NanoUsd {
  return cells.reduce((sum, cell) => sum + costOfCell(cell), 0n) / share;
}

function runsOf(cells: readonly SpanCell[]): bigint {
  return cells.reduce((sum, { runs }) => sum + runs, 0n);
}

export function costOfCell({ models, failedNanoUsd }: SpanCell): NanoUsd {
  let sum = failedNanoUsd;
  for (const { costNanoUsd } of models.values()) sum += costNanoUsd;
  return sum;
}

/** Attempts of a revision none of whose runs is finished are counted with its neighbour. */
function withRuns(cells: readonly SpanCell[]): readonly SpanCell[] {
  const found: SpanCell[] = [];
  let waiting: SpanCell | undefined;
  for (const cell of cells) {
    const last = found.at(-1);
    if (cell.runs > 0n) {
      found.push(waiting === undefined ? cell : merged(cell, waiting));
      waiting = undefined;
    } else if (last === undefined) waiting = waiting === undefined ? cell : merged(cell, waiting);
    else found[found.length - 1] = merged(last, cell);
  }
  return found;
}

function merged(cell: SpanCell, other: SpanCell): SpanCell {
  const models = new Map(cell.models);
  for (const [name, use] of other.models) {
    const own = models.get(name);
    models.set(name, own === undefined ? use : addedUse(own, use));
  }
  return {
    ...cell,
    runs: cell.runs + other.runs,
    called: cell.called + other.called,
    failedNanoUsd: cell.failedNanoUsd + other.failedNanoUsd,
    models,
  };
}

export function addedUse(a: ModelUse, b: ModelUse): ModelUse {
  return {
    attempts: a.attempts + b.attempts,
    input: a.input + b.input,
    cached: a.cached + b.cached,
    written: a.written + b.written,
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
    costNanoUsd: a.costNanoUsd + b.costNanoUsd,
  };
}

/** Tokens of one attempt, scaled. */
interface Tokens {
  readonly input: bigint;
  readonly cached: bigint;
  readonly written: bigint;
  readonly output: bigint;
  readonly reasoning: bigint;
}

/** What one run costs, changed in one respect after the other: each cause with what it adds to a run, scaled. Adds up to the difference of the two. */
function stepsBetween(earlier: SpanCell, later: SpanCell): readonly (readonly [CostCause, bigint])[] {
  const start = (SCALE * costOfCell(earlier)) / earlier.runs;
  const end = (SCALE * costOfCell(later)) / later.runs;
  const answers = (cell: SpanCell): bigint =>
    [...cell.models.values()].reduce((sum, use) => sum + use.attempts, 0n);
  const answersBefore = answers(earlier);
  const answersAfter = answers(later);
  // Where one of them called nobody, there is nothing to compare a call with.
  if (earlier.called <= 0n || later.called <= 0n) return [['exact_cache', end - start]];
  const perRun = (amount: bigint, cell: SpanCell): bigint => (SCALE * amount) / cell.runs;
  const calledAlike = (amount: bigint): bigint =>
    (SCALE * amount * later.called) / (earlier.called * later.runs);
  const answered = costOfCell(earlier) - earlier.failedNanoUsd;

  const failedBefore = calledAlike(earlier.failedNanoUsd);
  const failedAfter = perRun(later.failedNanoUsd, later);
  const afterCache = calledAlike(answered) + failedBefore;
  const afterFailures = calledAlike(answered) + failedAfter;
  if (answersBefore === 0n || answersAfter === 0n)
    return [
      ['exact_cache', afterCache - start],
      ['failures', afterFailures - afterCache],
      ['calls', end - afterFailures],
    ];
  const afterCalls = (SCALE * answered * answersAfter) / (answersBefore * later.runs) + failedAfter;
  const names = [...later.models.keys()].sort();
  const priced = names.flatMap((name) => {
    const use = later.models.get(name);
    if (use === undefined || use.attempts === 0n) return [];
    const known = earlier.models.get(name);
    const own = known !== undefined && known.attempts > 0n ? known : undefined;
    return [
      {
        attempts: use.attempts,
        before: tokensOf(own ?? total(earlier)),
        after: tokensOf(use),
        price: own === undefined ? unitPrice(later, name, use) : unitPrice(earlier, name, own),
      },
    ];
  });
  const costWith = (tokens: (each: (typeof priced)[number]) => Tokens): bigint =>
    failedAfter +
    priced.reduce((sum, each) => sum + (each.attempts * each.price(tokens(each))) / later.runs, 0n);
  const afterRoute = costWith(({ before }) => before);
  const afterInput = costWith(({ before, after }) => withInput(before, after));
  const afterOutput = costWith(({ before, after }) => ({
    ...withInput(before, after),
    output: after.output,
    reasoning: after.reasoning,
  }));
  const afterPromptCache = costWith(({ after }) => after);
  return [
    ['exact_cache', afterCache - start],
    ['failures', afterFailures - afterCache],
    ['calls', afterCalls - afterFailures],
    ['route', afterRoute - afterCalls],
    ['input_tokens', afterInput - afterRoute],
    ['output_tokens', afterOutput - afterInput],
    ['prompt_cache', afterPromptCache - afterOutput],
    ['price', end - afterPromptCache],
  ];
}

function total({ models }: SpanCell): ModelUse {
  return [...models.values()].reduce(addedUse);
}

function tokensOf({ attempts, input, cached, written, output, reasoning }: ModelUse): Tokens {
  const each = (tokens: bigint): bigint => (SCALE * tokens) / attempts;
  return {
    input: each(input),
    cached: each(cached),
    written: each(written),
    output: each(output),
    reasoning: each(reasoning),
  };
}

/** More input, with the same share of it cached. */
function withInput(before: Tokens, after: Tokens): Tokens {
  const alike = (part: bigint): bigint => (before.input === 0n ? 0n : (part * after.input) / before.input);
  return { ...before, input: after.input, cached: alike(before.cached), written: alike(before.written) };
}

/**
 * What one attempt costs for these tokens, scaled: by the list's rates, times how far the true cost lay from them (a tier, a rounding, the provider's
 * own figure), so that its own tokens cost what they did cost.
 */
function unitPrice(cell: SpanCell, name: string, use: ModelUse): (tokens: Tokens) => bigint {
  const rates = ratesFor(cell.priceOf(name), use);
  const own = listed(rates, tokensOf(use));
  const paid = (SCALE * use.costNanoUsd) / use.attempts;
  if (own > 0n) return (tokens) => (listed(rates, tokens) * paid) / own;
  const all = use.input + use.output;
  // No rates are known: every token alike, or where there are none, every call.
  if (all === 0n) return () => paid;
  return (tokens) => ((tokens.input + tokens.output) * use.costNanoUsd) / all;
}

type Rates = Omit<PlanRates, 'fromInputTokens'>;
const NO_RATES: Rates = {
  input: 0n,
  cachedInput: 0n,
  cacheWrite: 0n,
  output: 0n,
  reasoning: 0n,
  request: 0n,
};

function ratesFor(price: PlanPrice | undefined, use: ModelUse): Rates {
  if (price === undefined || price.kind === 'free') return NO_RATES;
  const mean = use.input / use.attempts;
  return price.tiers.findLast((tier) => BigInt(tier.fromInputTokens) <= mean) ?? price.tiers[0] ?? NO_RATES;
}

function listed(rates: Rates, { input, cached, written, output, reasoning }: Tokens): bigint {
  const sum =
    (input - cached - written) * rates.input +
    cached * rates.cachedInput +
    written * rates.cacheWrite +
    (output - reasoning) * rates.output +
    reasoning * rates.reasoning;
  return sum / PER_TOKENS + SCALE * rates.request;
}

/** To whole nano-dollars that add up to the change: what rounding leaves goes to the largest. */
function rounded(
  parts: readonly { readonly effect: Omit<CostEffect, 'amountNanoUsd'>; readonly scaled: bigint }[],
  change: NanoUsd,
): readonly CostEffect[] {
  const effects = parts.map(({ effect, scaled }) => ({ ...effect, amountNanoUsd: scaled / SCALE }));
  const left = change - effects.reduce((sum, { amountNanoUsd }) => sum + amountNanoUsd, 0n);
  const sorted = effects.sort(largestFirst);
  return sorted
    .map((effect, index) =>
      index === 0 ? { ...effect, amountNanoUsd: effect.amountNanoUsd + left } : effect,
    )
    .filter(({ amountNanoUsd }) => amountNanoUsd !== 0n);
}

const size = (amount: bigint): bigint => (amount < 0n ? -amount : amount);

function largestFirst(a: CostEffect, b: CostEffect): number {
  const [left, right] = [size(a.amountNanoUsd), size(b.amountNanoUsd)];
  if (left !== right) return left < right ? 1 : -1;
  const name = (effect: CostEffect): string => JSON.stringify([effect.cause, effect.revision, effect.before]);
  return name(a) < name(b) ? -1 : 1;
}
