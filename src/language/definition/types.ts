// The Definition: what the workflow files say, validated, with shorthand expanded and units parsed; nothing inherited, resolved or priced yet.
import type { Limit } from '../../common/limit.ts';
import type { Json, JsonObject, JsonSchema } from '../../common/json.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { Place } from '../../errors/place.ts';
import type { ExpressionText, Template } from '../expression/types.ts';
import type { ProjectDefinition, Reference, RouteReference } from './project-types.ts';

export type { Place } from '../../errors/place.ts';
export type { Problem } from '../../errors/problem.ts';
export type * from './project-types.ts';

export interface Definition {
  readonly language: 1;
  readonly project: ProjectDefinition;
  /** By task name, in the order of the names. */
  readonly tasks: { readonly [name: string]: TaskDefinition };
}

/** A CEL expression and where it stands. */
export interface Expression {
  readonly source: ExpressionText;
  readonly at: Place;
}

/** A value with expressions in it, and where it starts. */
export interface LocatedTemplate {
  readonly template: Template;
  readonly at: Place;
}

/** A JSON Schema (2020-12), with shorthand expanded. */
export interface LocatedSchema {
  readonly schema: JsonSchema;
  readonly at: Place;
}

export interface TaskDefinition {
  readonly name: string;
  /** Relative to the workflows folder's parent, as the source gave it. */
  readonly file: string;
  readonly at: Place;
  /** `''` where there is none. */
  readonly description: string;
  /** The reason, when the task is deprecated. */
  readonly deprecated: string | null;
  readonly input: InputDefinition;
  readonly allowance: AllowanceDefinition;
  /** Of the started runs that wait, the larger is begun first. */
  readonly priority: number;
  readonly budget: TaskBudgetDefinition | null;
  readonly cache: { readonly forMs: number; readonly at: Place } | null;
  readonly retain: RetainDefinition | null;
  /** The task's own loop guards; `off`: none, whatever the project has; null: the project's. */
  readonly loop: readonly LoopGuardDefinition[] | 'off' | null;
  /** The task's own; null: the project's. */
  readonly baseline: Reference | null;
  /** null: the project's. */
  readonly promptCache: PromptCacheSetting | null;
  /** In the order of the file. */
  readonly steps: readonly StepDefinition[];
  /** null: the output of the last step. */
  readonly output: LocatedTemplate | null;
  readonly tests: readonly TestDefinition[];
}

/** Whether providers are asked to keep the beginnings of prompts. */
export type PromptCacheSetting = 'on' | 'off';

/** null: not said, so the plan's default. */
export interface RetainDefinition {
  readonly content: 'full' | 'redacted' | 'hash' | null;
  readonly forMs: number | null;
  readonly at: Place;
}

export interface InputDefinition {
  /** `type: object`, `additionalProperties: false`; literal defaults stand in it as `default`. */
  readonly schema: JsonSchema;
  /** Defaults that are expressions over `now` and `caller`; their properties are not `required`. */
  readonly defaults: { readonly [property: string]: LocatedTemplate };
  readonly at: Place;
}

/** null: not said, so the plan's default. */
export interface AllowanceDefinition {
  readonly deadlineMs: number | null;
  readonly attempts: number | null;
  readonly costNanoUsd: NanoUsd | null;
  /** Of `allowance:`, or of `task:` where there is none. */
  readonly at: Place;
}

export type BudgetLimit = Limit;

export type BudgetWindow =
  | { readonly kind: 'run' }
  | {
      readonly kind: 'calendar';
      readonly unit: 'minute' | 'hour' | 'day' | 'week' | 'month';
      readonly timeZone: string;
    }
  | { readonly kind: 'rolling'; readonly ms: number };

export type BudgetEach =
  | { readonly kind: 'caller' }
  | { readonly kind: 'team' }
  /** What the client says it is one of: a coding agent's session. Kept by caller and session. */
  | { readonly kind: 'session' }
  | { readonly kind: 'tag'; readonly tag: string };

