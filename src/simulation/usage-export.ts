// Reads what a team already has of its calls: an export of a gateway or a vendor, as CSV, JSON or lines of JSON → rows of sizes, times and cost.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { sha256Hex } from '../common/json.ts';
import type { NanoUsd } from '../common/money.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import { COLUMNS, FORMATS, plainName } from './usage-formats.ts';
import type { UsageField, UsageFormat } from './usage-formats.ts';

/** One call, or the sum of some. */
export interface UsageRow {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Calls of a sum are spread over it; 0: one call. */
  readonly spanMs: number;
  /** null: the export does not say. */
  readonly calls: number | null;
  readonly provider: string;
  readonly model: string;
  /** Cached ones and those written to a cache too, of all calls; null: it does not say. */
  readonly inputTokens: number | null;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number | null;
  /** Of all calls; null: it does not say. */
  readonly costNanoUsd: NanoUsd | null;
  readonly caller: string;
  readonly team: string | null;
  readonly latencyMs: number | null;
  readonly firstTokenMs: number | null;
  readonly failed: boolean;
  /** Calls of equal text have equal ones; null: no text was exported. */
  readonly input: string | null;
}

export interface UsageExport {
  readonly format: Pick<UsageFormat, 'name' | 'knownFrom'> | null;
  /** Which column each field was read from; those of a known format are known, the others guessed by their names. */
  readonly columns: readonly { readonly field: UsageField; readonly column: string }[];
  readonly rows: readonly UsageRow[];
  /** Rows that are no calls: without a time, a model, or anything that was used. */
  readonly skipped: number;
}

type Raw = ReadonlyMap<string, unknown>;
/** A row of a table has text in all of its cells. */
const isTable = (record: Raw): boolean =>
  [...record.values()].every((value) => value === undefined || typeof value === 'string');

/** More rows than this do not fit into memory. */
const MOST_ROWS = 3_000_000;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Throws USAGE_UNREADABLE or USAGE_UNKNOWN, with what was looked for. */
export async function readUsageExport(path: string): Promise<UsageExport> {
  let reader: Reader | undefined;
  const rows: UsageRow[] = [];
  let skipped = 0;
  for await (const record of recordsOf(path)) {
    reader ??= new Reader(record, path);
    const row = reader.read(record);
    if (row === undefined) skipped += 1;
    else rows.push(row);
    if (rows.length > MOST_ROWS)
      throw new HeadgateError(
        'USAGE_UNREADABLE',
        `${path} has more than ${MOST_ROWS} rows`,
        'Export a shorter time, or sums by the hour.',
      );
  }
  if (reader === undefined || rows.length === 0)
    throw new HeadgateError(
      'USAGE_UNKNOWN',
      `${path} has no row that tells of a call${skipped > 0 ? `; ${skipped} rows tell of none` : ''}`,
      `A row needs a time, a model, and tokens or a cost. Known are: ${FORMATS.map(({ name }) => name).join(', ')}.`,
    );
  rows.sort((a, b) => a.atMs - b.atMs);
  return { format: reader.format, columns: reader.columns(), rows, skipped };
}

/** By the column's plain name; those of nested objects joined. */
async function* recordsOf(path: string): AsyncGenerator<Raw> {
  try {
    const first = await firstSign(path);
    if (first !== '{' && first !== '[') {
      yield* csvRecords(path);
      return;
    }
    const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
    let whole = '';
    for await (const line of lines) {
      if (line.trim() === '') continue;
      const value = whole === '' ? parsedOrNothing(line) : undefined;
      if (value === undefined) whole += `${line}\n`;
      else for (const record of entriesOf(value)) yield flat(record);
    }
    if (whole !== '') for (const record of entriesOf(JSON.parse(whole) as unknown)) yield flat(record);
  } catch (error) {
    if (error instanceof HeadgateError) throw error;
    throw new HeadgateError(
      'USAGE_UNREADABLE',
      `${path} cannot be read: ${error instanceof Error ? error.message : 'unknown'}`,
      'Name a CSV with a header, a JSON file, or lines of JSON, as the vendor exports it.',
      { cause: error },
    );
  }
}

async function firstSign(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(256) });
    return buffer
      .toString('utf8', 0, bytesRead)
      .replace(/^\uFEFF/, '')
      .trimStart()
      .slice(0, 1);
  } finally {
    await file.close();
  }
}

const SEPARATORS = [',', ';', '\t'] as const;

async function* csvRecords(path: string): AsyncGenerator<Raw> {
  const { parse } = await import('csv-parse');
  const parser = parse({
    bom: true,
    delimiter: [...SEPARATORS],
    skip_empty_lines: true,
    relax_column_count: true,
    relax_quotes: true,
  });
  const source = createReadStream(path);
  source.on('error', (error) => parser.destroy(error)).pipe(parser);
  let names: readonly string[] | undefined;
  for await (const cells of parser as AsyncIterable<readonly string[]>) {
    if (names === undefined) {
      names = cells.map(plainName);
      continue;
    }
    const record = new Map<string, unknown>();
    for (const [at, name] of names.entries()) record.set(name, cells[at]);
    yield record;
  }
}

