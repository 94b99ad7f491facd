// Providers of a replay: a call that was recorded ends as it did; another is modelled on what the traffic showed of the model.
import { sleep } from '../common/clock.ts';
import type { Clock } from '../common/clock.ts';
import { formatUsd } from '../common/money.ts';
import { fail, succeed } from '../common/outcome.ts';
import type {
  CallContext,
  CallOutcome,
  ErrorClass,
  ModelRequest,
  Provider,
  ProviderError,
  Usage,
} from '../engine/providers/port.ts';
import { claudePromptCache } from '../engine/providers/anthropic/prompt-cache.ts';
import type { ProviderRegistry } from '../engine/providers/registry-port.ts';
import type { PlanProvider } from '../language/plan/types.ts';
import { DECLINED, GOOD, MISSHAPEN, askedSize } from './known-executors.ts';
import type { KnownStep } from './known-executors.ts';
import type { Profiles } from './profile.ts';
import { ENOUGH } from './profile.ts';
import type { ReplayedRun } from './replayed-run.ts';
import { chance } from './replayed-run.ts';
import type { TrafficAttempt } from './traffic.ts';
import type { Assumption, Unknowns } from './unknowns.ts';

export interface ModelledOptions {
  readonly clock: Clock;
  readonly profiles: Profiles;
  readonly unknowns: Unknowns;
  readonly assumption: Assumption;
  readonly steps: readonly KnownStep[];
  /** How often the model is tried again is as it was when the traffic was recorded. */
  readonly retriedAsBefore: (model: string) => boolean;
  /** Runs under way, by their number. */
  readonly live: ReadonlyMap<number, ReplayedRun>;
}

/** How an attempt's cost is known: it stands in its request id, which is written with it. */
export type Basis = 'recorded' | 'modelled' | 'assumed';
const MARK: { readonly [basis in Basis]: string } = { recorded: '=', modelled: '~', assumed: '?' };

/** The recorded cost holds where the rates are the same; else tokens are priced as the plan says. */
export interface KnownCost {
  readonly basis: Basis;
  readonly rates: string | null;
  readonly costNanoUsd: bigint | null;
}

export function knownCost(requestId: string | null): KnownCost {
  const [mark, rates, cost] = (requestId ?? '').split(' ');
  if (mark === MARK.recorded && rates !== undefined && cost !== undefined)
    return { basis: 'recorded', rates, costNanoUsd: BigInt(cost) };
  return { basis: mark === MARK.modelled ? 'modelled' : 'assumed', rates: null, costNanoUsd: null };
}

interface Modelled {
  readonly requestId: string;
  readonly outcome: TrafficAttempt['outcome'];
  readonly usage: Usage;
  readonly latencyMs: number;
  readonly firstTokenMs: number | null;
  readonly retried: boolean;
  /** Nobody was asked after it. */
  readonly last: boolean;
}

const RETRIED: ReadonlySet<string> = new Set<ErrorClass>([
  'rate_limited',
  'overloaded',
  'server_error',
  'connection',
]);
const JUDGED: ReadonlySet<string> = new Set<ErrorClass>([
  'not_accepted',
  'invalid_output',
  'empty_answer',
  'wrong_model',
]);
const TIMED_OUT: ReadonlySet<string> = new Set<ErrorClass>(['timeout', 'first_token_timeout', 'stalled']);
/** Without a single answer to go by, an answer is as long as another model's; by so much it may be shorter or longer. */
const ASSUMED_ERROR = 0.5;
const CHARACTERS_PER_TOKEN = 4;
/** Of a model that nothing is known of. */
const ASSUMED_LATENCY_MS = 2_000;

