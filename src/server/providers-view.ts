// ProvidersView: each provider of the active plan as it serves now: key, breakers, load, latency and rate headroom.
import type { ProvidersView, ProviderModelStatus, ProviderStatus } from './graphql/services.ts';
import type { Plan, PlanModel, PlanProvider } from '../language/plan/types.ts';
import type { ProviderRegistry } from '../engine/providers/registry-port.ts';
import type { Policies, RateGates } from '../engine/resilience/port.ts';
import type { Signals } from '../engine/routing/port.ts';

export interface ProvidersViewParts {
  readonly plan: () => Plan;
  readonly providers: ProviderRegistry;
  readonly policies: Policies;
  readonly rateGates: RateGates;
  readonly signals: Signals;
}

export function createProvidersView(parts: ProvidersViewParts): ProvidersView {
  const { policies, rateGates, signals } = parts;

  function modelsOf(name: string): readonly PlanModel[] {
    return Object.values(parts.plan().models).filter(({ provider }) => provider === name);
  }

  function modelStatus(model: PlanModel, provider: PlanProvider): ProviderModelStatus {
    const policy = policies.get(model.key, model.policy);
    const circuit = policy.circuit();
    const latency = signals.latency(model.key);
    // The tighter of the model's own gate and its provider's is what a call meets.
    const gates = [
      rateGates.get(model.key, model.limits).headroom(),
      rateGates.get(provider.name, provider.limits).headroom(),
    ];
    return {
      key: model.key,
      model: model.model,
      circuit: circuit.state,
      circuitRetryAfterMs: circuit.retryAfterMs,
      inFlight: policy.inFlight(),
      queued: policy.queued(),
      latencyMs: latency?.totalMs ?? null,
      // 0: nothing has answered yet.
      latencyP95Ms: latency === null || latency.p95Ms === 0 ? null : latency.p95Ms,
      firstTokenMs: latency?.firstTokenMs ?? null,
      requestHeadroom: least(gates.map(({ requests }) => requests)),
      tokenHeadroom: least(gates.map(({ tokens }) => tokens)),
      rateClosedForMs: Math.max(...gates.map(({ closedForMs }) => closedForMs)),
    };
  }

  function get(name: string): ProviderStatus | undefined {
    const plan = parts.plan();
    const provider = plan.providers[name];
    if (!provider) return undefined;
    return {
      name,
      adapter: provider.vendor ?? provider.adapter,
      unavailable: parts.providers.get(plan, name).unavailable() ?? null,
      models: modelsOf(name).map((model) => modelStatus(model, provider)),
    };
  }

  return {
    get,
    list: () => Object.keys(parts.plan().providers).flatMap((name) => get(name) ?? []),
    resetCircuit(name) {
      if (!(name in parts.plan().providers)) return false;
      for (const model of modelsOf(name)) policies.get(model.key, model.policy).reset();
      return true;
    },
    onChange: (listener) => policies.onCircuitChange((key) => listener(key.slice(0, key.indexOf('/')))),
  };
}

function least(shares: readonly (number | null)[]): number | null {
  const known = shares.filter((share) => share !== null);
  return known.length === 0 ? null : Math.min(...known);
}
