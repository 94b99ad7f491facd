// What vendors bill beside tokens, or at other rates than those of text: their own tools, sound, images, a faster mode; as far as an answer says so itself.
import { formatUsd } from '../../../common/money.ts';
import type { NanoUsd } from '../../../common/money.ts';
import type { Surcharge } from '../port.ts';
import { members, textOf } from './reading.ts';
import type { JsonMembers } from './reading.ts';

/** Calls of one of the vendor's own tools. */
interface Called {
  readonly count: number;
  /** Of each, by the vendor's published prices (November 2026); null: they differ, or nobody knows. */
  readonly each: NanoUsd | null;
}

const SEARCH = 'web search';
const SOURCE = 'source of a search';
const OTHER = "another of the provider's own tools";

/** Anthropic's `server_tool_use`. Fetching a page, and looking for a tool, cost their tokens alone: null. */
const ANTHROPIC: { readonly [name: string]: readonly [what: string, each: NanoUsd | null] | null } = {
  web_search_requests: [SEARCH, 10_000_000n],
  web_fetch_requests: null,
  tool_search_requests: null,
};
/** xAI's `server_side_tool_usage_details`. */
const XAI: typeof ANTHROPIC = {
  web_search_calls: [SEARCH, 5_000_000n],
  x_search_calls: ['search of X', 5_000_000n],
  code_interpreter_calls: ['code execution', 5_000_000n],
  code_execution_calls: ['code execution', 5_000_000n],
  file_search_calls: ['file search', 2_500_000n],
  document_search_calls: ['file search', 2_500_000n],
  collections_search_calls: ['file search', 2_500_000n],
  mcp_calls: null,
  view_image_calls: null,
  view_x_video_calls: null,
};
/** What one item of OpenAI's Responses is billed as. */
const OPENAI: { readonly [type: string]: readonly [what: string, each: NanoUsd | null] } = {
  web_search_call: [SEARCH, 10_000_000n],
  file_search_call: ['file search', 2_500_000n],
  code_interpreter_call: ['container for code', 30_000_000n],
  image_generation_call: ['image', null],
};
/** After each of these the model goes on within the same answer. */
const OWN_TOOLS = new Set([...Object.keys(OPENAI), 'mcp_call', 'x_search_call', 'tool_search_call']);
/** Looking at what a search has found is not billed as one. */
const NOT_A_SEARCH = new Set(['open_page', 'find', 'find_in_page']);

/** Perplexity tells them beside its prices of tokens. */
const FEES = ['request_cost', 'search_queries_cost', 'citation_tokens_cost'];

/** More in one answer is no count. */
const MOST_CALLS = 10_000;

const IN_DETAILS = ['prompt_tokens_details', 'input_tokens_details', 'promptTokensDetails'];
const OUT_DETAILS = ['completion_tokens_details', 'output_tokens_details', 'completionTokensDetails'];

const CONTAINER = 'code_interpreter_call';

/**
 * What the vendor's own tools that a request offers may cost beside its tokens, by its own bounds (Anthropic's `max_uses`, OpenAI's `max_tool_calls`); where
 * it sets none, nobody knows how often they are called, and one call of each is foreseen.
 */
export function foreseenFees({ tools, max_tool_calls: most }: JsonMembers): NanoUsd {
  let fees = 0n;
  for (const tool of Array.isArray(tools) ? (tools as readonly unknown[]) : []) {
    const { type, max_uses: uses } = members(tool) ?? {};
    const kind = /^(?:web_search|file_search|code_interpreter)/.exec(textOf(type) ?? '')?.[0];
    const [, each] = kind === undefined ? [] : (OPENAI[`${kind}_call`] ?? []);
    const times = kind === 'code_interpreter' ? 1 : countOf(uses) || countOf(most) || 1;
    fees += (each ?? 0n) * BigInt(Math.min(times, MOST_CALLS));
  }
  return fees;
}

/** What is called in a list of items. */
class ItemCount {
  tools = 0;
  readonly made = new Map<string, number>();
  readonly containers = new Set<unknown>();

  add(item: JsonMembers): void {
    const type = textOf(item['type']) ?? '';
    if (OWN_TOOLS.has(type)) this.tools += 1;
    if (!Object.hasOwn(OPENAI, type) || !isBilled(item)) return;
    this.made.set(type, (this.made.get(type) ?? 0) + 1);
    if (type === CONTAINER) this.containers.add(item['container_id'] ?? item['id']);
  }
}

/** Of one call. What a later event of a stream says counts where it says more. */
export class Surcharges {
  /** Most calls have neither: no map is made for them. */
  #called: Map<string, Called> | undefined;
  /** Tokens at rates of their own, by what they are of. */
  #otherTokens: Map<string, number> | undefined;
  #fees: string | null = null;
  #isFast = false;
  #place = '';
  #toldOwnTools = false;
  #toolCalls = 0;
  #streamed: ItemCount | undefined;

