// Executors of a replay: the plan's tasks as they are linked for serving, with what was recorded in the place of every expression that reads a text.
import type { ValidateFunction } from 'ajv';
import type { Json } from '../common/json.ts';
import { succeed } from '../common/outcome.ts';
import type { Outcome } from '../common/outcome.ts';
import type { Executors } from '../engine/execution/executors.ts';
import { linkTask } from '../engine/execution/link.ts';
import type { LinkedModelStep, LinkedStep, LinkedTask } from '../engine/execution/link.ts';
import { createValidators } from '../engine/execution/validators.ts';
import type {
  CompiledExpression,
  CompiledTemplate,
  EvaluationProblem,
  Template,
  Values,
} from '../language/expression/types.ts';
import type { Plan, PlanModelStep, PlanStep, PlanTask } from '../language/plan/types.ts';
import type { Profiles } from './profile.ts';
import type { ReplayedInput, ReplayedRun } from './replayed-run.ts';
import { asInput, inputOf } from './replayed-run.ts';
import type { Assumption, Unknowns } from './unknowns.ts';

/** What the answers of modelled providers are: `judge` reads them as it reads any. */
export const GOOD = 'good';
export const DECLINED = 'declined';
export const MISSHAPEN = 'misshapen';

/** A model step, as its calls know it. */
export interface KnownStep {
  /** `summarize.request`. */
  readonly name: string;
  /** What judges an answer is as it was when the traffic was recorded, as far as that is known. */
  readonly judgedAsBefore: boolean;
  readonly accepts: boolean;
  /** The request is as it was. */
  readonly askedAsBefore: boolean;
  /** Whatever decides who is called, and again, is as it was. */
  readonly routedAsBefore: boolean;
  /** Whether the provider is asked to keep its prompt, where that is another word than before. */
  readonly promptCache: 'as-before' | 'on' | 'off';
  /** Tokens that a change of its literal text adds, by four characters a token. */
  readonly promptDelta: number;
}

export interface KnownPlan {
  readonly plan: Plan;
  readonly executors: Executors;
  /** By the number that stands in a prompt. */
  readonly steps: readonly KnownStep[];
}

export interface Knowledge {
  /** The plan that the traffic is taken to have been served by. */
  readonly recorded: Plan;
  readonly profiles: Profiles;
  readonly unknowns: Unknowns;
  readonly assumption: Assumption;
}

const accepted: Outcome<Json, EvaluationProblem> = succeed(true);
const declined: Outcome<Json, EvaluationProblem> = succeed(false);
const nothing: Outcome<Json, EvaluationProblem> = succeed(null);

/** Where a client's own body was asked, a prompt of the same size is. */
const EXCHANGE_OUTPUT = 4_096;
/** A prompt that nothing is known of. */
const UNKNOWN_TOKENS = 1_000;
const CHARACTERS_PER_TOKEN = 4;

const READ_WITHOUT_TEXT: ReadonlySet<string> = new Set(['caller', 'env', 'now']);

/** Clients' own bodies are not in the traffic: their exchanges become prompts of the size they had. */
function withoutExchanges(plan: Plan): Plan {
  if (Object.values(plan.tasks).every(({ steps }) => steps.every(({ kind }) => kind !== 'exchange')))
    return plan;
  const tasks = Object.values(plan.tasks).map((task): PlanTask => ({
    ...task,
    steps: task.steps.map(promptOf),
  }));
  return { ...plan, tasks: Object.fromEntries(tasks.map((task) => [task.name, task])) };
}

function promptOf(step: PlanStep): PlanStep {
  if (step.kind !== 'exchange') return step;
  const { patience: _patience, ...rest } = step;
  const empty: Template = { kind: 'literal', value: '' };
  return {
    ...rest,
    kind: 'model',
    system: null,
    prompt: empty,
    maxOutputTokens: step.maxOutputTokens ?? EXCHANGE_OUTPUT,
    temperature: null,
    structured: null,
    accept: null,
  };
}

export function knownPlan(given: Plan, knowledge: Knowledge): KnownPlan {
  const plan = withoutExchanges(given);
  const recorded = knowledge.recorded === given ? plan : withoutExchanges(knowledge.recorded);
  const known = new Map<PlanTask, LinkedTask>();
  const steps: KnownStep[] = [];
  const of = (task: PlanTask): LinkedTask => {
    let linked = known.get(task);
    if (linked === undefined) {
      const real = linkedOnce(task);
      linked = {
        ...real,
        validateInput: anything(),
        deepDefaults: false,
        inputDefaults: [],
        steps: real.steps.flatMap((step) =>
          knownStep(step, task, recorded.tasks[task.name], knowledge, [plan, recorded], steps),
        ),
        output: constant(real.output),
      };
      known.set(task, linked);
    }
    return linked;
  };
  return {
    plan,
    steps,
    executors: {
      of,
      prepare: (prepared) => {
        for (const task of Object.values(prepared.tasks)) of(task);
        return Promise.resolve();
      },
    },
  };
}

