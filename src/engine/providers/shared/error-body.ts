// What a provider says of an error, in whichever form it puts it: an object, an array, a list of details, a text, a page of HTML.
import { members, textOf } from './reading.ts';
import type { JsonMembers } from './reading.ts';

/** An error as a body words it. */
export interface ErrorWords {
  readonly type: string | null;
  readonly code: string | null;
  /** The HTTP status that a code or a status inside the body names. */
  readonly status: number | null;
  /** The parameter that is refused, as the provider names it. */
  readonly param: string | null;
  readonly message: string;
  /** It says that the input was looked at and flagged. */
  readonly flagged: boolean;
  /** All of it: it may say when to come back. */
  readonly body: unknown;
}

/** The error that a body is about, whatever its form; it is known to be one. */
export function errorWords(body: unknown): ErrorWords {
  const list = Array.isArray(body) ? (body as readonly unknown[]) : [body];
  const outer = members(list.find((item) => members(item) !== undefined));
  if (outer === undefined)
    return plain(wordsIn(body) ?? (body === undefined || body === '' ? '' : JSON.stringify(body)));
  const inner = innerError(outer);
  const said = inner ?? outer;
  // What stands beside the error (xAI: `{ code, error: "words" }`) tells where the error itself does not.
  const tell = (name: string): unknown => said[name] ?? outer[name];
  const metadata = members(said['metadata']);
  const status =
    httpStatus(tell('code')) ??
    httpStatus(tell('status')) ??
    httpStatus(tell('status_code')) ??
    httpStatus(tell('http_code'));
  const message = wordsIn(said) ?? wordsIn(outer) ?? JSON.stringify(body);
  return {
    // Google's `status` is a name.
    type:
      textOf(tell('type')) ??
      awsType(outer['__type']) ??
      (status === null ? textOf(tell('status')) : textOf(said['status'])),
    code: codeText(tell('code') ?? tell('error_code') ?? members(outer['base_resp'])?.['status_code']),
    status,
    param: textOf(tell('param')),
    message: bounded(withUpstream(message, metadata)),
    flagged: Array.isArray(metadata?.['reasons']) || metadata?.['flagged_input'] !== undefined,
    body,
  };
}

function plain(message: string): ErrorWords {
  return {
    type: null,
    code: null,
    status: null,
    param: null,
    message: bounded(message),
    flagged: false,
    body: null,
  };
}

/** What is looked at for the meaning of an error: a server may send back all of the prompt in its words. */
const MOST_WORDS = 4_000;

function bounded(message: string): string {
  if (message.length <= MOST_WORDS) return message;
  return `${message.slice(0, MOST_WORDS / 2)} … ${message.slice(-MOST_WORDS / 2)}`;
}

/** An error in a place where an answer was expected; undefined: it looks like none. `isAnswer`: it has what an answer has. */
export function errorInside(body: unknown, isAnswer: boolean): ErrorWords | undefined {
  const outer = members(Array.isArray(body) ? body[0] : body);
  if (outer === undefined) return undefined;
  const { error, errors } = outer;
  const says =
    outer['object'] === 'error' ||
    outer['type'] === 'error' ||
    isGiven(error) ||
    (Array.isArray(errors) && errors.length > 0);
  // MiniMax and Baidu answer 200 with a code of their own, MiniMax beside `choices: null`.
  const resp = members(outer['base_resp']);
  const failed =
    (resp !== undefined && resp['status_code'] !== 0 && !Array.isArray(outer['choices'])) ||
    (isCode(outer['error_code']) && outer['error_msg'] !== undefined);
  if (says || failed) return errorWords(body);
  if (isAnswer) return undefined;
  // Gateways have `message`, `msg` or `detail`.
  const worded = wordsIn(outer) !== undefined && NAMES_OF_ANSWERS.every((name) => outer[name] === undefined);
  return worded ? errorWords(body) : undefined;
}

function isCode(value: unknown): boolean {
  return (typeof value === 'number' && value !== 0) || (typeof value === 'string' && !/^0*$/.test(value));
}

const NAMES_OF_ANSWERS = ['choices', 'content', 'output', 'response', 'delta', 'id'] as const;

/** Some servers send the members of an error with nothing in them beside an answer. */
export function isGiven(error: unknown): boolean {
  if (typeof error === 'string') return error !== '';
  if (Array.isArray(error)) return error.length > 0;
  const inside = members(error);
  return Object.values(inside ?? {}).some(
    (said) => said !== null && said !== '' && said !== 0 && said !== false,
  );
}

