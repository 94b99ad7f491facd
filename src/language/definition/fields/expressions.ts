// Expressions and templates as values of fields.
import type { Json } from '../../../common/json.ts';
import { PLACEHOLDER_START, placeholderEnd } from '../../../common/placeholder.ts';
import type { DocumentNode, ListNode, ScalarNode } from '../../document/types.ts';
import { parseTemplate } from '../../expression/template-parts.ts';
import type { Template } from '../../expression/types.ts';
import { keepMemberPlaces, keepPlaceholders, locatedExpression } from '../located.ts';
import type { Reader } from '../reader.ts';
import type { Expression, LocatedTemplate } from '../types.ts';
import { show } from './kind.ts';
import { expressionLookalike } from './text-lookalikes.ts';
import type { Kind } from './kind.ts';

/** CEL as it is; within `${{ }}` it is taken as well, as GitHub Actions does in `if:`. */
export const expression: Kind<Expression> = {
  label: 'CEL expression',
  schema: () => ({ type: ['string', 'boolean'] }),
  read(node, reader) {
    if (node.kind === 'scalar' && typeof node.value === 'boolean')
      return locatedExpression(String(node.value), node.at, () => node.at);
    if (node.kind === 'scalar' && typeof node.value === 'string') return readExpression(node, node.value);
    reader.report(
      'invalid-value',
      node.at,
      `${show(node)} is not an expression.`,
      node.kind === 'list'
        ? `Write the list as an expression: \`\${{ ${listExpression(node)} }}\`.`
        : 'Write a CEL expression, such as `caller.tier == "enterprise"`.',
    );
    return undefined;
  },
};

/** The list as CEL has it, where its items are plain values. */
function listExpression({ items }: ListNode): string {
  const values = items.map((item) => (item.kind === 'scalar' ? JSON.stringify(item.value) : undefined));
  const text = `[${values.join(', ')}]`;
  return values.includes(undefined) || text.length > 60 ? '["a", "b"]' : text;
}

function readExpression(node: ScalarNode, value: string): Expression {
  const start = value.length - value.trimStart().length;
  const wrapped =
    value.startsWith(PLACEHOLDER_START, start) && placeholderEnd(value, start) === value.trimEnd().length;
  const from = wrapped ? start + PLACEHOLDER_START.length : start;
  const inner = wrapped ? value.slice(from, value.trimEnd().length - 2) : value.slice(from);
  const offset = from + (inner.length - inner.trimStart().length);
  return locatedExpression(inner.trim(), node.at, (first, last) =>
    node.locate(offset + first, offset + last),
  );
}

/** `${{ … }}` alone: an expression where a value is taken from. */
export const source: Kind<Expression> = {
  label: 'CEL expression in `${{ }}`',
  schema: () => ({ type: 'string' }),
  read: (node, reader) => expression.read(node, reader),
};

/** A text with placeholders. */
export const textTemplate: Kind<LocatedTemplate> = {
  label: 'text with `${{ }}`',
  schema: () => ({ type: 'string', minLength: 1 }),
  read(node, reader) {
    if (node.kind === 'scalar' && typeof node.value === 'string' && node.value !== '')
      return readTemplate(node, reader);
    reader.report(
      'invalid-value',
      node.at,
      `${show(node)} is not a text.`,
      'Write a text, with `${{ }}` where values go; several lines stand after `|`.',
    );
    return undefined;
  },
};

/** Any value; every text in it may have placeholders. */
export const valueTemplate: Kind<LocatedTemplate> = {
  label: 'value with `${{ }}`',
  schema: () => ({}),
  read: readTemplate,
};

export const objectTemplate: Kind<LocatedTemplate> = {
  label: 'map of values with `${{ }}`',
  schema: () => ({ type: 'object' }),
  read(node, reader) {
    if (node.kind === 'map') return readTemplate(node, reader);
    reader.report(
      'wrong-shape',
      node.at,
      `${show(node)} stands where a map is needed.`,
      'Write a map: `name: ${{ input.value }}`.',
    );
    return undefined;
  },
};

function readTemplate(node: DocumentNode, reader: Reader): LocatedTemplate | undefined {
  const found: Expression[] = [];
  const before = reader.errors;
  const template = toTemplate(node, reader, found);
  if (reader.errors > before) return undefined;
  return keepMemberPlaces(keepPlaceholders({ template, at: node.at }, found), node);
}

function toTemplate(node: DocumentNode, reader: Reader, found: Expression[]): Template {
  if (node.kind === 'map') {
    const members = Object.fromEntries(
      node.entries.map(({ key, value }) => [key, toTemplate(value, reader, found)]),
    );
    const literal = asLiteral(Object.values(members));
    return literal
      ? {
          kind: 'literal',
          value: Object.fromEntries(Object.keys(members).map((key, index) => [key, literal[index] ?? null])),
        }
      : { kind: 'object', members };
  }
  if (node.kind === 'list') {
    const items = node.items.map((item) => toTemplate(item, reader, found));
    const literal = asLiteral(items);
    return literal ? { kind: 'literal', value: literal } : { kind: 'list', items };
  }
  if (typeof node.value !== 'string') return { kind: 'literal', value: node.value };
  return readText(node, node.value, reader, found);
}

function asLiteral(parts: readonly Template[]): Json[] | undefined {
  const values: Json[] = [];
  for (const part of parts) {
    if (part.kind !== 'literal') return undefined;
    values.push(part.value);
  }
  return values;
}

function readText(node: ScalarNode, value: string, reader: Reader, found: Expression[]): Template {
  const parsed = parseTemplate(value);
  if (!parsed.ok) {
    const { code, message, remedy, start, end } = parsed.error;
    reader.report(code, node.locate(start, end), message, remedy);
    return { kind: 'literal', value };
  }
  const lookalike = expressionLookalike(value);
  if (lookalike)
    reader.report(
      'expression-as-text',
      node.locate(lookalike.start, lookalike.end),
      'This looks like an expression, but is plain text.',
      'Write `${{ … }}` around it; to keep it as text, write `${{ "…" }}`.',
    );
  for (const { source: text, offset } of parsed.value.placeholders) {
    const place = node.locate(offset, offset + text.length);
    found.push(locatedExpression(text, place, (start, end) => node.locate(offset + start, offset + end)));
  }
  return parsed.value.template;
}
