// A template, compiled once: literals stay as they are, `${{ }}` alone keeps its type, `${{ }}` inside a text is rendered.
import type { Json } from '../../common/json.ts';
import { fail, succeed } from '../../common/outcome.ts';
import type { Outcome } from '../../common/outcome.ts';
import { compileExpression } from './compile.ts';
import type { TypedExpression } from './compile.ts';
import { EvaluationFailure, boundedText } from './context.ts';
import type { Environment } from './environment.ts';
import { NO_REFERENCES, mergeReferences } from './references.ts';
import {
  ANY,
  BOOLEAN,
  EMPTY_LIST,
  INTEGER,
  NULL,
  NUMBER,
  STRING,
  listOf,
  objectOf,
  schemaOf,
  unify,
} from './type.ts';
import type { Type } from './type.ts';
import type {
  CompiledTemplate,
  EvaluationProblem,
  ExpressionProblem,
  ExpressionText,
  Template,
  Values,
} from './types.ts';
import { renderText } from './values.ts';

export interface TypedTemplate extends CompiledTemplate {
  readonly type: Type;
}

/** A problem of one of the template's expressions. */
export interface TemplateProblem extends ExpressionProblem {
  readonly source: ExpressionText;
}

export function compileTemplate(
  template: Template,
  environment: Environment,
): Outcome<TypedTemplate, TemplateProblem> {
  switch (template.kind) {
    case 'literal':
      return succeed(constant(template.value));
    case 'expression':
      return compileAlone(template.source, environment);
    case 'text':
      return compileText(template.parts, environment);
    case 'object':
      return compileObject(template.members, environment);
    case 'list':
      return compileList(template.items, environment);
  }
}

function typed(
  type: Type,
  references: CompiledTemplate['references'],
  evaluate: CompiledTemplate['evaluate'],
): TypedTemplate {
  return { type, schema: schemaOf(type), references, evaluate };
}

function constant(value: Json): TypedTemplate {
  return typed(typeOfValue(value), NO_REFERENCES, () => succeed(value));
}

function typeOfValue(value: Json): Type {
  if (value === null) return NULL;
  if (typeof value === 'string') return STRING;
  if (typeof value === 'boolean') return BOOLEAN;
  if (typeof value === 'number') return Number.isInteger(value) ? INTEGER : NUMBER;
  if (Array.isArray(value))
    return value.length === 0
      ? EMPTY_LIST
      : listOf((value as readonly Json[]).map(typeOfValue).reduce(unify));
  return objectOf(new Map(Object.entries(value).map(([name, member]) => [name, typeOfValue(member)])));
}

function compileAlone(
  source: ExpressionText,
  environment: Environment,
): Outcome<TypedExpression, TemplateProblem> {
  const compiled = compileExpression(source, environment);
  return compiled.ok ? compiled : fail({ ...compiled.error, source });
}

function compileText(
  parts: readonly (string | { readonly source: ExpressionText })[],
  environment: Environment,
): Outcome<TypedTemplate, TemplateProblem> {
  const pieces: (string | TypedExpression)[] = [];
  for (const part of parts) {
    if (typeof part === 'string') {
      pieces.push(part);
      continue;
    }
    const compiled = compileAlone(part.source, environment);
    if (!compiled.ok) return compiled;
    pieces.push(compiled.value);
  }
  const references = mergeReferences(
    pieces.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.references])),
  );
  return succeed(typed(STRING, references, (values) => render(pieces, values)));
}

function render(
  pieces: readonly (string | TypedExpression)[],
  values: Values,
): Outcome<Json, EvaluationProblem> {
  let text = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      text += piece;
      continue;
    }
    const result = piece.evaluate(values);
    if (!result.ok) return result;
    try {
      text += renderText(result.value);
      boundedText(text.length);
    } catch (error) {
      if (!(error instanceof EvaluationFailure)) throw error;
      return fail({ message: error.message, source: piece.source, start: 0, end: piece.source.length });
    }
  }
  return succeed(text);
}

function compileObject(
  members: { readonly [key: string]: Template },
  environment: Environment,
): Outcome<TypedTemplate, TemplateProblem> {
  const compiled: [string, TypedTemplate][] = [];
  for (const [name, member] of Object.entries(members)) {
    const result = compileTemplate(member, environment);
    if (!result.ok) return result;
    compiled.push([name, result.value]);
  }
  const type = objectOf(new Map(compiled.map(([name, member]) => [name, member.type])));
  return succeed(
    typed(type, mergeReferences(compiled.map(([, member]) => member.references)), (values) => {
      const entries: [string, Json][] = [];
      for (const [name, member] of compiled) {
        const result = member.evaluate(values);
        if (!result.ok) return result;
        entries.push([name, result.value]);
      }
      return succeed(Object.fromEntries(entries));
    }),
  );
}

function compileList(
  items: readonly Template[],
  environment: Environment,
): Outcome<TypedTemplate, TemplateProblem> {
  const compiled: TypedTemplate[] = [];
  for (const item of items) {
    const result = compileTemplate(item, environment);
    if (!result.ok) return result;
    compiled.push(result.value);
  }
  const type = compiled.length === 0 ? listOf(ANY) : listOf(compiled.map((item) => item.type).reduce(unify));
  return succeed(
    typed(type, mergeReferences(compiled.map((item) => item.references)), (values) => {
      const results: Json[] = [];
      for (const item of compiled) {
        const result = item.evaluate(values);
        if (!result.ok) return result;
        results.push(result.value);
      }
      return succeed(results);
    }),
  );
}
