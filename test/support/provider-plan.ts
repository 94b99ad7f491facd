// Plans with nothing in them but providers, and registries over them, for tests of providers alone.
import { systemClock } from '../../src/common/clock.ts';
import type { Clock } from '../../src/common/clock.ts';
import type { Json } from '../../src/common/json.ts';
import type { Plan, PlanProvider, Template } from '../../src/language/plan/types.ts';
import type { CallContext, ModelRequest, Provider } from '../../src/engine/providers/port.ts';
import { createProviderRegistry } from '../../src/engine/providers/registry.ts';
import type { ProviderRegistry } from '../../src/engine/providers/registry-port.ts';

export const TEST_KEY = 'sk-test-0123456789abcdefghijklmnop';

export function planProvider(
  name: string,
  fields: Partial<PlanProvider> & { readonly url?: string },
): PlanProvider {
  const { url, ...rest } = fields;
  return {
    name,
    adapter: 'openai',
    baseUrl: url === undefined ? null : { kind: 'literal', value: url },
    apiKeySecret: 'TEST_API_KEY',
    api: 'chat',
    headers: {},
    sdkOptions: {},
    lacks: [],
    limits: { requests: null, tokens: null },
    ...rest,
  };
}

export function planOf(...providers: readonly PlanProvider[]): Plan {
  return {
    language: 1,
    hash: 'test',
    providers: Object.fromEntries(providers.map((provider) => [provider.name, provider])),
    models: {},
    budgets: [],
    guards: { loop: null, surge: null },
    tasks: {},
    environment: {},
  };
}

/** Literals as they are; `env.NAME` from the plan's environment. */
export function resolveLiteral(template: Template, plan: Plan): Json {
  if (template.kind === 'literal') return template.value;
  if (template.kind === 'expression') return plan.environment[template.source.replace('env.', '')] ?? null;
  throw new Error(`not used in these tests: ${template.kind}`);
}

export function testRegistry(
  options: { readonly key?: string | undefined; readonly clock?: Clock } = {},
): ProviderRegistry {
  const key = 'key' in options ? options.key : TEST_KEY;
  return createProviderRegistry({
    readSecret: () => key,
    clock: options.clock ?? systemClock,
    resolveTemplate: resolveLiteral,
  });
}

/** One provider over a registry of its own; close it with `close`. */
export function testProvider(
  fields: Partial<PlanProvider> & { readonly url?: string },
  options: { readonly key?: string | undefined; readonly clock?: Clock } = {},
): Provider {
  return testRegistry(options).get(planOf(planProvider('test', fields)), 'test');
}

export function request(fields: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: 'model-1',
    system: null,
    prompt: 'Say this is a test',
    maxOutputTokens: 100,
    temperature: null,
    structured: null,
    stream: false,
    ...fields,
  };
}

export interface Heard {
  readonly context: CallContext;
  readonly deltas: string[];
  readonly progress: string[];
}

/** A context that keeps what it hears. */
export function listen(signal: AbortSignal = new AbortController().signal): Heard {
  const deltas: string[] = [];
  const progress: string[] = [];
  return {
    deltas,
    progress,
    context: { signal, onText: (delta) => deltas.push(delta), onProgress: (kind) => progress.push(kind) },
  };
}
