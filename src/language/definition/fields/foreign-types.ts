// Types as other languages name them, and what they are called here.

const NAMES: { readonly [name: string]: string } = {
  bool: 'boolean',
  str: 'string',
  text: 'string',
  char: 'string',
  varchar: 'string',
  int: 'integer',
  int32: 'integer',
  int64: 'integer',
  long: 'integer',
  float: 'number',
  double: 'number',
  decimal: 'number',
  numeric: 'number',
  num: 'number',
  timestamp: 'datetime',
  'date-time': 'datetime',
  time: 'datetime',
  json: 'any',
  unknown: 'any',
  mixed: 'any',
};
/** Texts of a form that JSON Schema names. */
const FORMATS: { readonly [name: string]: string } = { email: 'email', url: 'uri', uri: 'uri', uuid: 'uuid' };
const LISTS = /^(?:list|array|sequence|seq|set|tuple)(?:\s+of\s+|[[<(]\s*)(.+?)[\])>]?$/i;
const OPTIONAL = /^(?:optional|maybe|nullable)\s*(?:[[<(]\s*)?(.+?)[\])>]?$/i;
const OPTIONAL_AFTER = /^(.+?)(?:\s*,?\s*\(?optional\)?|\s*\|\s*(?:null|none|undefined|nil))$/i;
const CHOICE = /^(?:literal|enum|oneof|choice)\s*[[(<]\s*(.+?)[\])>]$/i;
const MAX_CHARACTERS = 200;

/** What to write for a type that is none here; undefined: nobody knows what was meant. */
export function translateType(written: string): string | undefined {
  const text = written.trim();
  if (text.length > MAX_CHARACTERS) return undefined;
  const meant = typeOf(text);
  return meant === undefined || meant === text ? undefined : `Write \`${meant}\`.`;
}

/** In the words of the language; a text that is a type already is given back. */
function typeOf(text: string): string | undefined {
  const required = /^(.+)\?$/.exec(text)?.[1] ?? OPTIONAL.exec(text)?.[1] ?? OPTIONAL_AFTER.exec(text)?.[1];
  if (required !== undefined) {
    const inner = typeOf(required.trim());
    return inner === undefined || /[{[]/.test(inner.replace(/\[\]$/, '')) ? inner : `${inner}?`;
  }
  const item = LISTS.exec(text)?.[1] ?? /^(.+)\[\]$/.exec(text)?.[1];
  if (item !== undefined) {
    const inner = typeOf(item.trim());
    return inner === undefined ? undefined : inner.startsWith('{') ? `[${inner}]` : `"${inner}[]"`;
  }
  const choices = CHOICE.exec(text)?.[1]?.split(',') ?? (text.includes('|') ? text.split('|') : undefined);
  if (choices !== undefined)
    return choiceOf(choices.map((one) => one.trim().replace(/^(["'])(.*)\1$/, '$2')));
  const name = text.toLowerCase();
  if (name === 'list' || name === 'array') return '["string"]'.replaceAll('"', '');
  if (/^(?:dict|map|record|struct|object)\b/.test(name)) return '{ name: string }';
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  if (format !== undefined) return `{ type: string, format: ${format} }`;
  if (Object.hasOwn(NAMES, name)) return NAMES[name];
  return /^(?:string|integer|number|boolean|date|datetime|any)$/.test(text) ? text : undefined;
}

/** Types side by side are no choice: `string | number`. */
function choiceOf(values: readonly string[]): string | undefined {
  if (values.length < 2 || values.includes('')) return undefined;
  if (values.every((value) => typeOf(value) !== undefined)) return 'any';
  return `{ enum: [${values.join(', ')}] }`;
}
