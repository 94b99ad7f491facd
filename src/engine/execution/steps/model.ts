// A model step: render, count, find the rule, and have the candidates answer.
import type { ValidateFunction } from 'ajv';
import { canonicalJson } from '../../../common/json.ts';
import type { Json, JsonSchema } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { Outcome } from '../../../common/outcome.ts';
import type { ConstantBeginning } from '../../../language/plan/constant.ts';
import type { PlanModel } from '../../../language/plan/types.ts';
import type { ModelRequest, ProviderAnswer } from '../../providers/port.ts';
import type { Verdict } from '../attempt.ts';
import { Candidates } from '../candidates.ts';
import type { StepCall } from '../execute.ts';
import { RunFailure, runError } from '../failure.ts';
import type { LinkedExchangeStep, LinkedModelStep } from '../link.ts';
import type { EngineParts } from '../engine-parts.ts';
import type { StepRecord } from '../records.ts';
import { byteBound, loadTokenizer, promptSize, sampledTokens, tokenizerLoaded } from '../tokens.ts';
import type { PromptSize } from '../tokens.ts';
import { unquoted } from './unquoted.ts';
import { asText, valueOf } from '../values.ts';

type ModelCall = Pick<StepCall<LinkedModelStep>, 'run' | 'linked' | 'stepKey' | 'values'>;
/** Of any step with a route. */
type RoutedCall = Pick<
  StepCall<LinkedModelStep | LinkedExchangeStep>,
  'run' | 'linked' | 'stepKey' | 'values'
>;

export function modelStep(call: StepCall<LinkedModelStep>): (signal: AbortSignal) => Promise<Json> {
  return async (signal) => {
    const { parts, run, linked, stepKey } = call;
    const { step } = linked;
    const startedAtMs = parts.clock.nowMs();
    const request = renderRequest(call);
    let size = linked.size?.(call.values);
    if (size === undefined) {
      // Where it cannot be read now, bounds stand in for counts.
      if (!tokenizerLoaded() && (needsCount(call) || mayBeCut(request)))
        await loadTokenizer().catch(() => undefined);
      const sizing = requestSize(parts, linked, request, signal);
      size = sizing instanceof Promise ? await sizing : sizing;
    }
    const { rule } = chooseRule(call, size);
    const candidates = new Candidates(parts, {
      run,
      step: step.key,
      stepKey,
      rule,
      request,
      size,
      judge: (model, given) => judge(call, size, model, given),
      receipt: (output): StepRecord => ({
        runId: run.id,
        key: stepKey,
        kind: 'model',
        status: 'succeeded',
        startedAtMs,
        finishedAtMs: parts.clock.nowMs(),
        output,
        error: null,
      }),
      signal,
      course: linked.course?.(call.values),
      constant: linked.constant && { part: linked.constant, tokens: tokensOf(linked.constant) },
      cascade:
        linked.accept !== null &&
        rule.candidates.length > 1 &&
        (rule.pick === 'first' || rule.pick === 'cheapest'),
    });
    return await candidates.answer();
  };
}

/** Of what a step begins with, which is the same in each call. */
const constantTokens = new WeakMap<ConstantBeginning, number>();
/** Until it can be counted; few texts have fewer tokens. */
const BYTES_PER_TOKEN = 8;

function tokensOf(constant: ConstantBeginning): number {
  const known = constantTokens.get(constant);
  if (known !== undefined) return known;
  if (!tokenizerLoaded()) return Math.floor(byteBound(constant.text) / BYTES_PER_TOKEN);
  const tokens = sampledTokens(constant.text);
  constantTokens.set(constant, tokens);
  return tokens;
}

/** Text from outside is a value here, never a template: what it says is not evaluated. */
export function renderRequest({ run, linked, stepKey, values }: ModelCall): ModelRequest {
  const { step } = linked;
  const render = (template: NonNullable<LinkedModelStep['system']>, place: string): string =>
    asText(valueOf(template.evaluate(values), `${place} of step "${stepKey}"`, stepKey));
  return {
    model: '',
    system: linked.system === null ? null : render(linked.system, 'system'),
    prompt: render(linked.prompt, 'prompt'),
    maxOutputTokens: step.maxOutputTokens,
    temperature: step.temperature,
    structured: step.structured === null ? null : { name: step.key, schema: step.structured },
    stream: run.hears(step),
  };
}