/** What a project's budget and a task's own have in common. */
export interface TaskBudgetDefinition {
  readonly limit: BudgetLimit;
  readonly per: BudgetWindow;
  /** One account for each value; null: one in all. */
  readonly each: BudgetEach | null;
  readonly when: Expression | null;
  /** Shares of the limit, 0 to 1, ascending. */
  readonly warnAt: readonly number[];
  readonly then: 'reject' | 'downgrade' | 'warn';
  readonly at: Place;
}

/** What a loop guard compares; what each may do is said by `LOOP_KINDS`. */
export type LoopKindName = 'input' | 'nearly' | 'toolCall';

/** null: not said, so the plan's default. */
export interface LoopGuardDefinition {
  readonly same: LoopKindName;
  readonly ignore: readonly string[];
  readonly repeats: number | null;
  readonly withinMs: number | null;
  readonly then: 'reuse' | 'reject' | 'pause' | null;
  readonly each: 'caller' | 'session' | null;
  readonly depth: number | null;
  readonly fanOut: number | null;
  readonly at: Place;
}

interface StepDefinitionBase {
  readonly key: string;
  readonly at: Place;
  /** Of the whole step: with `each`, it is asked once, before the list. */
  readonly when: Expression | null;
  readonly each: EachDefinition | null;
}
export interface EachDefinition {
  readonly list: Expression;
  /** The name of one item in the step's own expressions. */
  readonly as: string;
  /** null: not said. */
  readonly concurrent: number | null;
  readonly at: Place;
}
export interface ModelStepDefinition extends StepDefinitionBase {
  readonly kind: 'model';
  /** null: the project's `default` route, or its only one (`routeOf` in routes.ts). */
  readonly route: RouteReference | null;
  readonly system: LocatedTemplate | null;
  readonly prompt: LocatedTemplate;
  readonly maxOutputTokens: number | null;
  readonly temperature: number | null;
  /** What the answer must be; null: plain text, `steps.NAME.text`. */
  readonly output: LocatedSchema | null;
  /** null: the task's. */
  readonly promptCache: PromptCacheSetting | null;
  /** Over `output` (the checked object, or `{ text }`) and all that the prompt can read. */
  readonly accept: Expression | null;
}
export interface ParseStepDefinition extends StepDefinitionBase {
  readonly kind: 'parse';
  readonly format: 'email' | 'diff' | 'json' | 'csv';
  readonly from: LocatedTemplate;
  /** For `json` and `csv`: what the value, or a row, is; null: unknown. */
  readonly output: LocatedSchema | null;
}
export interface ChunkStepDefinition extends StepDefinitionBase {
  readonly kind: 'chunk';
  readonly from: LocatedTemplate;
  readonly tokens: number;
  readonly overlapTokens: number;
}
export interface TaskStepDefinition extends StepDefinitionBase {
  readonly kind: 'task';
  readonly task: string;
  readonly taskAt: Place;
  /** An object template: the input of the other task. */
  readonly input: LocatedTemplate;
}
export type StepDefinition =
  | ModelStepDefinition
  | ParseStepDefinition
  | ChunkStepDefinition
  | TaskStepDefinition;

/** One case under `tests:`; run by `headgate test`. */
export interface TestDefinition {
  readonly name: string;
  readonly at: Place;
  readonly input: { readonly [property: string]: TestValue };
  /** Who calls; absent members are empty. */
  readonly caller: JsonObject;
  /** The moment that `now` shows, RFC 3339; null: the real one. */
  readonly now: string | null;
  /** The file of recorded answers, relative to the task's file; null: the runner's own choice. */
  readonly answers: string | null;
  /** Over `output`, `input`, `run`; each must hold. */
  readonly expect: readonly Expression[];
}
export type TestValue =
  | { readonly kind: 'value'; readonly value: Json }
  /** The text of a file, relative to the task's file. */
  | { readonly kind: 'file'; readonly path: string; readonly at: Place };
