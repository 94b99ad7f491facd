// Linking: a task of a plan → its compiled expressions, templates and validators.
import type { ValidateFunction } from 'ajv';
import type { Json, JsonSchema } from '../../common/json.ts';
import { canonicalJson } from '../../common/json.ts';
import type { Outcome } from '../../common/outcome.ts';
import { compileExpression } from '../../language/expression/compile.ts';
import { createEnvironment } from '../../language/expression/environment.ts';
import type { Environment } from '../../language/expression/environment.ts';
import { compileTemplate } from '../../language/expression/template.ts';
import type {
  CompiledExpression,
  CompiledTemplate,
  ExpressionProblem,
  References,
  Values,
} from '../../language/expression/types.ts';
import type {
  ExpressionText,
  PlanExchangeStep,
  PlanModelStep,
  PlanRoute,
  PlanRule,
  PlanStep,
  PlanTask,
  Template,
} from '../../language/plan/types.ts';
import { constantBeginning } from '../../language/plan/constant.ts';
import type { ConstantBeginning } from '../../language/plan/constant.ts';
import { environmentOfTask, itemEnvironment, outputEnvironment } from './task-environment.ts';
import { parseValidator } from './thread/jobs.ts';
import type { PromptSize } from './tokens.ts';
import { createValidators } from './validators.ts';
import type { Validators } from './validators.ts';

export interface LinkedTask {
  readonly task: PlanTask;
  /** Fills in literal defaults in the value given. */
  readonly validateInput: ValidateFunction;
  /** The schema fills in defaults below the top, so that an input has to be copied whole. */
  readonly deepDefaults: boolean;
  readonly inputDefaults: readonly { readonly property: string; readonly value: CompiledTemplate }[];
  readonly steps: readonly LinkedStep[];
  readonly output: CompiledTemplate;
  /** Keys of the steps that the output reads. */
  readonly outputSteps: ReadonlySet<string>;
  /** Some expression reads `now`. */
  readonly readsNow: boolean;
  /** What its answer depends on beside the input: `caller.tier`, `now.date`; see `References.moment`. Of defaults it does not: they are in the input. */
  readonly moment: readonly string[];
}

interface LinkedBase {
  readonly when: CompiledExpression | null;
  readonly each: {
    readonly list: CompiledExpression;
    readonly as: string;
    readonly concurrent: number;
  } | null;
}
export interface LinkedModelStep extends LinkedBase {
  readonly kind: 'model';
  readonly step: PlanModelStep;
  readonly system: CompiledTemplate | null;
  readonly prompt: CompiledTemplate;
  readonly validate: ValidateFunction | null;
  /** Canonical text of the structured schema; '' where there is none. */
  readonly schemaText: string;
  /** What each call begins with; null: the provider is to keep nothing. */
  readonly constant: ConstantBeginning | null;
  readonly accept: CompiledExpression | null;
  readonly rules: readonly { readonly rule: PlanRule; readonly when: CompiledExpression | null }[];
  /** Of a prompt whose text is not there, as in a replay; left out: its text is counted. */
  readonly size?: (values: Values) => PromptSize;
  /** In a replay: keys of the models that were called when it was recorded, in that order; undefined: as now is decided. */
  readonly course?: (values: Values) => readonly string[] | undefined;
}
export interface LinkedParseStep extends LinkedBase {
  readonly kind: 'parse';
  readonly step: Extract<PlanStep, { kind: 'parse' }>;
  readonly from: CompiledTemplate;
  /** What a JSON or CSV text has to hold; null: anything. */
  readonly schema: JsonSchema | null;
  readonly validate: ValidateFunction | null;
}
export interface LinkedChunkStep extends LinkedBase {
  readonly kind: 'chunk';
  readonly step: Extract<PlanStep, { kind: 'chunk' }>;
  readonly from: CompiledTemplate;
}
export interface LinkedTaskStep extends LinkedBase {
  readonly kind: 'task';
  readonly step: Extract<PlanStep, { kind: 'task' }>;
  readonly input: CompiledTemplate;
}
/** The rules alone: the prompt is the client's. */
export interface LinkedExchangeStep extends LinkedBase {
  readonly kind: 'exchange';
  readonly step: PlanExchangeStep;
  readonly rules: LinkedModelStep['rules'];
}
export type LinkedStep =
  | LinkedModelStep
  | LinkedExchangeStep
  | LinkedParseStep
  | LinkedChunkStep
  | LinkedTaskStep;

