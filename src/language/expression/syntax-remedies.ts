// What to write instead of a text that is no CEL: the slips that people who know other languages make.

/** `x | upper`, and with its arguments `x | default("y")`. */
const FILTER = /([\w.\])]*)\s*(?<!\|)\|(?!\|)\s*(\w*)(?:\(([^()]*)\))?/;
const METHODS: { readonly [filter: string]: string } = {
  strip: 'trim',
  downcase: 'lower',
  upcase: 'upper',
  unique: 'distinct',
  uniq: 'distinct',
};
const FUNCTIONS: { readonly [filter: string]: string } = {
  length: 'size',
  len: 'size',
  count: 'size',
  tojson: 'toJson',
  to_json: 'toJson',
  json: 'toJson',
  d: 'default',
  default: 'default',
  int: 'int',
  float: 'double',
  str: 'string',
  string: 'string',
};
const OWN_METHODS =
  /^(?:upper|lower|trim|truncate|replace|split|lines|join|first|last|take|skip|reverse|sort|distinct|sum|min|max|flatten|keys|values)$/;

/** The call that does what a filter was meant to do. */
function filterRemedy(text: string): string | undefined {
  const [, value = '', filter = '', given] = FILTER.exec(text) ?? [];
  if (!FILTER.test(text)) return undefined;
  const name = filter.toLowerCase();
  const subject = value === '' ? 'x' : value;
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : OWN_METHODS.test(name) ? name : undefined;
  const call = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (call !== undefined)
    return `CEL has no filters: write \`${call}(${[subject, given ?? (call === 'default' ? 'y' : '')].filter(Boolean).join(', ')})\`.`;
  if (method !== undefined) return `CEL has no filters: write \`${subject}.${method}(${given ?? ''})\`.`;
  return 'CEL has no filters: write a call, `input.text.upper()`, or `default(x, y)`.';
}

/** Seen in a longer stretch: their parts stand apart. */
const WIDE_SLIPS: readonly (readonly [RegExp, string])[] = [
  [/\{\{|\{%/, 'Write the expression alone, without `{{ }}`.'],
  [/\bis (?:not )?(?:none|null|nil|empty|defined)\b/i, 'Write `x == null` or `x != null`.'],
  [/\bif\b.*\belse\b/s, 'Write `condition ? this : that`.'],
  [/\[[^\]]*:/, 'Write `text.substring(from, to)`, or `list.skip(from).take(count)`.'],
  [/\bf["']/, 'Write `"text " + input.name`, or a text with `${{ }}` in it.'],
  [/\+\+|--|[-+*/]=/, 'An expression only computes a value; it changes nothing.'],
];
const SLIPS: readonly (readonly [RegExp, string])[] = [
  [/===|!==/, 'Write `==` or `!=`; CEL has no `===`.'],
  [/\b(?:and|or|not)\b/, 'Write `&&`, `||` and `!`.'],
  [/=>/, 'CEL has no arrow functions: write `list.filter(item, item.done)`.'],
  [/\?\?/, 'Write `default(x, y)` for a value in place of null.'],
  [/\?\./, 'Fields of what is absent are null already: write a plain `.`.'],
  [/[^=!<>]=[^=]/, 'Write `==` to compare; an expression cannot assign.'],
  [/`/, 'Write text in "double" or \'single\' quotes.'],
  [/\$\{\{/, 'Leave out `${{ }}` here: this place holds an expression already.'],
];

export const SYNTAX_REMEDIES = {
  tokens: {
    EOF: 'the end',
    NUMBER: 'a number',
    STRING: 'a text',
    BOOLEAN: '`true` or `false`',
    NULL: '`null`',
    IDENTIFIER: 'a name',
    LPAREN: '`(`',
    RPAREN: '`)`',
    LBRACKET: '`[`',
    RBRACKET: '`]`',
    LBRACE: '`{`',
    RBRACE: '`}`',
    DOT: '`.`',
    COMMA: '`,`',
    COLON: '`:`',
    QUESTION: '`?`',
    IN: '`in`',
  } as Readonly<Record<string, string>>,

  forText(source: string, start: number): string {
    const within = (reach: number): string => source.slice(Math.max(0, start - reach), start + reach);
    const filter = filterRemedy(within(40));
    if (filter !== undefined) return filter;
    const slip =
      WIDE_SLIPS.find(([pattern]) => pattern.test(within(40))) ??
      SLIPS.find(([pattern]) => pattern.test(within(12)));
    return (
      slip?.[1] ??
      'Check brackets, quotes and operators around this place; docs/reference/expressions.md lists what can be written.'
    );
  },
};
