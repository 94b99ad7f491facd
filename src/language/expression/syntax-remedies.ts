// What to write instead of a text that is no CEL: the slips that people who know other languages make.

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
    const around = source.slice(Math.max(0, start - 12), start + 12);
    const slip = SLIPS.find(([pattern]) => pattern.test(around));
    return (
      slip?.[1] ??
      'Check brackets, quotes and operators around this place; docs/reference/expressions.md lists what can be written.'
    );
  },
};