/** Large texts are counted by the other thread, no longer than `signal` says. Not a promise where all are small. */
export function requestSize(
  { thread }: Pick<EngineParts, 'thread'>,
  linked: LinkedModelStep,
  { system, prompt }: ModelRequest,
  signal?: AbortSignal,
): PromptSize | Promise<PromptSize> {
  const texts = system === null ? [prompt] : [system, prompt];
  const counts = tokenizerLoaded() ? thread.countTokens(texts, signal) : null;
  return counts instanceof Promise
    ? counts.then((counted) => promptSize(texts, counted, linked.schemaText))
    : promptSize(texts, counts, linked.schemaText);
}

/** So long that a local server may drop a part of it, which only a count shows. */
function mayBeCut({ prompt }: ModelRequest): boolean {
  return prompt.length > 4 * LEAST_CUT_TOKENS;
}

/** Routes that are free whatever is sent need no encoding, unless a rule asks for the count. */
export function needsCount({ run, linked }: Pick<RoutedCall, 'run' | 'linked'>): boolean {
  return linked.rules.some(
    ({ rule, when }) =>
      when?.references.roots.includes('prompt') === true ||
      rule.candidates.some(({ model }) => run.plan.models[model]?.price.kind !== 'free'),
  );
}

/** The first rule that holds; its name is kept with the decision. */
export function chooseRule(
  { run, linked, stepKey, values }: RoutedCall,
  size: PromptSize,
): LinkedModelStep['rules'][number] {
  const prompt = { tokens: size.tokens };
  for (const linkedRule of linked.rules) {
    const { rule, when } = linkedRule;
    if (when === null || valueOf(when.evaluate({ ...values, prompt }), `rule ${rule.name}`, stepKey) === true)
      return linkedRule;
  }
  const decision = { rule: linked.step.route.name, pick: 'first' as const, candidates: [] };
  throw new RunFailure(
    runError(
      'NO_PROVIDER_AVAILABLE',
      { step: stepKey, task: run.record.task, reasons: `no rule of route "${linked.step.route.name}" holds` },
      { step: stepKey },
    ),
    { kind: 'no_provider_available', decision },
  );
}

/** An answer is good when it is by the model asked for (pinned routes), matches the schema, and is accepted. */
function judge(call: ModelCall, size: PromptSize, model: PlanModel, given: ProviderAnswer): Verdict {
  const { linked, stepKey, values } = call;
  const { step, validate, accept } = linked;
  // A deployment answers by the name of its model.
  const pinned = model.key.slice(model.provider.length + 1);
  const isPinned = [model.model, pinned, plainId(model.model)].includes(given.model);
  if (step.route.pin && !isPinned) {
    return bad('wrong_model', `${model.key} is pinned, and ${given.model} answered`);
  }
  const cut = promptCut(given, size);
  if (cut?.filled === true) return bad('context_length', cut.message);
  let output: Json;
  if (validate === null) {
    if (given.text.trim() === '') return bad('empty_answer', whyEmpty(given, step.maxOutputTokens));
    output = { text: given.text };
  } else {
    if (given.json === undefined) return bad('invalid_output', whyNoJson(given, step.maxOutputTokens));
    const found = firstValid(validate, [given.json, ...(given.otherJson ?? [])], step.structured ?? {});
    if (!found.ok) return bad('invalid_output', found.error);
    output = found.value;
  }
  if (accept !== null) {
    const accepted = accept.evaluate({ ...values, output, finish: given.finishReason });
    // The call is paid for: an expression that fails on this answer is an answer that is not accepted.
    if (!accepted.ok) return bad('not_accepted', `accept: ${accepted.error.message}`);
    if (accepted.value !== true) return bad('not_accepted', `not accepted: ${accept.source}`);
  }
  const notes = cut === null ? [] : [{ code: 'PROMPT_READ_IN_PART', message: cut.message }];
  return { kind: 'good', output, notes };

  function bad(kind: BadAnswer, message: string): Verdict {
    return { kind: 'bad', error: { class: kind, advice: 'elsewhere', message: `${stepKey}: ${message}` } };
  }
}

