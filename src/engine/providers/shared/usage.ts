// What a provider says of a call's size and price, under every vendor's names → ours; merged over the events of a stream.
import type { Usage } from '../port.ts';
import { members, textOf } from './reading.ts';
import type { JsonMembers } from './reading.ts';
import { Surcharges } from './surcharges.ts';

/** The same count under the names that vendors, gateways and local servers have for it; the first that counts something is taken. */
const NAMES = {
  input: [
    'prompt_tokens',
    'input_tokens',
    'promptTokenCount',
    'inputTokens',
    'prompt_token_count',
    'input_token_count',
    'inputTokenCount',
    'prompt_eval_count',
  ],
  output: [
    'completion_tokens',
    'output_tokens',
    'candidatesTokenCount',
    'outputTokens',
    'completion_token_count',
    'output_token_count',
    'outputTokenCount',
    'generated_tokens',
    'eval_count',
  ],
  total: ['total_tokens', 'totalTokenCount', 'totalTokens', 'total_token_count'],
  cached: [
    'cached_tokens',
    'prompt_cache_hit_tokens',
    'cache_read_input_tokens',
    'cachedContentTokenCount',
    'cacheReadInputTokens',
    'cached_prompt_tokens',
    'cached_input_tokens',
    'cache_read_tokens',
    'num_cached_tokens',
  ],
  cacheWrite: [
    'cache_write_tokens',
    'cache_creation_input_tokens',
    'cacheWriteInputTokens',
    'cache_creation_tokens',
    'cache_write_input_tokens',
  ],
  reasoning: ['reasoning_tokens', 'thinking_tokens', 'thoughtsTokenCount', 'thoughts_token_count'],
} as const;

const INPUT_BESIDE = ['input_tokens', ...NAMES.input.filter((name) => name !== 'input_tokens')];

const INPUT_DETAILS = ['prompt_tokens_details', 'input_tokens_details', 'promptTokensDetails'];
const OUTPUT_DETAILS = ['completion_tokens_details', 'output_tokens_details', 'completionTokensDetails'];

type Count = keyof typeof NAMES | 'hourWrite';

/** A price in dollars, as text: what a provider calculated itself. */
const COSTS = ['cost', 'total_cost', 'estimated_cost'];
/** xAI counts in these. */
const TICKS_PER_USD = 10_000_000_000n;

/**
 * The counts of one call. A later report replaces what it mentions, field by field, and a zero replaces nothing: some servers end a stream with a
 * block of zeros, and others begin one with it.
 */
export class UsageReport {
  /** What is billed beside the tokens. */
  readonly surcharges = new Surcharges();
  readonly #counts = new Map<Count, number>();
  readonly #cacheIsBeside: boolean;
  #cost: string | null = null;
  #tier: string | null = null;
  #iterations = 0;
  #iterationModels: readonly string[] = [];

  /** `cacheIsBeside`: the input is told without what was read from the cache and written to it, as Anthropic does. */
  constructor(cacheIsBeside: boolean) {
    this.#cacheIsBeside = cacheIsBeside;
  }

  /** What the provider says it charged, in dollars as text; null: nothing. */
  get costUsd(): string | null {
    return this.#cost;
  }

  get serviceTier(): string | null {
    return this.#tier;
  }

