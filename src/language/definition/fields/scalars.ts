// Plain values: texts, numbers, choices, names.
import { formatThousands } from '../../../common/units.ts';
import type { JsonSchema } from '../../../common/json.ts';
import { nearest } from '../../../common/nearest.ts';
import type { PromptCacheSetting, Reference } from '../types.ts';
import { scalar, show } from './kind.ts';
import type { Kind } from './kind.ts';

export const text: Kind<string> = scalar({
  label: 'text',
  noun: 'a text',
  schema: { type: 'string', minLength: 1 },
  remedy: 'Write a text; put it in quotes when it looks like a number or like true, false or null.',
  parse: ({ value }) => (typeof value === 'string' && value.trim() !== '' ? value : undefined),
});

export const flag: Kind<boolean> = scalar({
  label: '`true` or `false`',
  noun: 'true or false',
  schema: { type: 'boolean' },
  remedy: 'Write `true` or `false`, without quotes.',
  parse: ({ value }) => (typeof value === 'boolean' ? value : undefined),
});

export function integer(least: number, most: number): Kind<number> {
  return scalar({
    label: `whole number from ${least} to ${formatThousands(most)}`,
    noun: `a whole number from ${least} to ${formatThousands(most)}`,
    schema: { type: 'integer', minimum: least, maximum: most },
    remedy: `Write a whole number from ${least} to ${formatThousands(most)}.`,
    parse: ({ value }) =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
        ? value
        : undefined,
  });
}

export function number(least: number, most: number): Kind<number> {
  return scalar({
    label: `number from ${least} to ${most}`,
    noun: `a number from ${least} to ${most}`,
    schema: { type: 'number', minimum: least, maximum: most },
    remedy: `Write a number from ${least} to ${most}.`,
    parse: ({ value }) => (typeof value === 'number' && value >= least && value <= most ? value : undefined),
  });
}

export function choice<const Options extends readonly string[]>(...options: Options): Kind<Options[number]> {
  const listed = options.map((option) => `\`${option}\``).join(', ');
  return {
    label: listed.replace(/, ([^,]*)$/, ' or $1'),
    schema: () => ({ enum: options }),
    read(node, reader) {
      const { value } = node.kind === 'scalar' ? node : { value: null };
      if (typeof value === 'string' && options.includes(value)) return value;
      const near = typeof value === 'string' ? nearest(value, options) : undefined;
      reader.report(
        'invalid-value',
        node.at,
        `${show(node)} is not one of the choices.`,
        near ? `Did you mean \`${near}\`? It can be: ${listed}.` : `Write one of: ${listed}.`,
      );
      return undefined;
    },
  };
}

/** `promptCache:`, of the project, a task or a step. */
const onOrOff = choice('on', 'off');
export const promptCache: Kind<PromptCacheSetting> = {
  ...onOrOff,
  read(node, reader) {
    const meant = node.kind === 'scalar' ? MEANT.get(String(node.value).toLowerCase()) : undefined;
    if (meant === undefined) return onOrOff.read(node, reader);
    reader.report(
      'invalid-value',
      node.at,
      `${show(node)} is not one of the choices.`,
      `Write \`${meant}\`.`,
    );
    return undefined;
  },
};

/** Other words for it, of which the nearest by its letters may be the opposite. */
const MEANT: ReadonlyMap<string, PromptCacheSetting> = new Map([
  ...['true', 'yes', 'auto', 'always', 'enabled'].map((word) => [word, 'on'] as const),
  ...['false', 'no', 'none', 'never', 'null', 'disabled'].map((word) => [word, 'off'] as const),
]);

/** Names that expressions use: no dashes, no words that CEL keeps for itself. */
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
/** Names of tasks, providers, policies, routes, budgets. */
export const NAME = /^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$/;
export const NAME_SCHEMA: JsonSchema = { type: 'string', pattern: NAME.source, maxLength: 64 };

const RESERVED = new Set([
  'as',
  'break',
  'const',
  'continue',
  'else',
  'false',
  'for',
  'function',
  'if',
  'import',
  'in',
  'let',
  'loop',
  'namespace',
  'null',
  'package',
  'return',
  'true',
  'var',
  'void',
  'while',
  '__proto__',
  'prototype',
  'constructor',
]);

export function isIdentifier(name: string): boolean {
  return IDENTIFIER.test(name) && !RESERVED.has(name);
}

export function isName(name: string): boolean {
  return NAME.test(name) && name.length <= 64;
}

export const identifier: Kind<string> = scalar({
  label: 'name of letters, digits and `_`',
  noun: 'a name that expressions can use',
  schema: { type: 'string', pattern: IDENTIFIER.source },
  remedy: 'Use letters, digits and `_`, starting with a letter: `file`, `line_item`.',
  parse: ({ value }) => (typeof value === 'string' && isIdentifier(value) ? value : undefined),
});

/** The name of something that is declared elsewhere; that it is there, a rule says. */
export function reference(what: string): Kind<Reference> {
  return {
    label: `name of a ${what}`,
    schema: () => ({ type: 'string', minLength: 1, description: `The name of a ${what}.` }),
    read(node, reader) {
      if (node.kind === 'scalar' && typeof node.value === 'string' && node.value !== '')
        return { name: node.value, at: node.at };
      reader.report(
        'invalid-value',
        node.at,
        `${show(node)} is not the name of a ${what}.`,
        `Write the name of a ${what}.`,
      );
      return undefined;
    },
  };
}