/** Expressions are compiled once, however often the plan is replayed. */
const linkedTasks = new WeakMap<PlanTask, LinkedTask>();

function linkedOnce(task: PlanTask): LinkedTask {
  let linked = linkedTasks.get(task);
  if (linked === undefined) linkedTasks.set(task, (linked = linkTask(task)));
  return linked;
}

let anyInput: ValidateFunction | undefined;
let anyAnswer: ValidateFunction | undefined;
const anything = (): ValidateFunction => (anyInput ??= createValidators().input({}));
const shape = (): ValidateFunction => (anyAnswer ??= createValidators().output({ enum: [GOOD, DECLINED] }));

function constant(template: CompiledTemplate): CompiledTemplate {
  return { ...template, evaluate: () => nothing };
}

/** None for what calls nobody: the texts that it works on are not there. */
function knownStep(
  linked: LinkedStep,
  task: PlanTask,
  before: PlanTask | undefined,
  knowledge: Knowledge,
  plans: readonly [Plan, Plan],
  steps: KnownStep[],
): readonly LinkedStep[] {
  const { step } = linked;
  const earlier = before?.steps.find(({ key }) => key === step.key);
  const name = `${task.name}.${step.key}`;
  const when = linked.when && knownWhen(linked.when, step, earlier, name, knowledge);
  const each = linked.each && {
    ...linked.each,
    list: {
      ...linked.each.list,
      evaluate: (values: Values) => succeed(itemsOf(values, step, name, knowledge)),
    },
  };
  const base = { when, each };
  switch (linked.kind) {
    case 'parse':
    case 'chunk':
    case 'exchange':
      return [];
    case 'task':
      return [
        {
          ...linked,
          ...base,
          input: {
            ...linked.input,
            evaluate: (values) => {
              const { replayed } = inputOf(values);
              return succeed<Json>(asInput({ replayed, prefix: `${pathOf(values, step)}.` }));
            },
          },
        },
      ];
    case 'model': {
      const old = earlier?.kind === 'model' ? earlier : undefined;
      const number = steps.length;
      const known: KnownStep = {
        name,
        accepts: step.kind === 'model' && step.accept !== null,
        judgedAsBefore:
          old === undefined ||
          (old.accept === linked.step.accept && same(old.structured, linked.step.structured)),
        askedAsBefore:
          old === undefined ||
          (same(old.prompt, linked.step.prompt) &&
            same(old.system, linked.step.system) &&
            same(old.structured, linked.step.structured)),
        routedAsBefore:
          old !== undefined && before !== undefined && isRoutedAlike(plans, task, linked.step, before, old),
        promptCache:
          old !== undefined && old.promptCache === linked.step.promptCache
            ? 'as-before'
            : (linked.step.promptCache ?? 'on'),
        promptDelta: old === undefined ? 0 : literalTokens(linked.step) - literalTokens(old),
      };
      steps.push(known);
      return [
        {
          ...linked,
          ...base,
          system: null,
          prompt: {
            ...linked.prompt,
            evaluate: (values) =>
              succeed<Json>(`${inputOf(values).replayed.number} ${number} ${pathOf(values, step)}`),
          },
          validate: linked.validate && shape(),
          schemaText: '',
          accept: linked.accept && {
            ...linked.accept,
            evaluate: ({ output }) => (said(output) === DECLINED ? declined : accepted),
          },
          rules: knownRules(linked, old, name, knowledge),
          course: (values) =>
            known.routedAsBefore && known.judgedAsBefore && known.askedAsBefore
              ? inputOf(values).replayed.course(pathOf(values, step))
              : undefined,
          size: (values) => sizeOf(values, linked.step, old ?? linked.step, known, knowledge),
        },
      ];
    }
  }
}

function said(output: unknown): unknown {
  return typeof output === 'object' && output !== null
    ? (output as { readonly text?: unknown }).text
    : output;
}

/** Strategies that look at what a candidate costs. */
const BY_PRICE: ReadonlySet<string> = new Set(['cheapest', 'balanced']);

function isRoutedAlike(
  [plan, recorded]: readonly [Plan, Plan],
  task: PlanTask,
  { route }: PlanModelStep,
  before: PlanTask,
  { route: old }: PlanModelStep,
): boolean {
  if (!same(route, old) || !same(task.allowance, before.allowance)) return false;
  return route.rules.every(({ hedge, pick, candidates }) => {
    // Of two calls at once it is not known which was which.
    if (hedge !== null) return false;
    return candidates.every(({ model: key }) => {
      const [now, then] = [plan.models[key], recorded.models[key]];
      if (now === undefined || then === undefined) return false;
      const { price, ...rest } = now;
      const { price: oldPrice, ...oldRest } = then;
      return (
        same(rest, oldRest) &&
        (!BY_PRICE.has(pick) || same(price, oldPrice)) &&
        same(plan.providers[now.provider]?.limits, recorded.providers[then.provider]?.limits)
      );
    });
  });
}

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

