// Providers for tests: replayed from recorded answers, recorded as they answer, or called live. The builtin provider always runs.
import type { Plan } from '../../language/plan/types.ts';
import type { CallOutcome, Provider, ProviderError } from '../../engine/providers/port.ts';
import type { ProviderRegistry } from '../../engine/providers/registry-port.ts';
import type { Answers } from './answers.ts';

export type TestMode = 'replay' | 'record' | 'live';

/** `answers`: of the test that runs; one test runs at a time. */
export function testProviders(
  registry: ProviderRegistry,
  mode: TestMode,
  answers: () => Answers,
): ProviderRegistry {
  if (mode === 'live') return registry;
  return {
    get(plan: Plan, name: string): Provider {
      const real = registry.get(plan, name);
      if (plan.providers[name]?.adapter === 'builtin') return real;
      return mode === 'replay' ? replayed(real, answers) : recorded(real, answers);
    },
    retain: (live) => registry.retain(live),
    close: () => registry.close(),
  };
}

/** No key is needed, since nothing is sent. A provider of which nothing is recorded is left out, as one without its key is. */
function replayed(real: Provider, answers: () => Answers): Provider {
  return {
    name: real.name,
    unavailable: () =>
      answers().knows(real.name) ? undefined : 'no answer is recorded: run "headgate test --record"',
    call: (request) =>
      Promise.resolve(answers().find(real.name, request) ?? notRecorded(real.name, request.model)),
    close: () => Promise.resolve(),
  };
}

/** Failures are kept too, so that a recorded fallback is replayed as one; but not that this machine could not reach anybody. */
function recorded(real: Provider, answers: () => Answers): Provider {
  return {
    name: real.name,
    unavailable: () => real.unavailable(),
    async call(request, context) {
      const outcome = await real.call(request, context);
      if (outcome.ok || (outcome.error.class !== 'cancelled' && outcome.error.class !== 'connection'))
        answers().record(real.name, request, outcome);
      return outcome;
    },
    close: () => Promise.resolve(),
  };
}

function notRecorded(provider: string, model: string): CallOutcome {
  const error: ProviderError = {
    class: 'unknown',
    advice: 'elsewhere',
    message: `no answer of ${provider}/${model} to this request is recorded; record it with "headgate test --record"`,
    status: null,
    retryAfterMs: null,
    billed: 'no',
    usage: null,
    seenCharacters: 0,
    requestId: null,
    rateLimits: [],
  };
  return { ok: false, error };
}
