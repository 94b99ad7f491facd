// What a function of the language is: one entry of the table that checks calls, runs them, and writes the reference page.
import type { Json } from '../../../common/json.ts';
import type { Context } from '../context.ts';
import type { Type } from '../type.ts';

export type Pattern =
  | 'any'
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'list'
  | 'list of texts'
  | 'list of numbers'
  | 'list of lists'
  | 'object'
  /** What `size` counts. */
  | 'text, list or object'
  /** What a text can be converted from or to. */
  | 'number or text'
  | 'boolean or text';

export interface FunctionEntry {
  readonly name: string;
  /** null: called as `name(x)`; else as `x.name()`. */
  readonly receiver: Pattern | null;
  readonly params: readonly {
    readonly name: string;
    readonly pattern: Pattern;
    readonly optional?: boolean;
  }[];
  /** From the types of the receiver (if any) and the arguments. */
  readonly result: Type | ((types: readonly Type[]) => Type);
  /** Receiver first. Each argument matches its pattern; an optional one may be absent. Work beyond a look at each argument is spent from the context. */
  call(args: readonly Json[], context: Context): Json;
  readonly summary: string;
  /** Each is run by a test. */
  readonly examples: readonly (readonly [expression: string, gives: Json])[];
}

/** `text.replace(search, with)`, for the reference page and for messages. */
export function signatureOf(entry: FunctionEntry): string {
  const params = entry.params.map((param) => (param.optional ? `${param.name}?` : param.name)).join(', ');
  return entry.receiver === null
    ? `${entry.name}(${params})`
    : `${RECEIVERS[entry.receiver]}.${entry.name}(${params})`;
}

const RECEIVERS: Record<Pattern, string> = {
  any: 'value',
  string: 'text',
  integer: 'integer',
  number: 'number',
  boolean: 'boolean',
  list: 'list',
  'list of texts': 'texts',
  'list of numbers': 'numbers',
  'list of lists': 'lists',
  object: 'object',
  'text, list or object': 'value',
  'number or text': 'value',
  'boolean or text': 'value',
};

const WORDS: Record<Pattern, string> = {
  any: 'any value',
  string: 'a text',
  integer: 'an integer',
  number: 'a number',
  boolean: 'true or false',
  list: 'a list',
  'list of texts': 'a list of texts',
  'list of numbers': 'a list of numbers',
  'list of lists': 'a list of lists',
  object: 'an object',
  'text, list or object': 'a text, a list or an object',
  'number or text': 'a number or a text',
  'boolean or text': 'a text, or true or false',
};

export function wordFor(pattern: Pattern): string {
  return WORDS[pattern];
}

/** `null` where the types decide nothing and the values have to be looked at. */
export function typeMatches(pattern: Pattern, type: Type): boolean | null {
  if (pattern === 'any') return true;
  if (type.kind === 'any') return null;
  switch (pattern) {
    case 'number':
      return type.kind === 'number' || type.kind === 'integer';
    case 'list':
    case 'list of texts':
    case 'list of numbers':
    case 'list of lists':
      return type.kind === 'list' && listMatches(pattern, type.items);
    case 'text, list or object':
      return type.kind === 'string' || type.kind === 'list' || type.kind === 'object';
    case 'number or text':
      return type.kind === 'string' || type.kind === 'number' || type.kind === 'integer';
    case 'boolean or text':
      return type.kind === 'string' || type.kind === 'boolean';
    default:
      return type.kind === pattern;
  }
}

function listMatches(pattern: Pattern, items: Type): boolean | null {
  if (pattern === 'list' || items.kind === 'any') return pattern === 'list' ? true : null;
  if (pattern === 'list of texts') return items.kind === 'string';
  if (pattern === 'list of numbers') return items.kind === 'number' || items.kind === 'integer';
  return items.kind === 'list';
}

export function valueMatches(pattern: Pattern, value: Json): boolean {
  switch (pattern) {
    case 'any':
      return true;
    case 'string':
    case 'boolean':
    case 'number':
      return typeof value === pattern;
    case 'integer':
      return Number.isInteger(value);
    case 'list':
      return Array.isArray(value);
    case 'list of texts':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'list of numbers':
      return Array.isArray(value) && value.every((item) => typeof item === 'number');
    case 'list of lists':
      return Array.isArray(value) && value.every((item) => Array.isArray(item));
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'text, list or object':
      return typeof value === 'string' || (typeof value === 'object' && value !== null);
    case 'number or text':
      return typeof value === 'string' || typeof value === 'number';
    case 'boolean or text':
      return typeof value === 'string' || typeof value === 'boolean';
  }
}
