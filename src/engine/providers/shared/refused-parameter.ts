// A refusal that names what was not accepted: what can be left out or put otherwise the next time, or the line of YAML that mends it.
import type { PlanProvider } from '../../../language/plan/types.ts';
import type { ModelRequest, Note } from '../port.ts';
import type { Lesson } from './call-report.ts';
import type { ReportedFailure } from './classify.ts';

type Lack = PlanProvider['lacks'][number];
/** What a request may do without. */
type Optional = 'temperature' | 'structuredOutput' | 'streamUsage' | 'systemRole' | 'promptCache';

/** Names under which the protocols send it. */
const NAMES: readonly (readonly [Optional | 'maxOutputTokens', RegExp])[] = [
  ['promptCache', /cache_control|prompt_cache/i],
  ['streamUsage', /stream_options|include_usage/i],
  [
    'structuredOutput',
    /response[_ ]?format|json[_ ]?schema|structured[_ ]?outputs?|output_config|output_format|text\.format|\btool_choice\b/i,
  ],
  ['temperature', /\btemperature\b/i],
  ['maxOutputTokens', /\bmax_(?:completion_|output_)?tokens\b|\bmax_tokens_to_sample\b/i],
  [
    'systemRole',
    /\b(?:system|developer)['"`]? (?:role|message|prompt|instruction)|\brole:? ?['"`]?(?:system|developer)\b|\binstructions\b.*(?:support|allow|permit)/i,
  ],
];

/** It is not taken at all, or not with this. */
const NOT_TAKEN =
  /unsupported|not (?:currently |yet )?(?:supported|available|permitted|allowed|enabled|implemented|accepted)|(?:does not|doesn't|do not|cannot|can't) (?:currently )?(?:support|accept|be used|use)|unavailable|unknown|unrecogni[sz]ed|unexpected|extra[_ ]|forbidden|deprecated|only the default|must be (?:omitted|unset|removed)|invalid (?:parameter|schema|value)|no endpoints found/i;
/** It is taken, and not with this value. */
const OUT_OF_RANGE =
  /less than|greater than|at least|at most|between|minimum|maximum|\brange\b|[<>]=|≤|≥|below|above|too (?:large|small|high|low|big)|must be (?:a |an )?(?:number|integer|positive)/i;

const REMEDIES: { readonly [what in Optional | 'maxOutputTokens']: string } = {
  promptCache: 'write `promptCache: off` in the step',
  temperature: 'leave `temperature` out of the step, or write one that this model takes',
  structuredOutput:
    'write `lacks: [structuredOutput]` at the provider: the schema is then asked for in words',
  streamUsage: 'write `lacks: [streamUsage]` at the provider',
  systemRole: 'write `lacks: [systemRole]` at the provider: the system text then stands before the prompt',
  maxOutputTokens: 'write another `maxOutputTokens` in the step',
};

/** Of one provider: what its models are known not to take. Kept as long as the provider's settings are; a plan's models are few (INV-14). */
export class LearntLacks {
  readonly #told: readonly Lack[];
  readonly #byModel = new Map<string, Set<Optional>>();
  /** Schemas that a model refused by themselves: others may do. */
  readonly #schemas = new WeakMap<object, Set<string>>();

  constructor(lacks: readonly Lack[]) {
    this.#told = lacks;
  }

  /** What is said to be lacking, and what has been learnt of the model. */
  lacks(request: ModelRequest): readonly Lack[] {
    const learnt = this.#byModel.get(request.model);
    const schema = request.structured?.schema;
    const refused = schema !== undefined && this.#schemas.get(schema)?.has(request.model) === true;
    if (learnt === undefined && !refused) return this.#told;
    const more = [...(learnt ?? [])].filter((what) => what !== 'temperature' && what !== 'promptCache');
    return [...this.#told, ...more, ...(refused ? (['structuredOutput'] as const) : [])];
  }

  /** As it is sent: without what its model is known not to take. */
  without(asked: ModelRequest): ModelRequest {
    const request = { ...asked, temperature: this.#temperature(asked) };
    if (request.constant === undefined || this.takesPromptCache(asked.model)) return request;
    const { constant: _, ...rest } = request;
    return rest;
  }

  takesPromptCache(model: string): boolean {
    return this.#byModel.get(model)?.has('promptCache') !== true;
  }

  #temperature(request: ModelRequest): number | null {
    return this.#byModel.get(request.model)?.has('temperature') === true ? null : request.temperature;
  }

  /** What the request leaves out that its step asks for. */
  notes(request: ModelRequest): readonly Note[] {
    return request.temperature !== null && this.#temperature(request) === null
      ? [{ code: 'TEMPERATURE_LEFT_OUT', message: 'the temperature was not sent: the model has refused it' }]
      : [];
  }

  /** `sent`: what the refused request had. */
  learn(request: ModelRequest, sent: ReadonlySet<Optional>, failure: ReportedFailure): Lesson {
    const refused = refusedIn(failure);
    if (refused === undefined) return NOTHING_LEARNT;
    const { what, notTaken } = refused;
    if (what === 'maxOutputTokens') {
      const least = /(?:>=|at least|minimum(?: value)?(?: of| is)?)[^\d]{0,12}(\d+)/i.exec(
        failure.message,
      )?.[1];
      const remedy =
        least === undefined
          ? REMEDIES.maxOutputTokens
          : `write \`maxOutputTokens: ${least}\` or more in the step`;
      return { learnt: false, remedy };
    }
    const remedy = REMEDIES[what];
    if (!notTaken || !sent.has(what)) return { learnt: false, remedy: sent.has(what) ? remedy : null };
    const { schema } = request.structured ?? {};
    if (what === 'structuredOutput' && schema !== undefined && /invalid schema/i.test(failure.message)) {
      const models = this.#schemas.get(schema) ?? new Set();
      this.#schemas.set(schema, models.add(request.model));
    } else {
      const known = this.#byModel.get(request.model) ?? new Set();
      this.#byModel.set(request.model, known.add(what));
    }
    return { learnt: true, remedy };
  }
}

const NOTHING_LEARNT: Lesson = { learnt: false, remedy: null };

function refusedIn({
  status,
  param,
  message,
}: ReportedFailure): { readonly what: Optional | 'maxOutputTokens'; readonly notTaken: boolean } | undefined {
  if (status !== 400 && status !== 404 && status !== 422 && status !== 501) return undefined;
  const notTaken = NOT_TAKEN.test(message);
  const outOfRange = OUT_OF_RANGE.test(message) && !/only the default/i.test(message);
  if (!notTaken && !outOfRange) return undefined;
  const named = (text: string) => NAMES.find(([, name]) => name.test(text))?.[0];
  const what = (param === null ? undefined : named(param)) ?? named(message);
  // "Invalid value" beside a range is about the value.
  return what === undefined
    ? undefined
    : { what, notTaken: notTaken && !(outOfRange && what !== 'structuredOutput') };
}