  /** How often the model may have read its input within this answer. */
  get passes(): number {
    return Math.max(this.#iterations, 1 + this.surcharges.toolCalls);
  }

  /** Models that worked on one answer, as Anthropic names them beside their counts; empty: nothing was said. */
  get iterationModels(): readonly string[] {
    return this.#iterationModels;
  }

  /** `service_tier` of an answer or of its usage; null leaves what was said before. */
  addTier(tier: unknown): void {
    this.#tier = textOf(tier) || this.#tier;
  }

  /** A cost that is told beside the answer; one in the answer itself comes first. */
  addCost(told: string | null): void {
    this.#cost ??= decimalOf(told);
  }

  /** Reads a `usage` object, whatever it is; says whether it counted anything. */
  add(reported: unknown): boolean {
    const given = members(reported);
    if (given === undefined) return false;
    // Cohere has its counts one level below.
    const [tokens, billed] = [members(given['tokens']), members(given['billed_units'])];
    const told = tokens === undefined && billed === undefined ? given : { ...tokens, ...billed, ...given };
    // A pass that gave nothing was refused before another model took over, and is not billed.
    const passes = membersOf(told['iterations']);
    const answering = passes.filter((pass) => countOf(pass['output_tokens']) !== 0);
    const iterations = answering.length > 0 ? answering : passes;
    this.#iterations = Math.max(this.#iterations, iterations.length);
    if (iterations.length > 0) this.#iterationModels = modelsOf(iterations);
    const usage = iterations.length > 0 ? withIterations(told, iterations) : told;
    const inputs = [usage, ...detailsOf(usage, INPUT_DETAILS)];
    const outputs = [usage, ...detailsOf(usage, OUTPUT_DETAILS)];
    const writes = inputs.map((one) => members(one['cache_creation'])).find((one) => one !== undefined);
    const hourWrite = countOf(writes?.['ephemeral_1h_input_tokens']);
    const cacheWrite =
      firstCount(inputs, NAMES.cacheWrite) || sum(countOf(writes?.['ephemeral_5m_input_tokens']), hourWrite);
    const cached = firstCount(inputs, NAMES.cached);
    // Who tells the cache beside the input may tell both together under the other name (Moonshot).
    const inputNames = this.#cacheIsBeside ? INPUT_BESIDE : NAMES.input;
    const input = firstCount([usage], inputNames);
    // A stream that began with all of its input, and tells its parts at the end: none of it is beside them.
    if (this.#cacheIsBeside && input === 0 && this.#hasNoCache() && (cached || cacheWrite))
      this.#counts.set('input', 0);
    const found = [
      this.#take('input', input),
      this.#take('output', firstCount([usage], NAMES.output)),
      this.#take('total', firstCount([usage], NAMES.total)),
    ];
    this.#take('cached', cached);
    this.#take('hourWrite', hourWrite);
    this.#take('cacheWrite', cacheWrite);
    this.#take('reasoning', firstCount(outputs, NAMES.reasoning));
    this.#cost = costOf(usage) ?? this.#cost;
    this.surcharges.read(usage);
    this.addTier(usage['service_tier'] ?? trafficType(usage));
    return found.some(Boolean);
  }

  /** null where nothing was counted, or only zeros. A side that is 0 was not counted: no call has no input. */
  total(): Usage | null {
    let input = this.#count('input');
    let output = this.#count('output');
    const total = this.#count('total');
    if (input === 0 && output === 0 && total === 0) return null;
    const cached = this.#count('cached');
    const cacheWrite = Math.max(this.#count('cacheWrite'), this.#count('hourWrite'));
    let reasoning = this.#count('reasoning');
    const isBeside = this.#cacheIsBeside || cached + cacheWrite > input;
    if (isBeside) input += cached + cacheWrite;
    const hidden = total - input - output;
    // Half of a report, and with the total the other half. Of a total alone nobody knows the halves: output is the dearer one.
    if (input === 0 && output > 0 && hidden > 0) input = hidden;
    else if (output === 0 && hidden > 0) output = hidden;
    else if (hidden > 0 && !isBeside && hidden === cached + cacheWrite && hidden !== reasoning)
      input += hidden;
    else if (hidden > 0) {
      // Thinking that is counted beside the output, or only in the total.
      output += hidden;
      reasoning = Math.max(reasoning, hidden);
    } else if (reasoning > output) output += reasoning;
    return {
      inputTokens: input,
      cachedInputTokens: Math.min(input, cached),
      cacheWriteTokens: Math.min(input, cacheWrite),
      ...(this.#count('hourWrite') > 0
        ? { cacheWriteHourTokens: Math.min(input, this.#count('hourWrite')) }
        : {}),
      outputTokens: output,
      reasoningTokens: Math.min(output, reasoning),
    };
  }

  #hasNoCache(): boolean {
    return this.#count('cached') === 0 && this.#count('cacheWrite') === 0;
  }

  #count(name: Count): number {
    return this.#counts.get(name) ?? 0;
  }

  #take(name: Count, count: number | null): boolean {
    if (count === null) return false;
    if (count > 0 || !this.#counts.has(name)) this.#counts.set(name, count);
    return count > 0;
  }
}

/** Google's word for the tier: `ON_DEMAND`, `ON_DEMAND_PRIORITY`, `PROVISIONED_THROUGHPUT`. */
function trafficType(usage: JsonMembers): unknown {
  const google = members(members(usage['extra_properties'])?.['google']);
  return google?.['traffic_type'] ?? usage['trafficType'];
}

const ITERATED = [
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
] as const;
const WRITES = ['ephemeral_5m_input_tokens', 'ephemeral_1h_input_tokens'] as const;

/** A turn of several passes (an advisor's, a compaction, a model that took over) is billed by all of them; its totals count only those that made the answer. */
function withIterations(usage: JsonMembers, iterations: readonly JsonMembers[]): JsonMembers {
  const added = (name: string, parts: readonly JsonMembers[], total: unknown): { [name: string]: number } => {
    const counts = [...parts.map((part) => countOf(part[name])), null].filter((count) => count !== null);
    const whole = countOf(total);
    if (counts.length === 0 && whole === null) return {};
    return {
      [name]: Math.max(
        whole ?? 0,
        counts.reduce((all, count) => all + count, 0),
      ),
    };
  };
  const writes = members(usage['cache_creation']);
  const creations = iterations.flatMap((one) => membersOf([one['cache_creation']]));
  return {
    ...usage,
    ...Object.assign({}, ...ITERATED.map((name) => added(name, iterations, usage[name]))),
    cache_creation: {
      ...writes,
      ...Object.assign({}, ...WRITES.map((name) => added(name, creations, writes?.[name]))),
    },
  };
}

function membersOf(value: unknown): readonly JsonMembers[] {
  if (!Array.isArray(value)) return [];
  return value.map((one) => members(one)).filter((one) => one !== undefined);
}

/** A few, however many passes there were. */
const MOST_MODELS = 8;

function modelsOf(iterations: readonly JsonMembers[]): readonly string[] {
  const named = iterations
    .map(({ model }) => textOf(model))
    .filter((model) => model !== null && model !== '');
  return [...new Set(named)].slice(0, MOST_MODELS) as readonly string[];
}

function detailsOf(usage: JsonMembers, names: readonly string[]): readonly JsonMembers[] {
  return names.map((name) => members(usage[name])).filter((found) => found !== undefined);
}

/** The first that is more than zero; 0 where one is; null where none is there. */
function firstCount(objects: readonly JsonMembers[], names: readonly string[]): number | null {
  let found: number | null = null;
  for (const object of objects)
    for (const name of names) {
      const count = countOf(object[name]);
      if (count !== null && count > 0) return count;
      found ??= count;
    }
  return found;
}

function sum(a: number | null, b: number | null): number | null {
  return a === null && b === null ? null : (a ?? 0) + (b ?? 0);
}

const DECIMAL = /^\s*\d{1,30}(?:\.\d{1,30})?(?:e[+-]?\d{1,3})?\s*$/i;

/** A number, or its text, as some relays write it. What is too large to be a count is kept: who settles has to know of it. */
function countOf(value: unknown): number | null {
  const number = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
  return typeof number === 'number' && number >= 0 ? Math.ceil(number) : null;
}

function costOf(usage: JsonMembers): string | null {
  for (const name of COSTS) {
    const value = usage[name];
    const cost = decimalOf(members(value)?.['total_cost'] ?? value);
    if (cost !== null) return plusUpstream(usage, cost);
  }
  const ticks = countOf(usage['cost_in_usd_ticks']);
  if (ticks === null || !Number.isSafeInteger(ticks)) return null;
  return `${BigInt(ticks) / TICKS_PER_USD}.${String(BigInt(ticks) % TICKS_PER_USD).padStart(10, '0')}`;
}

/** With one's own key at the vendor, OpenRouter charges its fee, and the vendor the rest. */
function plusUpstream(usage: JsonMembers, cost: string): string {
  const upstream = decimalOf(members(usage['cost_details'])?.['upstream_inference_cost']);
  return usage['is_byok'] === true && upstream !== null ? addDecimals(cost, upstream) : cost;
}

/** A decimal text without an exponent: `0.0333`. Not negative. */
function decimalOf(value: unknown): string | null {
  if (typeof value === 'string') {
    if (!DECIMAL.test(value)) return null;
    return /e/i.test(value) ? decimalOf(Number(value)) : value.trim();
  }
  if (typeof value !== 'number' || !(value >= 0)) return null;
  if (value === Number.POSITIVE_INFINITY || value >= 1e21) return '1'.padEnd(22, '0');
  const text = String(value);
  return text.includes('e') ? value.toFixed(20) : text;
}

function addDecimals(a: string, b: string): string {
  const places = 30;
  const scaled = (text: string): bigint => {
    const [whole = '0', fraction = ''] = text.split('.');
    return BigInt(whole + fraction.padEnd(places, '0'));
  };
  const digits = String(scaled(a) + scaled(b)).padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