/** Throws when an expression of the plan does not compile: the language's check has made sure that it does. */
export function linkTask(task: PlanTask): LinkedTask {
  const validators = createValidators();
  const environment = createEnvironment(environmentOfTask(task));
  const compiler = new Compiler(task.name);
  const steps = task.steps.map((step) => linkStep(step, task, compiler, validators, environment));
  const output = compiler.template(task.output, environment);
  const moment = [...compiler.moment].sort();
  const inputDefaults = Object.entries(task.inputDefaults).map(([property, template]) => ({
    property,
    value: compiler.template(template, environment),
  }));
  return {
    task,
    validateInput: validators.input(task.inputSchema),
    deepDefaults: hasDeepDefaults(task.inputSchema),
    inputDefaults,
    steps,
    output,
    outputSteps: stepsRead(output.references, steps),
    readsNow: compiler.readsNow,
    moment,
  };
}

/** `steps` without a key is all of them. */
function stepsRead({ roots, steps: keys }: References, steps: readonly LinkedStep[]): ReadonlySet<string> {
  const isWhole = keys.length === 0 && roots.includes('steps');
  return new Set(isWhole ? steps.map(({ step }) => step.key) : keys);
}

function linkStep(
  step: PlanStep,
  task: PlanTask,
  compiler: Compiler,
  validators: Validators,
  outer: Environment,
): LinkedStep {
  const when = step.when === null ? null : compiler.expression(step.when, outer);
  const each = step.each === null ? null : { ...step.each, list: compiler.expression(step.each.list, outer) };
  const inner = each === null ? outer : createEnvironment(itemEnvironment(task, each.as, each.list.schema));
  const base = { when, each };
  switch (step.kind) {
    case 'model': {
      const { structured } = step;
      const schemaText = structured === null ? '' : canonicalJson(structured);
      return {
        ...base,
        kind: 'model',
        step,
        system: step.system === null ? null : compiler.template(step.system, inner),
        prompt: compiler.template(step.prompt, inner),
        validate: structured === null ? null : validators.output(structured),
        schemaText,
        constant: constantBeginning(task.name, step, schemaText),
        accept:
          step.accept === null
            ? null
            : compiler.expression(
                step.accept,
                createEnvironment(outputEnvironment(task, step, each?.list.schema ?? null)),
              ),
        rules: linkRules(step.route, compiler, inner),
      };
    }
    case 'exchange':
      return { ...base, kind: 'exchange', step, rules: linkRules(step.route, compiler, inner) };
    case 'parse':
      return {
        ...base,
        kind: 'parse',
        step,
        from: compiler.template(step.from, inner),
        schema: parsedSchema(step),
        validate: parseValidator(step.format, parsedSchema(step), validators),
      };
    case 'chunk':
      return { ...base, kind: 'chunk', step, from: compiler.template(step.from, inner) };
    case 'task':
      return { ...base, kind: 'task', step, input: compiler.template(step.input, inner) };
  }
}

function linkRules(route: PlanRoute, compiler: Compiler, environment: Environment): LinkedModelStep['rules'] {
  return route.rules.map((rule) => ({
    rule,
    when: rule.when === null ? null : compiler.expression(rule.when, environment),
  }));
}

/** E-mails and diffs are made by the parser itself, in their schema. */
function parsedSchema({ format, outputSchema }: LinkedParseStep['step']): JsonSchema | null {
  const isFree = Object.keys(outputSchema).length === 0;
  return isFree || format === 'email' || format === 'diff' ? null : outputSchema;
}

/** Compiles, and notes what is read. */
class Compiler {
  readonly #task: string;
  readsNow = false;
  readonly moment = new Set<string>();

  constructor(task: string) {
    this.#task = task;
  }

  expression(source: ExpressionText, environment: Environment): CompiledExpression {
    return this.#noted(compileExpression(source, environment), source);
  }

  template(template: Template, environment: Environment): CompiledTemplate {
    return this.#noted(compileTemplate(template, environment), template.kind);
  }

  #noted<Compiled extends { readonly references: References }>(
    outcome: Outcome<Compiled, ExpressionProblem>,
    source: string,
  ): Compiled {
    if (!outcome.ok) throw new Error(`task ${this.#task}: ${source}: ${outcome.error.message}`);
    this.readsNow ||= outcome.value.references.roots.includes('now');
    for (const read of outcome.value.references.moment) this.moment.add(read);
    return outcome.value;
  }
}

/** `default` somewhere below the properties of the top: ajv writes those into nested objects, which are the caller's. */
function hasDeepDefaults(schema: JsonSchema): boolean {
  const properties = schema['properties'];
  if (typeof properties !== 'object' || properties === null) return contains(schema);
  return Object.values(properties).some(
    (property) =>
      typeof property === 'object' &&
      property !== null &&
      Object.entries(property).some(([name, value]) => name !== 'default' && contains(value)),
  );
}

function contains(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(contains);
  return 'default' in value || Object.values(value).some(contains);
}
