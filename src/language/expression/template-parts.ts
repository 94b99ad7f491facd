// Text ↔ template: where the placeholders stand.
import type { Json } from '../../common/json.ts';
import { PLACEHOLDER_START, placeholderEnd } from '../../common/placeholder.ts';
import { fail, succeed } from '../../common/outcome.ts';
import type { Outcome } from '../../common/outcome.ts';
import type { ExpressionProblem, ExpressionText, Template } from './types.ts';

/** An expression in a text: its source without braces and spaces, and where that source starts in the text. */
export interface Placeholder {
  readonly source: ExpressionText;
  readonly offset: number;
}

export interface ParsedTemplate {
  readonly template: Template;
  readonly placeholders: readonly Placeholder[];
}

/** The text is kept exactly as it is. The signs themselves are written `${{ "${{" }}`. */
export function parseTemplate(text: string): Outcome<ParsedTemplate, ExpressionProblem> {
  const parts: (string | { readonly source: ExpressionText })[] = [];
  const placeholders: Placeholder[] = [];
  let literal = '';
  let position = 0;
  while (position < text.length) {
    const start = text.indexOf(PLACEHOLDER_START, position);
    if (start === -1) break;
    const end = placeholderEnd(text, start);
    if (end === -1)
      return fail({
        code: 'expression-syntax',
        message: 'A `${{` is not closed.',
        remedy: 'Close it with `}}`; write `${{ "${{" }}` for these signs as text.',
        start,
        end: start + 3,
      });
    literal += text.slice(position, start);
    if (literal !== '') parts.push(literal);
    literal = '';
    const inner = text.slice(start + PLACEHOLDER_START.length, end - 2);
    const source = inner.trim();
    placeholders.push({
      source,
      offset: start + PLACEHOLDER_START.length + (inner.length - inner.trimStart().length),
    });
    parts.push({ source });
    position = end;
  }
  literal += text.slice(position);
  if (literal !== '') parts.push(literal);
  return succeed({ template: toTemplate(parts), placeholders });
}

function toTemplate(parts: readonly (string | { readonly source: ExpressionText })[]): Template {
  const [first] = parts;
  if (first === undefined) return { kind: 'literal', value: '' };
  if (parts.length > 1) return { kind: 'text', parts };
  return typeof first === 'string'
    ? { kind: 'literal', value: first }
    : { kind: 'expression', source: first.source };
}

/** The template as it would be written: the inverse of reading a YAML value. */
export function printTemplate(template: Template): Json {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'expression':
      return `\${{ ${template.source} }}`;
    case 'text':
      return template.parts
        .map((part) => (typeof part === 'string' ? part : `\${{ ${part.source} }}`))
        .join('');
    case 'object':
      return Object.fromEntries(
        Object.entries(template.members).map(([name, member]) => [name, printTemplate(member)]),
      );
    case 'list':
      return template.items.map(printTemplate);
  }
}

/** The sources of all expressions in a template. */
export function placeholdersOf(template: Template): readonly ExpressionText[] {
  switch (template.kind) {
    case 'literal':
      return [];
    case 'expression':
      return [template.source];
    case 'text':
      return template.parts.flatMap((part) => (typeof part === 'string' ? [] : [part.source]));
    case 'object':
      return Object.values(template.members).flatMap(placeholdersOf);
    case 'list':
      return template.items.flatMap(placeholdersOf);
  }
}

/** `secrets.NAME`, alone: the only way in which a placeholder may mention a secret. */
const SECRET = /^secrets\.([A-Za-z_][A-Za-z0-9_]*)$/;

/** The secret that a placeholder names; undefined: it names none. */
export function secretNamed(source: ExpressionText): string | undefined {
  return SECRET.exec(source)?.[1];
}

/** The secrets of a template, each once. */
export function secretsOf(template: Template): readonly string[] {
  return [...new Set(placeholdersOf(template).flatMap((source) => secretNamed(source) ?? []))];
}