/** `eu.anthropic.claude-sonnet-4-5-20250929-v1:0` and `claude-sonnet-4-5@20250929` answer as `claude-sonnet-4-5-20250929`. */
function plainId(model: string): string {
  return model
    .replace(/^.*anthropic\./, '')
    .replace(/-v\d+(?::\d+)?$/, '')
    .replace('@', '-');
}

type BadAnswer = 'wrong_model' | 'context_length' | 'empty_answer' | 'invalid_output' | 'not_accepted';

/** Shorter prompts than this are cut by nobody. */
const LEAST_CUT_TOKENS = 1_000;
/** Tokenizers differ by less than this; a server that counts half of what was sent has read half of it. */
const READ_SHARE = 0.55;
/** A window that is filled to its end: a round number, but for the few tokens that a server keeps for itself. */
const FILLED_WITHIN = 8;

/**
 * Local servers drop what does not fit their window without a word, and answer to the rest: the count gives it away. Where it is no window's size, the
 * server may as well have counted only what it had not kept from before, so that it is a note.
 */
function promptCut(
  { usage }: ProviderAnswer,
  { counted }: PromptSize,
): { readonly filled: boolean; readonly message: string } | null {
  const read = usage?.inputTokens ?? 0;
  if (read === 0 || counted < LEAST_CUT_TOKENS || read >= counted * READ_SHARE) return null;
  const filled = [1_000, 1_024].some(
    (unit) => read > unit / 2 && Math.abs(read - Math.round(read / unit) * unit) <= FILLED_WITHIN,
  );
  const message = `the server has read ${read} tokens of a prompt of about ${counted}`;
  return { filled, message: filled ? `${message}: its context is smaller than the prompt` : message };
}

/** A model may show a draft, or the schema, beside its answer: the likeliest value that fits is the answer. */
function firstValid(
  validate: ValidateFunction,
  values: readonly Json[],
  schema: JsonSchema,
): Outcome<Json, string> {
  // A list of footnotes beside an object is not what has to be mended.
  const told = values.find(isObject) ?? values[0];
  let problem = schemaProblem(undefined);
  for (const value of values) {
    if (validate(value)) return succeed(value);
    if (value === told) problem = schemaProblem(validate.errors?.[0]);
  }
  for (const value of values) {
    const read = unquoted(value, schema);
    if (validate(read)) return succeed(read);
  }
  return fail(problem);
}

function isObject(value: Json): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function whyEmpty({ usage, finishReason }: ProviderAnswer, maxOutputTokens: number): string {
  const { outputTokens = 0, reasoningTokens = 0 } = usage ?? {};
  if (reasoningTokens > 0)
    return `the answer is empty: ${reasoningTokens} of ${outputTokens} output tokens went to reasoning${
      finishReason === 'length' ? `, and maxOutputTokens is ${maxOutputTokens}` : ''
    }`;
  return finishReason === 'length'
    ? `the answer is empty, and was cut at maxOutputTokens (${maxOutputTokens})`
    : 'the answer is empty';
}

function whyNoJson(given: ProviderAnswer, maxOutputTokens: number): string {
  if (given.text.trim() === '') return whyEmpty(given, maxOutputTokens);
  if (given.jsonProblem !== undefined) return given.jsonProblem;
  return given.finishReason === 'length'
    ? `the answer was cut at ${maxOutputTokens} tokens and is no JSON`
    : 'the answer is no JSON';
}

function schemaProblem(
  error: { readonly instancePath: string; readonly message?: string; readonly params?: object } | undefined,
): string {
  if (error === undefined) return 'it does not match the schema';
  const at = error.instancePath === '' ? 'the answer' : error.instancePath;
  return `${at} ${error.message ?? 'is not valid'} ${canonicalJson(error.params ?? {})}`;
}
