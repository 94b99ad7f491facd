// A model step: render, count, find the rule, and have the candidates answer.
import { canonicalJson } from '../../../common/json.ts';
import type { Json } from '../../../common/json.ts';
import type { PlanModel } from '../../../language/plan/types.ts';
import type { ModelRequest, ProviderAnswer } from '../../providers/port.ts';
import type { Verdict } from '../attempt.ts';
import { Candidates } from '../candidates.ts';
import type { StepCall } from '../execute.ts';
import { RunFailure, runError } from '../failure.ts';
import type { LinkedModelStep } from '../link.ts';
import type { StepRecord } from '../records.ts';
import { loadTokenizer, promptSize, tokenizerLoaded } from '../tokens.ts';
import type { PromptSize } from '../tokens.ts';
import { asText, valueOf } from '../values.ts';

type ModelCall = Pick<StepCall<LinkedModelStep>, 'run' | 'linked' | 'stepKey' | 'values'>;

export function modelStep(call: StepCall<LinkedModelStep>): (signal: AbortSignal) => Promise<Json> {
  return async (signal) => {
    const { parts, run, linked, stepKey } = call;
    const { step } = linked;
    const startedAtMs = parts.clock.nowMs();
    const request = renderRequest(call);
    if (!tokenizerLoaded() && needsCount(call)) await loadTokenizer();
    const size = requestSize(linked, request);
    const { rule } = chooseRule(call, size);
    const candidates = new Candidates(parts, {
      run,
      step: step.key,
      stepKey,
      rule,
      request,
      size,
      judge: (model, given) => judge(call, model, given),
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
      cascade:
        linked.accept !== null &&
        rule.candidates.length > 1 &&
        (rule.pick === 'first' || rule.pick === 'cheapest'),
    });
    return await candidates.answer();
  };
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
    stream: run.stream,
  };
}

export function requestSize(linked: LinkedModelStep, { system, prompt }: ModelRequest): PromptSize {
  return promptSize(system === null ? [prompt] : [system, prompt], linked.schemaText);
}

/** Routes that are free whatever is sent need no encoding, unless a rule asks for the count. */
export function needsCount({ run, linked }: Pick<ModelCall, 'run' | 'linked'>): boolean {
  return linked.rules.some(
    ({ rule, when }) =>
      when?.references.roots.includes('prompt') === true ||
      rule.candidates.some(({ model }) => run.plan.models[model]?.price.kind !== 'free'),
  );
}

/** The first rule that holds; its name is kept with the decision. */
export function chooseRule(
  { run, linked, stepKey, values }: ModelCall,
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
function judge(call: ModelCall, model: PlanModel, given: ProviderAnswer): Verdict {
  const { linked, stepKey, values } = call;
  const { step, validate, accept } = linked;
  if (step.route.pin && given.model !== model.model) {
    return bad('wrong_model', `${model.key} is pinned, and ${given.model} answered`);
  }
  let output: Json;
  if (validate === null) output = { text: given.text };
  else {
    if (given.json === undefined)
      return bad(
        'invalid_output',
        given.finishReason === 'length'
          ? `the answer was cut at ${step.maxOutputTokens} tokens and is no JSON`
          : 'the answer is no JSON',
      );
    if (!validate(given.json)) return bad('invalid_output', schemaProblem(validate.errors?.[0]));
    output = given.json;
  }
  if (accept !== null) {
    const accepted = accept.evaluate({ ...values, output });
    // The call is paid for: an expression that fails on this answer is an answer that is not accepted.
    if (!accepted.ok) return bad('not_accepted', `accept: ${accepted.error.message}`);
    if (accepted.value !== true) return bad('not_accepted', `not accepted: ${accept.source}`);
  }
  return { kind: 'good', output };

  function bad(kind: 'wrong_model' | 'invalid_output' | 'not_accepted', message: string): Verdict {
    return { kind: 'bad', error: { class: kind, advice: 'elsewhere', message: `${stepKey}: ${message}` } };
  }
}

function schemaProblem(
  error: { readonly instancePath: string; readonly message?: string; readonly params?: object } | undefined,
): string {
  if (error === undefined) return 'it does not match the schema';
  const at = error.instancePath === '' ? 'the answer' : error.instancePath;
  return `${at} ${error.message ?? 'is not valid'} ${canonicalJson(error.params ?? {})}`;
}