function parsedOrNothing(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What vendors wrap their lists in. */
const LISTS = ['data', 'results', 'observations', 'generations', 'requests', 'rows', 'items'] as const;

/** Pages, and buckets of time with results in them, are unwrapped: what is told of the bucket is told of each of them. */
function* entriesOf(value: unknown): Generator<{ readonly [key: string]: unknown }> {
  if (Array.isArray(value)) {
    for (const one of value) yield* entriesOf(one);
    return;
  }
  if (!isObject(value)) return;
  const list = LISTS.find((name) => Array.isArray(value[name]));
  if (list === undefined) {
    yield value;
    return;
  }
  const { [list]: inner, object: _object, ...around } = value;
  for (const one of entriesOf(inner)) yield { ...around, ...one };
}

function flat(
  value: { readonly [key: string]: unknown },
  prefix = '',
  into = new Map<string, unknown>(),
): Raw {
  for (const [key, member] of Object.entries(value)) {
    const name = prefix + plainName(key);
    if (isObject(member)) flat(member, name, into);
    into.set(name, member);
  }
  return into;
}

class Reader {
  readonly format: UsageFormat | null;
  readonly #present: { readonly [field in UsageField]: readonly string[] };
  readonly #used = new Map<UsageField, string>();

  constructor(first: Raw, path: string) {
    this.format = FORMATS.find(({ signature }) => signature.every((name) => first.has(name))) ?? null;
    const present = {} as { [field in UsageField]: readonly string[] };
    for (const [field, names] of Object.entries(COLUMNS) as [UsageField, readonly string[]][])
      present[field] = isTable(first) ? names.filter((name) => first.has(name)) : names;
    this.#present = present;
    // Objects need not all have the same members; the rows of a table do.
    if (!isTable(first)) return;
    const missing = (['time', 'model'] as const).filter((field) => present[field].length === 0);
    if (present.input.length + present.uncachedInput.length + present.cost.length === 0 || missing.length > 0)
      throw new HeadgateError(
        'USAGE_UNKNOWN',
        `${path} is no export that is known, and its columns (${[...first.keys()].slice(0, 20).join(', ')}) do not say ${
          missing.length > 0 ? `the ${missing.join(' and the ')}` : 'tokens or cost'
        }`,
        `Known are: ${FORMATS.map(({ name }) => name).join(', ')}. A table of your own needs columns like start_time, model, prompt_tokens, completion_tokens, cost.`,
      );
  }

  columns(): UsageExport['columns'] {
    return [...this.#used].map(([field, column]) => ({ field, column }));
  }

  read(record: Raw): UsageRow | undefined {
    const { only } = this.format ?? {};
    const kind = this.#text(record, 'kind');
    if (only !== undefined && kind !== null && !only.includes(kind.toLowerCase())) return undefined;
    const atMs = timeOf(this.#value(record, 'time'));
    const named = this.#text(record, 'model');
    if (atMs === undefined || named === null) return undefined;
    const uncached = this.#number(record, 'uncachedInput');
    const cachedInputTokens = this.#number(record, 'cachedInput') ?? 0;
    const cacheWriteTokens = this.#sum(record, 'cacheWrite');
    const input = this.#number(record, 'input');
    const inputTokens = uncached === null ? input : uncached + cachedInputTokens + cacheWriteTokens;
    const outputTokens = this.#number(record, 'output');
    const costNanoUsd = this.#money(record, 'cost');
    if ((inputTokens ?? 0) + (outputTokens ?? 0) === 0 && (costNanoUsd ?? 0n) === 0n) return undefined;
    const endMs = timeOf(this.#value(record, 'end'));
    const calls = this.#number(record, 'calls');
    const isSum = calls !== null || isDate(this.#value(record, 'time')) || isSumOf(this.format);
    const firstTokenAtMs = timeOf(this.#value(record, 'firstToken'));
    const seconds = this.#number(record, 'latencyS');
    const text = this.#text(record, 'text');
    const { provider, model } = modelOf(named, this.#text(record, 'provider'), this.format?.provider);
    const took = isSum || endMs === undefined ? null : endMs - atMs;
    return {
      atMs,
      spanMs: isSum ? spanOf(atMs, endMs, isDate(this.#value(record, 'time'))) : 0,
      calls: isSum ? calls : 1,
      provider,
      model,
      inputTokens,
      cachedInputTokens: Math.min(cachedInputTokens, inputTokens ?? 0),
      cacheWriteTokens: Math.min(cacheWriteTokens, Math.max(0, (inputTokens ?? 0) - cachedInputTokens)),
      outputTokens,
      costNanoUsd,
      caller: this.#text(record, 'caller') ?? '(nobody named)',
      team: this.#text(record, 'team'),
      latencyMs:
        positive(took) ?? this.#number(record, 'latencyMs') ?? (seconds === null ? null : seconds * 1_000),
      firstTokenMs:
        (firstTokenAtMs === undefined ? null : positive(firstTokenAtMs - atMs)) ??
        this.#number(record, 'firstTokenMs'),
      failed: /^(fail|error|[45]\d\d|true$)/i.test(this.#text(record, 'status') ?? ''),
      input: text === null || text === '{}' || text === '[]' ? null : sha256Hex(text).slice(0, 16),
    };
  }

  #value(record: Raw, field: UsageField): unknown {
    for (const name of this.#present[field]) {
      const value = record.get(name);
      if (value === undefined || value === null || value === '') continue;
      if (!this.#used.has(field)) this.#used.set(field, name);
      return value;
    }
    return undefined;
  }

  #text(record: Raw, field: UsageField): string | null {
    const value = this.#value(record, field);
    if (value === undefined) return null;
    return (typeof value === 'string' ? value : JSON.stringify(value)).trim() || null;
  }

  #number(record: Raw, field: UsageField): number | null {
    return numberOf(this.#value(record, field));
  }

  #sum(record: Raw, field: UsageField): number {
    let sum = 0;
    for (const name of this.#present[field]) sum += numberOf(record.get(name)) ?? 0;
    if (sum > 0) this.#value(record, field);
    return sum;
  }

  #money(record: Raw, field: UsageField): NanoUsd | null {
    const dollars = numberOf(this.#value(record, field));
    // Exports write floats of dollars: what they mean is rounded to a nano-dollar.
    return dollars === null ? null : BigInt(Math.round(dollars * 1e9));
  }
}

const positive = (value: number | null): number | null => (value !== null && value > 0 ? value : null);

/** `$1,234.50`, `12 ms`; null: no number of zero or more. */
function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : null;
  if (typeof value !== 'string') return null;
  const text = value.trim().replace(/^\$/, '').replaceAll(',', '');
  const number = Number(/^-?[\d.]+(e[-+]?\d+)?/i.exec(text)?.[0] ?? Number.NaN);
  return Number.isFinite(number) && number >= 0 ? number : null;
}

const isDate = (value: unknown): boolean =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value.trim());
const isSumOf = (format: UsageFormat | null): boolean => /usage|costs?$|by day/.test(format?.name ?? '');

/** Seconds, milliseconds, or text; without a zone it is UTC, as databases export it. */
function timeOf(value: unknown): number | undefined {
  if (typeof value === 'number' || (typeof value === 'string' && /^\d{9,16}(\.\d+)?$/.test(value.trim()))) {
    const number = Number(value);
    return number < 1e11 ? number * 1_000 : number < 1e14 ? number : number / 1_000;
  }
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  const hasZone = /(z|[+-]\d\d:?\d\d| (utc|gmt))$/i.test(text) || isDate(text);
  const ms = Date.parse(
    hasZone ? text.replace(/ UTC$/i, 'Z').replace(' ', 'T') : `${text.replace(' ', 'T')}Z`,
  );
  const read = Number.isNaN(ms) ? Date.parse(text) : ms;
  return Number.isNaN(read) ? undefined : read;
}

function spanOf(atMs: number, endMs: number | undefined, day: boolean): number {
  if (endMs !== undefined && endMs > atMs) return endMs - atMs;
  return day || atMs % DAY_MS === 0 ? DAY_MS : atMs % HOUR_MS === 0 ? HOUR_MS : 60_000;
}

const VENDORS: readonly (readonly [RegExp, string])[] = [
  [/^(claude|anthropic)/i, 'anthropic'],
  [/^(gpt|o\d|chatgpt|text-|davinci|codex)/i, 'openai'],
  [/^gemini/i, 'google'],
  [/^(mistral|mixtral|codestral|ministral)/i, 'mistral'],
  [/^deepseek/i, 'deepseek'],
  [/^grok/i, 'xai'],
];

/** `openai/gpt-4o` names both; a model alone is its vendor's. OpenAI's line items say what of the model was paid for: `gpt-4o-2024-08-06, input`. */
function modelOf(
  named: string,
  provider: string | null,
  usual: string | undefined,
): { readonly provider: string; readonly model: string } {
  const [name = ''] = named.split(',', 1);
  const slash = name.indexOf('/');
  const isRouted = usual === 'openrouter' || provider?.toLowerCase() === 'openrouter';
  if (isRouted) return { provider: 'openrouter', model: modelName(name.replace(/^openrouter\//, '')) };
  if (slash > 0)
    return {
      provider: providerName(provider ?? name.slice(0, slash)),
      model: modelName(name.slice(slash + 1)),
    };
  const vendor = VENDORS.find(([pattern]) => pattern.test(name))?.[1];
  return { provider: providerName(provider ?? usual ?? vendor ?? ''), model: modelName(name) };
}

/** As a project can name it: `302.AI` is `p-302-ai`. */
function providerName(text: string): string {
  const plain = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return plain === '' ? 'other' : /^[a-z]/.test(plain) ? plain : `p-${plain}`;
}

/** A console shows `Claude Sonnet 5` for `claude-sonnet-5`. */
function modelName(text: string): string {
  const plain = /\s/.test(text.trim()) ? text.trim().toLowerCase() : text.trim();
  return (
    plain.replaceAll(/[^A-Za-z0-9._:/@+-]+/g, '-').replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '') ||
    'unnamed'
  );
}
