// What an expression and a template are as data: source text only, so that a plan can hold them.
import type { Json, JsonSchema } from '../../common/json.ts';
import type { Outcome } from '../../common/outcome.ts';

/** The source text of a CEL expression, without `${{ }}`. */
export type ExpressionText = string;

/** A value with expressions in it, compiled once when a plan is linked. */
export type Template =
  | { readonly kind: 'literal'; readonly value: Json }
  /** `${{ … }}` alone: keeps the value's type. */
  | { readonly kind: 'expression'; readonly source: ExpressionText }
  /** Text with `${{ … }}` inside: rendered as text. */
  | { readonly kind: 'text'; readonly parts: readonly (string | { readonly source: ExpressionText })[] }
  | { readonly kind: 'object'; readonly members: { readonly [key: string]: Template } }
  | { readonly kind: 'list'; readonly items: readonly Template[] };

/** What the roots of an expression are: `input`, `steps`, `caller`, … → the JSON Schema of each value. */
export interface EnvironmentShape {
  readonly roots: { readonly [name: string]: JsonSchema };
}

/** Values by root, as plain JSON. A root that is absent reads as `null`. */
export interface Values {
  readonly [root: string]: unknown;
}

export type ExpressionProblemCode =
  | 'expression-syntax'
  | 'expression-type'
  | 'expression-may-be-null'
  | 'expression-too-large'
  | 'invalid-pattern'
  | 'unknown-name'
  | 'unknown-field'
  | 'unknown-function';

/** Why a text is not an expression of its environment. Offsets are UTF-16 code units from the start of the source. */
export interface ExpressionProblem {
  readonly code: ExpressionProblemCode;
  /** One sentence. */
  readonly message: string;
  /** One sentence: what to write instead. */
  readonly remedy: string;
  readonly start: number;
  /** Exclusive; at least `start + 1`. */
  readonly end: number;
}

/** Why an expression that compiled could not be evaluated on these values. */
export interface EvaluationProblem {
  readonly message: string;
  readonly source: ExpressionText;
  readonly start: number;
  readonly end: number;
}

export interface CompiledExpression {
  readonly source: ExpressionText;
  /** What it gives; `{}`: anything. */
  readonly schema: JsonSchema;
  readonly references: References;
  /** JSON in, JSON out; never throws, touches nothing but `values`. */
  evaluate(values: Values): Outcome<Json, EvaluationProblem>;
}

export interface CompiledTemplate {
  readonly schema: JsonSchema;
  readonly references: References;
  evaluate(values: Values): Outcome<Json, EvaluationProblem>;
}

/** What a text mentions. */
export interface References {
  /** Every root, sorted. */
  readonly roots: readonly string[];
  /** Keys of `steps.KEY`, sorted. */
  readonly steps: readonly string[];
  /** Names of `env.NAME`, sorted. */
  readonly env: readonly string[];
  /** What is read of who calls and when, sorted: `caller.tier`, `now.date`; `caller` alone where all of it is. */
  readonly moment: readonly string[];
}