  /** Calls of the provider's own tools, billed or not. */
  get toolCalls(): number {
    return Math.min(this.#toolCalls, MOST_CALLS);
  }

  /** What a `usage` object says. */
  read(usage: JsonMembers): void {
    this.#tools(members(usage['server_tool_use']), ANTHROPIC);
    const own = members(usage['server_side_tool_usage_details']);
    this.#toldOwnTools ||= own !== undefined;
    this.#tools(own, XAI);
    this.#call(SOURCE, countOf(usage['num_sources_used']), 25_000_000n);
    const cost = members(usage['cost']);
    if (cost === undefined) {
      this.#call('search query', countOf(usage['num_search_queries']), null);
      this.#tokens('of citations', countOf(usage['citation_tokens']));
    } else {
      const fees = FEES.map((name) => cost[name]).filter((fee) => typeof fee === 'number' && fee > 0);
      if (fees.length > 0) this.#fees = fees.reduce<number>((sum, fee) => sum + Number(fee), 0).toFixed(9);
    }
    this.#tokens('of sound heard', most(usage, IN_DETAILS, 'audio_tokens'));
    this.#tokens('of sound made', most(usage, OUT_DETAILS, 'audio_tokens'));
    this.#tokens('of images made', most(usage, OUT_DETAILS, 'image_tokens'));
    if (textOf(usage['speed'])) this.#isFast = usage['speed'] === 'fast';
    this.#place = textOf(usage['inference_geo']) || this.#place;
  }

  /** The items of a response: its tools have no count of their own. */
  readItems(items: readonly JsonMembers[]): void {
    const counted = new ItemCount();
    for (const item of items) counted.add(item);
    this.#items(counted);
  }

  /** One item more of a stream. */
  readItem(item: JsonMembers): void {
    this.#streamed ??= new ItemCount();
    this.#streamed.add(item);
    this.#items(this.#streamed);
  }

  #items({ tools, made, containers }: ItemCount): void {
    this.#toolCalls = Math.max(this.#toolCalls, tools);
    if (this.#toldOwnTools) return;
    for (const [type, [what, each]] of Object.entries(OPENAI))
      this.#call(what, type === CONTAINER ? containers.size : (made.get(type) ?? 0), each);
  }

  /** A chat answer cites the web, and counts no search: there was one, at a price that depends on its size. */
  readAnnotations(annotations: unknown): void {
    const list: readonly unknown[] = Array.isArray(annotations) ? annotations : [];
    if (this.#called?.has(SEARCH) !== true && list.some((one) => members(one)?.['type'] === 'url_citation'))
      this.#call(SEARCH, 1, null);
  }

  list(): readonly Surcharge[] {
    const list: Surcharge[] = [];
    // What is on top of the tokens' price comes first: what follows is not raised by it.
    if (this.#isFast) list.push({ what: 'the fast mode', percent: 100 });
    const place = this.#place.toLowerCase();
    if (place === 'us') list.push({ what: 'inference in the US alone', percent: 10 });
    else if (!EVERYWHERE.has(place)) list.push({ what: 'inference in one place alone' });
    for (const [what, { count, each }] of this.#called ?? [])
      list.push({
        what: `${count} × ${what}`,
        ...(each === null || count > MOST_CALLS ? {} : { usd: formatUsd(each * BigInt(count)) }),
      });
    if (this.#fees !== null) list.push({ what: 'fees that the provider tells', usd: this.#fees });
    for (const [what, count] of this.#otherTokens ?? []) list.push({ what: `${count} tokens ${what}` });
    return list;
  }

  #tools(counts: JsonMembers | undefined, known: typeof ANTHROPIC): void {
    if (counts === undefined) return;
    const all = Object.values(counts).reduce<number>((sum, count) => sum + countOf(count), 0);
    this.#toolCalls = Math.max(this.#toolCalls, all);
    for (const [name, value] of Object.entries(counts)) {
      const tool = Object.hasOwn(known, name) ? known[name] : ([OTHER, null] as const);
      if (tool) this.#call(tool[0], countOf(value), tool[1]);
    }
  }

  #call(what: string, count: number, each: NanoUsd | null): void {
    if (count === 0) return;
    this.#called ??= new Map();
    const before = this.#called.get(what);
    if (before === undefined || before.each === null || count >= before.count)
      this.#called.set(what, { count, each });
  }

  #tokens(what: string, count: number): void {
    if (count === 0) return;
    this.#otherTokens ??= new Map();
    if (count > (this.#otherTokens.get(what) ?? 0)) this.#otherTokens.set(what, count);
  }
}

/** Where a vendor answers from at the prices of its list; older models say that they cannot tell. */
const EVERYWHERE = new Set(['', 'global', 'not_available']);

function isBilled(item: JsonMembers): boolean {
  const action = textOf(members(item['action'])?.['type']) ?? '';
  return item['status'] !== 'failed' && !NOT_A_SEARCH.has(action);
}

/** Of a usage's details, by any of their names. */
function most(usage: JsonMembers, details: readonly string[], name: string): number {
  let found = 0;
  for (const detail of details) found = Math.max(found, countOf(members(usage[detail])?.[name]));
  return found;
}

function countOf(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : 0;
}
