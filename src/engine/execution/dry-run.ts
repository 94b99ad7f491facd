// A dry run: what would be asked of whom, and what would be held; nobody is called, nothing is written.
import { viewOf } from '../../common/json-schema.ts';
import type { Json, JsonSchema } from '../../common/json.ts';
import { worstCost } from '../routing/cost.ts';
import { decide } from '../routing/decide.ts';
import { requestNeeds } from './choice.ts';
import type { DryRun, Engine } from './port.ts';
import { RunFailure } from './failure.ts';
import type { LinkedModelStep, LinkedStep } from './link.ts';
import { LiveRun } from './live-run.ts';
import type { EngineParts } from './engine-parts.ts';
import type { Prepared } from './prepare.ts';
import { openedRecord } from './run-record.ts';
import { resultOf } from './results.ts';
import { StepWorld } from './step-world.ts';
import { runChunkStep } from './steps/chunk-step.ts';
import { chooseRule, needsCount, renderRequest, requestSize } from './steps/model.ts';
import { runParseStep } from './steps/parse-step.ts';
import { loadTokenizer, tokenizerLoaded } from './tokens.ts';
import { runValues } from './values.ts';
import type { RunValues } from './values.ts';

/** About a token. */
const WORD = 'word ';

type DryStep = DryRun['steps'][number];

/**
 * Steps that cost nothing are run, for what they give is known; what a model would answer is imagined: text of the greatest length, else the least
 * that fits its schema. An `each` over a list that is known is held once for every item.
 */
export async function planDryRun(parts: EngineParts, prepared: Prepared): ReturnType<Engine['dryRun']> {
  const run = imagine(parts, prepared);
  const values = runValues({
    linked: run.linked,
    input: run.input,
    caller: run.caller,
    tags: run.tags,
    env: run.plan.environment,
    startedAtMs: run.record.startedAtMs,
  });
  const steps: DryStep[] = [];
  try {
    for (const linked of run.linked.steps) await dryStep(parts, run, linked, values, steps);
  } catch (error) {
    if (!(error instanceof RunFailure)) throw error;
    const result = resultOf(run, error);
    if (result.kind !== 'run') return 'runId' in result ? { ...result, runId: null } : result;
    const { code, message, remedy } = error.error;
    return { kind: 'invalid_input', problems: [], code, message, remedy };
  }
  const holdNanoUsd = steps.reduce((sum, step) => sum + step.holdNanoUsd, 0n);
  return { kind: 'dry_run', dryRun: { task: run.record.task, steps, holdNanoUsd } };
}

async function dryStep(
  parts: EngineParts,
  run: LiveRun,
  linked: LinkedStep,
  values: RunValues,
  steps: DryStep[],
): Promise<void> {
  const { key } = linked.step;
  const when = linked.when?.evaluate(values);
  if (when !== undefined && when.ok && when.value !== true) {
    values.steps[key] = null;
    return;
  }
  const items = itemsOf(linked, values);
  const outputs: Json[] = [];
  for (const [index, itemValues] of items.entries()) {
    const stepKey = linked.each === null ? key : `${key}[${index}]`;
    switch (linked.kind) {
      case 'parse':
        outputs.push(await runParseStep(parts, linked, stepKey, itemValues));
        break;
      case 'chunk':
        outputs.push(await runChunkStep(parts, linked, stepKey, itemValues));
        break;
      case 'model':
        steps.push(await dryModelStep(parts, run, linked, stepKey, itemValues));
        outputs.push(sampleOf(linked.step.outputSchema, linked.step.maxOutputTokens));
        break;
      case 'exchange':
      case 'task':
        outputs.push(sampleOf(linked.step.outputSchema, 0));
    }
  }
  values.steps[key] = linked.each === null ? (outputs[0] ?? null) : outputs;
}

/** One set of values for each item; a list that is not known yet counts as one item. */
function itemsOf({ each }: LinkedStep, values: RunValues): readonly RunValues[] {
  if (each === null) return [values];
  const list = each.list.evaluate(values);
  if (!list.ok || !Array.isArray(list.value)) return [{ ...values, [each.as]: null }];
  return (list.value as readonly Json[]).map((item) => ({ ...values, [each.as]: item }));
}

async function dryModelStep(
  parts: EngineParts,
  run: LiveRun,
  linked: LinkedModelStep,
  stepKey: string,
  values: RunValues,
): Promise<DryStep> {
  const call = { run, linked, stepKey, values };
  if (!tokenizerLoaded() && needsCount(call)) await loadTokenizer();
  const request = renderRequest(call);
  const size = await requestSize(parts, linked, request);
  const { rule } = chooseRule(call, size);
  const needs = requestNeeds(run.plan, request, size, parts.bounds);
  const { signals, random } = parts;
  const world = new StepWorld(parts, run, needs);
  const { ranked, decision } = decide({
    rule,
    models: run.plan.models,
    task: run.record.task,
    step: linked.step.key,
    needs,
    world,
    signals,
    random,
    inFlight: () => 0,
    stickyKey: run.caller.name,
    streaming: request.stream,
  });
  const chosen = ranked[0]?.candidate;
  return {
    step: stepKey,
    decision,
    holdNanoUsd:
      chosen === undefined
        ? 0n
        : worstCost(chosen.model.price, needs.inputTokens(chosen.model), request.maxOutputTokens),
  };
}

/** A run that is only thought of. */
function imagine({ clock }: EngineParts, prepared: Prepared): LiveRun {
  const { request, plan, linked, input, limits } = prepared;
  return new LiveRun({
    record: openedRecord('run_dry', prepared, false, clock.nowMs()),
    plan,
    linked,
    caller: request.caller,
    input,
    limits,
    texts: 'none',
    parent: null,
    loopTraces: null,
    resumed: false,
    startedAtMs: clock.monotonicMs(),
  });
}

/** A value that fits a schema, as far as an expression cares: the least that has every field; the text of a step without `output:` is `textTokens` words long. Schemas nest no deeper than they are written. */
function sampleOf(schema: JsonSchema, textTokens: number): Json {
  const { types, choices, variants, properties } = viewOf(schema);
  if (choices) return choices[0] ?? null;
  const [first] = variants ?? [];
  if (first) return sampleOf(first, textTokens);
  switch (types[0]) {
    case 'object':
      return Object.fromEntries(
        Object.entries(properties).map(([name, member]) => [name, sampleOf(member, textTokens)]),
      );
    case 'array':
      return [];
    case 'string':
      return WORD.repeat(textTokens);
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return null;
  }
}
