// Functions as other languages call them, and what they are in CEL here.

const SIZE = 'Write `size(x)`.';

const CALLS: { readonly [name: string]: string } = {
  len: SIZE,
  length: SIZE,
  count: SIZE,
  strlen: SIZE,
  touppercase: 'Write `text.upper()`.',
  uppercase: 'Write `text.upper()`.',
  upcase: 'Write `text.upper()`.',
  tolowercase: 'Write `text.lower()`.',
  lowercase: 'Write `text.lower()`.',
  downcase: 'Write `text.lower()`.',
  strip: 'Write `text.trim()`.',
  includes: 'Write `text.contains(part)` or `list.contains(item)`.',
  has_key: 'Write `has(x.field)`.',
  slice: 'Write `text.substring(from, to)`, or `list.skip(from).take(count)`.',
  substr: 'Write `text.substring(from, to)`.',
  str: 'Write `string(x)`.',
  tostring: 'Write `string(x)`.',
  concat: 'Write `left + right`.',
  append: 'Write `list + [item]`.',
  push: 'Write `list + [item]`.',
  float: 'Write `double(x)`.',
  number: 'Write `double(x)`.',
  parseint: 'Write `int(x)`.',
  parsefloat: 'Write `double(x)`.',
  boolean: 'Write `bool(x)`.',
  json: 'Write `toJson(x)`.',
  tojson: 'Write `toJson(x)`.',
  to_json: 'Write `toJson(x)`.',
  stringify: 'Write `toJson(x)`.',
  dumps: 'Write `toJson(x)`.',
  now: 'Write `now`, which is a moment and no function.',
  today: 'Write `now.date`.',
  coalesce: 'Write `default(x, y)`.',
  ifnull: 'Write `default(x, y)`.',
  nvl: 'Write `default(x, y)`.',
  or: 'Write `default(x, y)`.',
  some: 'Write `list.exists(item, condition)`.',
  any: 'Write `list.exists(item, condition)`.',
  every: 'Write `list.all(item, condition)`.',
  find: 'Write `list.filter(item, condition).first()`.',
  test: 'Write `text.matches(pattern)`.',
  match: 'Write `text.matches(pattern)`.',
  regex: 'Write `text.matches(pattern)`.',
  isempty: 'Write `size(x) == 0`.',
  empty: 'Write `size(x) == 0`.',
  uniq: 'Write `list.distinct()`.',
  unique: 'Write `list.distinct()`.',
  reduce: 'Write `list.sum()`, `list.join(", ")` or a step of its own.',
  foreach: 'Write `list.map(item, value)`.',
  replaceall: 'Write `text.replace(search, replacement)`, which replaces all.',
  format: 'Write a text with `${{ }}` in it, or `left + right`.',
};

/** What to write for a function that there is not under this name. */
export function foreignCall(name: string): string | undefined {
  const key = name.toLowerCase();
  return Object.hasOwn(CALLS, key) ? CALLS[key] : undefined;
}

const SIZES: ReadonlySet<string> = new Set(['length', 'size', 'count', 'len']);

/** What to write for a field of a text or a list, which have none. */
export function foreignField(name: string): string | undefined {
  return SIZES.has(name.toLowerCase()) ? SIZE : undefined;
}

const CONSTANTS: { readonly [name: string]: string } = {
  none: 'null',
  nil: 'null',
  null: 'null',
  undefined: 'null',
  true: 'true',
  false: 'false',
  yes: 'true',
  no: 'false',
};

/** What to write for a constant of another language. */
export function foreignConstant(name: string): string | undefined {
  const key = name.toLowerCase();
  return Object.hasOwn(CONSTANTS, key) ? `Write \`${CONSTANTS[key]}\`.` : undefined;
}