function innerError(outer: JsonMembers): JsonMembers | undefined {
  const { error, errors, fault } = outer;
  for (const candidate of [error, errors, fault, outer['base_resp']]) {
    const found = members(Array.isArray(candidate) ? candidate[0] : candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}

const WORDS = [
  'message',
  'msg',
  'detail',
  'details',
  'error',
  'error_description',
  'error_msg',
  'errorMessage',
  'error_message',
  'Message',
  'faultstring',
  'status_msg',
  'description',
  'reason',
  'title',
] as const;

/** The words in what may be a text, a text of JSON, a list of details, or an object with one of the usual names; undefined: there are none. */
function wordsIn(value: unknown, depth = 0): string | undefined {
  if (depth > 4) return undefined;
  if (typeof value === 'string') {
    const text = value.trim();
    if (text === '') return undefined;
    // Gateways put the whole body of an error into the message of theirs.
    const inside = /^[[{]/.test(text) ? wordsIn(parsed(text), depth + 1) : undefined;
    if (inside !== undefined) return inside;
    if (looksLikeHtml(text)) return htmlWords(text);
    return /^<(?:\?xml|[A-Za-z:]+>)/.test(text) ? xmlWords(text) : text;
  }
  if (Array.isArray(value)) {
    const each = value.flatMap((item) => detail(item, depth + 1) ?? []);
    return each.length === 0 ? undefined : each.slice(0, 4).join('; ');
  }
  const object = members(value);
  if (object === undefined) return undefined;
  for (const name of WORDS) {
    const words = wordsIn(object[name], depth + 1);
    if (words !== undefined) return words;
  }
  return undefined;
}

/** FastAPI: `{ loc: ["body", "stream_options"], msg: "Extra inputs are not permitted" }`. */
function detail(item: unknown, depth: number): string | undefined {
  const words = wordsIn(item, depth);
  const loc = members(item)?.['loc'];
  return words !== undefined && Array.isArray(loc) ? `${loc.join('.')}: ${words}` : words;
}

/** OpenRouter says "Provider returned error", and in `metadata.raw` what the provider returned. */
function withUpstream(message: string, metadata: JsonMembers | undefined): string {
  const raw = wordsIn(metadata?.['raw']);
  const name = textOf(metadata?.['provider_name']);
  const by = raw === undefined || name === null ? '' : ` (${name})`;
  return raw === undefined || raw === message ? message : `${message}: ${raw}${by}`;
}

function httpStatus(value: unknown): number | null {
  const number = typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isInteger(number) && number >= 400 && number <= 599 ? number : null;
}

/** `com.amazon.coral.service#ThrottlingException`. */
function awsType(value: unknown): string | null {
  return textOf(value)?.replace(/^.*#/, '') ?? null;
}

/** A code is a text, or a number where a server repeats the status or counts its own. */
function codeText(code: unknown): string | null {
  return typeof code === 'number' ? String(code) : textOf(code);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function looksLikeHtml(text: string): boolean {
  return /^\s*(?:<!doctype\s+html|<html|<head|<body|<!--|<\?xml[^>]*>\s*<(?:!doctype\s+)?html)/i.test(text);
}

/** Each bracket is passed once, also where none closes. */
const TAGS = /<[^<>]*>/g;

/** A page in one sentence: its title, its heading, or its first words, without markup. */
export function htmlWords(html: string): string {
  const beginning = html.slice(0, 65_536);
  const bare = beginning.replace(/<(script|style|head)\b[\s\S]*?(?:<\/\1>|$)/gi, ' ').replace(TAGS, ' ');
  const words = unescaped(titleOf(beginning).replace(TAGS, ' ')) || unescaped(bare);
  return words === '' ? 'a web page' : `a web page: ${words.slice(0, 120)}`;
}

function titleOf(page: string): string {
  const opening = /<(title|h1)\b[^<>]{0,1000}>/i.exec(page);
  if (opening === null) return '';
  const from = page.slice(opening.index + opening[0].length);
  const end = from.search(new RegExp(`</${opening[1]}>`, 'i'));
  return end === -1 ? '' : from.slice(0, end);
}

/** The message of an error in XML, as object stores and older gateways give it; else its words without markup. */
function xmlWords(xml: string): string {
  const beginning = xml.slice(0, 65_536);
  const said = /<(?:\w{1,20}:)?(message|faultstring|reason|text)\b[^>]{0,200}>([^<]{1,2000})</i.exec(
    beginning,
  )?.[2];
  const words = unescaped(said ?? beginning.replace(TAGS, ' '));
  return words === '' ? 'an answer in XML' : words.slice(0, 500);
}

const ENTITIES: { readonly [name: string]: string } = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  nbsp: ' ',
};

function unescaped(text: string): string {
  return text
    .replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name: string) => ENTITIES[name] ?? '')
    .replace(/\s+/g, ' ')
    .trim();
}