export function modelledProviders(options: ModelledOptions): ProviderRegistry {
  const known = new Map<string, Provider>();
  return {
    get(plan, name) {
      let provider = known.get(name);
      if (provider === undefined)
        known.set(name, (provider = modelledProvider(name, plan.providers[name], options)));
      return provider;
    },
    retain: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function modelledProvider(
  name: string,
  settings: PlanProvider | undefined,
  options: ModelledOptions,
): Provider {
  /** It says what a call cost. */
  const reports = settings?.cost === 'reported';
  const cache = new KeptPrompts(options.clock);
  return {
    name,
    unavailable: () => undefined,
    // Others keep prompts whether or not they are asked: what was seen of that is in the traffic.
    promptCache: (model) => (settings?.adapter === 'anthropic' ? claudePromptCache(model) : undefined),
    call: (request, context) => {
      const model = `${name}/${request.model}`;
      // As `knownStep` wrote it; what stands after a line's end was added by the engine.
      const [run = '', step = '', rest = ''] = request.prompt.split(' ', 3);
      const end = rest.indexOf('\n');
      const path = end === -1 ? rest : rest.slice(0, end);
      const replayed = options.live.get(Number(run));
      const known = options.steps[Number(step)];
      if (replayed === undefined || known === undefined) throw new Error(`no run ${run} is being replayed`);
      return perform(
        options.clock,
        cache.of(known, modelled(options, replayed, known, path, model, request), request),
        request,
        context,
        reports,
      );
    },
    close: () => Promise.resolve(),
  };
}

/** What Claude's vendors keep of prompts. Where the plan's word on that is what it was, what was recorded is what happens again. */
class KeptPrompts {
  readonly #clock: Clock;
  /** When the beginning of a step's prompt was last used at a model. Steps and models are few. */
  readonly #usedAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  of({ promptCache }: KnownStep, call: Modelled, { constant, model }: ModelRequest): Modelled {
    const terms = claudePromptCache(model);
    const { usage } = call;
    const isKept = usage.cachedInputTokens + usage.cacheWriteTokens > 0;
    if (promptCache === 'as-before' || terms === undefined) return call;
    if (promptCache === 'off') return isKept ? { ...call, ...without(usage) } : call;
    if (isKept || usage.inputTokens === 0 || constant?.asked !== true) return call;
    const nowMs = this.#clock.monotonicMs();
    const key = `${model}\n${constant.key}`;
    const isRead = nowMs - (this.#usedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < terms.liveMs;
    this.#usedAtMs.set(key, nowMs);
    const characters = constant.systemChars + constant.promptChars;
    const tokens = Math.min(usage.inputTokens, Math.floor(characters / CHARACTERS_PER_TOKEN));
    const used = isRead ? { cachedInputTokens: tokens } : { cacheWriteTokens: tokens };
    return { ...call, requestId: MARK.modelled, usage: { ...usage, ...used } };
  }
}

function without(usage: Usage): Pick<Modelled, 'requestId' | 'usage'> {
  return { requestId: MARK.modelled, usage: { ...usage, cachedInputTokens: 0, cacheWriteTokens: 0 } };
}

function modelled(
  options: ModelledOptions,
  replayed: ReplayedRun,
  step: KnownStep,
  path: string,
  model: string,
  request: ModelRequest,
): Modelled {
  const nth = replayed.nextCall(path, model);
  const attempts = replayed.step(path)?.attempts ?? [];
  const place = placeOf(attempts, model, nth);
  const recorded = attempts[place];
  // An answer that would now be cut is another answer.
  const isAsRecorded =
    recorded !== undefined && step.askedAsBefore && recorded.outputTokens <= request.maxOutputTokens;
  return isAsRecorded
    ? asRecorded(options, step, recorded, attempts.slice(place + 1))
    : likeOthers(options, {
        replayed,
        step,
        path,
        model,
        nth,
        recorded: recorded && asRecorded(options, step, recorded, attempts.slice(place + 1)),
        request,
      });
}

/** Where the model's attempt of that number stands, from 0; -1: it was not made. */
function placeOf(attempts: readonly TrafficAttempt[], model: string, nth: number): number {
  let left = nth;
  return attempts.findIndex((attempt) => attempt.model === model && (left -= 1) < 0);
}

/** What was seen is what happens again; only how the workflow judges it may be new. */
function asRecorded(
  { unknowns, assumption, retriedAsBefore }: ModelledOptions,
  step: KnownStep,
  attempt: TrafficAttempt,
  later: readonly TrafficAttempt[],
): Modelled {
  let { outcome } = attempt;
  if (!step.judgedAsBefore && (outcome === 'succeeded' || JUDGED.has(outcome))) {
    unknowns.add('acceptance', `${step.name} on ${attempt.model}`);
    if (assumption === 'low') outcome = 'succeeded';
    if (assumption === 'high' && step.accepts) outcome = 'not_accepted';
  }
  return {
    requestId: `${MARK.recorded} ${attempt.rates} ${attempt.costNanoUsd}`,
    outcome,
    usage: attempt,
    latencyMs: attempt.latencyMs,
    firstTokenMs: attempt.firstTokenMs,
    last: later.length === 0,
    // Where another was asked next, that is what came of it: pauses and jitter decided, which are not in the traffic.
    retried:
      later.length > 0 && retriedAsBefore(attempt.model)
        ? later[0]?.model === attempt.model
        : later.some(({ model }) => model === attempt.model) || RETRIED.has(outcome),
  };
}

interface Unrecorded {
  readonly replayed: ReplayedRun;
  readonly step: KnownStep;
  readonly path: string;
  readonly model: string;
  readonly nth: number;
  /** Of the same model, where it was asked otherwise than it is now. */
  readonly recorded: Modelled | undefined;
  readonly request: ModelRequest;
}

function likeOthers(
  { clock, profiles, unknowns, assumption }: ModelledOptions,
  { replayed, step, path, model, nth, recorded, request }: Unrecorded,
): Modelled {
  const { task } = replayed.run;
  const found = profiles.of(task, path, model);
  const draw = (what: number): number => chance(replayed, path, model, 4 * nth + what);
  // What happened to the provider then has nothing to do with what it was asked.
  if (recorded !== undefined && recorded.outcome !== 'succeeded' && !JUDGED.has(recorded.outcome))
    return recorded;
  const failure = recorded === undefined ? profiles.failure(model, clock.nowMs(), draw(0)) : undefined;
  const speed = found?.profile.samples[Math.floor(draw(1) * found.profile.samples.length)];
  const timing = {
    latencyMs:
      recorded?.latencyMs ??
      speed?.latencyMs ??
      replayed.step(path)?.attempts.find(({ outcome }) => outcome === 'succeeded')?.latencyMs ??
      ASSUMED_LATENCY_MS,
    firstTokenMs: recorded?.firstTokenMs ?? speed?.firstTokenMs ?? null,
  };
  if (failure !== undefined)
    return {
      requestId: MARK.modelled,
      outcome: failure,
      usage: NOTHING,
      ...timing,
      retried: RETRIED.has(failure),
      last: true,
    };

  const size = askedSize(replayed, path, profiles);
  const inputTokens = Math.max(
    1,
    (recorded?.usage.inputTokens ?? size?.inputTokens ?? 1_000) + step.promptDelta,
  );
  const length = outputLength();
  const error =
    found === undefined || recorded !== undefined
      ? ASSUMED_ERROR
      : found.here
        ? found.profile.outputError
        : Math.max(ASSUMED_ERROR, found.profile.outputError);
  unknowns.add('length', `${step.name} on ${model}`);
  const taken = assumption === 'low' ? 1 - Math.min(0.9, error) : assumption === 'high' ? 1 + error : 1;
  const outputTokens = Math.max(1, Math.min(request.maxOutputTokens, Math.round(length * taken)));
  const cachedInputTokens = found === undefined ? 0 : Math.floor(inputTokens * found.profile.cachedShare);
  return {
    requestId: found === undefined ? MARK.assumed : MARK.modelled,
    outcome: recorded?.outcome ?? (isTaken() ? 'succeeded' : 'not_accepted'),
    usage: { inputTokens, cachedInputTokens, cacheWriteTokens: 0, outputTokens, reasoningTokens: 0 },
    ...timing,
    retried: recorded?.retried ?? false,
    last: recorded?.last ?? true,
  };

  /** As long as it was; else as another model's answer here, by how the two compare in this step; else as the step's or the model's mean. */
  function outputLength(): number {
    if (recorded !== undefined) return recorded.usage.outputTokens;
    const other = replayed
      .step(path)
      ?.attempts.find(
        ({ outcome, outputTokens: tokens }) => tokens > 0 && (outcome === 'succeeded' || JUDGED.has(outcome)),
      );
    const own = found?.here === true ? found.profile.meanOutput : undefined;
    if (other !== undefined) {
      const theirs = profiles.inStep(task, path, other.model)?.meanOutput ?? 0;
      return own === undefined || theirs === 0 ? other.outputTokens : (other.outputTokens * own) / theirs;
    }
    return own ?? size?.outputTokens ?? found?.profile.meanOutput ?? 250;
  }

  function isTaken(): boolean {
    if (!step.accepts) return true;
    const here = profiles.inStep(task, path, model);
    if (step.judgedAsBefore && here !== undefined && here.answers >= ENOUGH)
      return draw(2) < here.taken / here.answers;
    unknowns.add('acceptance', `${step.name} on ${model}`);
    return assumption !== 'high';
  }
}

const NOTHING: Usage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
};

async function perform(
  clock: Clock,
  call: Modelled,
  request: ModelRequest,
  { signal, onText, onProgress }: CallContext,
  reports: boolean,
): Promise<CallOutcome> {
  const { outcome, usage, firstTokenMs, latencyMs, requestId } = call;
  try {
    // It ended because somebody ended it: here the same somebody does.
    if (outcome === 'cancelled') await sleep(clock, FOR_EVER_MS, signal);
    if (request.stream && firstTokenMs !== null) {
      await sleep(clock, firstTokenMs, signal);
      onProgress?.('token');
      await sleep(clock, Math.max(0, latencyMs - firstTokenMs), signal);
    } else await sleep(clock, latencyMs, signal);
  } catch {
    return fail(errorOf('cancelled', call, 'maybe'));
  }
  if (outcome !== 'succeeded' && !JUDGED.has(outcome)) {
    const isBilled = usage.inputTokens + usage.outputTokens > 0;
    return fail(errorOf(outcome, call, isBilled ? 'yes' : TIMED_OUT.has(outcome) ? 'maybe' : 'no'));
  }
  const word = outcome === 'not_accepted' ? DECLINED : outcome === 'invalid_output' ? MISSHAPEN : GOOD;
  const text = outcome === 'empty_answer' ? '' : word;
  if (request.stream) onText?.(text);
  return succeed({
    text,
    json: request.structured === null || outcome === 'empty_answer' ? undefined : word,
    model: outcome === 'wrong_model' ? '' : request.model,
    finishReason: 'stop',
    usage,
    requestId,
    ...(reports ? { reportedCostUsd: reportedUsd(requestId) } : {}),
    rateLimits: [],
  });
}

function reportedUsd(requestId: string): string | null {
  const { rates, costNanoUsd } = knownCost(requestId);
  // An export without costs has no rates.
  return costNanoUsd === null || rates === '' ? null : formatUsd(costNanoUsd);
}

const FOR_EVER_MS = 86_400_000;

function errorOf(
  kind: ErrorClass,
  { usage, requestId, retried, last }: Modelled,
  billed: ProviderError['billed'],
): ProviderError {
  return {
    class: kind,
    advice:
      kind === 'cancelled' || (kind === 'content_filter' && last)
        ? 'give-up'
        : retried
          ? 'retry'
          : 'elsewhere',
    message: kind,
    status: null,
    retryAfterMs: null,
    billed,
    usage: usage.inputTokens + usage.outputTokens > 0 ? usage : null,
    seenCharacters: 0,
    requestId,
    rateLimits: [],
  };
}
