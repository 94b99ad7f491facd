// Walking templates: every expression that a value mentions.
import type { ExpressionText, Template } from './types.ts';

/** The expressions of a template, in the order in which they stand. */
export function expressionsOf(template: Template): readonly ExpressionText[] {
  switch (template.kind) {
    case 'literal':
      return [];
    case 'expression':
      return [template.source];
    case 'text':
      return template.parts.flatMap((part) => (typeof part === 'string' ? [] : [part.source]));
    case 'object':
      return Object.values(template.members).flatMap(expressionsOf);
    case 'list':
      return template.items.flatMap(expressionsOf);
  }
}