function pathOf(values: Values, step: PlanStep): string {
  const path = inputOf(values).prefix + step.key;
  if (step.each === null) return path;
  const item = values[step.each.as] as { readonly index: number } | undefined;
  return item === undefined ? path : `${path}[${item.index}]`;
}

function knownWhen(
  when: CompiledExpression,
  step: PlanStep,
  earlier: PlanStep | undefined,
  name: string,
  { unknowns, assumption }: Knowledge,
): CompiledExpression {
  if (isReadable(when)) return when;
  return {
    ...when,
    evaluate(values) {
      const { replayed, prefix } = inputOf(values);
      const path = prefix + step.key;
      if (earlier?.when === step.when) {
        if (replayed.step(path)?.skipped === true) return declined;
        if (step.kind === 'parse' || step.kind === 'chunk' || replayed.reached(path)) return accepted;
      }
      unknowns.add('condition', `when of ${name}`);
      // As before, where it was reached before; and both ways for the interval.
      return assumption === 'high' || (assumption === 'likely' && replayed.reached(path))
        ? accepted
        : declined;
    },
  };
}

const isReadable = ({ references }: CompiledExpression): boolean =>
  references.roots.every((root) => READ_WITHOUT_TEXT.has(root));

function itemsOf(values: Values, step: PlanStep, name: string, { unknowns }: Knowledge): Json {
  const { replayed, prefix } = inputOf(values);
  const count = replayed.items(prefix + step.key);
  if (count === undefined) unknowns.add('items', name);
  return Array.from({ length: count ?? 1 }, (_item, index) => ({ index }));
}

/** A rule that reads a text held, or did not, as the rule that was taken says: those before it did not hold. */
function knownRules(
  linked: LinkedModelStep,
  earlier: PlanModelStep | undefined,
  name: string,
  { unknowns, assumption }: Knowledge,
): LinkedModelStep['rules'] {
  const old = earlier?.route.rules ?? [];
  return linked.rules.map(({ rule, when }) => {
    if (when === null || isReadable(when)) return { rule, when };
    const was = old.findIndex((other) => other.when === rule.when);
    const readsPrompt = when.references.roots.every(
      (root) => root === 'prompt' || READ_WITHOUT_TEXT.has(root),
    );
    return {
      rule,
      when: {
        ...when,
        evaluate(values: Values) {
          const taken = takenRule(inputOf(values), pathOf(values, linked.step));
          const at = taken === null ? -1 : old.findIndex((other) => other.name === taken);
          if (was !== -1 && at !== -1 && was <= at) return was === at ? accepted : declined;
          if (readsPrompt) return when.evaluate(values);
          unknowns.add('condition', `rule ${rule.name} of ${name}`);
          return assumption === 'high' ? accepted : declined;
        },
      },
    };
  });
}

const takenRule = ({ replayed }: ReplayedInput, path: string): string | null =>
  replayed.step(path)?.rule ?? null;

function sizeOf(
  values: Values,
  step: PlanModelStep,
  before: PlanModelStep,
  known: KnownStep,
  { profiles, unknowns }: Knowledge,
): ReturnType<NonNullable<LinkedModelStep['size']>> {
  const { replayed } = inputOf(values);
  const path = pathOf(values, step);
  const size = askedSize(replayed, path, profiles);
  if (size === undefined || !size.here) unknowns.add('prompt', known.name);
  const tokens = Math.max(1, (size?.inputTokens ?? UNKNOWN_TOKENS) + known.promptDelta);
  const bound = Math.max(tokens, (size?.heldTokens ?? 0) - before.maxOutputTokens + known.promptDelta);
  // Whether a server read all of it shows in the recorded outcome.
  return { tokens, counted: 0, bound: () => bound };
}

export interface AskedSize {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly heldTokens: number;
  /** Of this run; else the mean of the step. */
  readonly here: boolean;
}

/** What the step was asked, and answered, whichever model it was. undefined: nothing like it was ever recorded. */
export function askedSize(replayed: ReplayedRun, path: string, profiles: Profiles): AskedSize | undefined {
  const attempts = replayed.step(path)?.attempts ?? [];
  const first =
    attempts.find(({ outcome }) => outcome === 'succeeded') ??
    attempts.find(({ inputTokens }) => inputTokens > 0);
  if (first !== undefined && first.inputTokens > 0)
    return {
      inputTokens: first.inputTokens,
      outputTokens: first.outputTokens,
      heldTokens: first.heldTokens,
      here: true,
    };
  const mean = profiles.sizes(replayed.run.task, path);
  return mean && { ...mean, here: false };
}

function literalTokens({ system, prompt }: PlanModelStep): number {
  return Math.round(
    (literalCharacters(prompt) + (system === null ? 0 : literalCharacters(system))) / CHARACTERS_PER_TOKEN,
  );
}

function literalCharacters(template: Template): number {
  switch (template.kind) {
    case 'literal':
      return typeof template.value === 'string' ? template.value.length : 0;
    case 'text':
      return template.parts.reduce((sum, part) => sum + (typeof part === 'string' ? part.length : 0), 0);
    case 'expression':
    case 'object':
    case 'list':
      return 0;
  }
}
