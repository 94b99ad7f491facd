// Metrics for Prometheus: what was committed, what is going on, and how this process does.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { NANO_PER_USD } from '../../common/money.ts';
import type { GraphqlServices } from '../../graphql/services.ts';
import type { CommittedRow } from '../../ledger/port.ts';

export interface MetricsParts {
  readonly services: GraphqlServices;
  readonly operations: () => number;
  readonly subscriptions: () => number;
  readonly connections: () => number;
}

const LATENCY_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

export class Metrics {
  readonly #registry = new Registry();
  readonly #stop: () => void;
  readonly #requests: Counter<'path' | 'status'>;
  readonly #dropped: Counter<'reason'>;

  constructor({ services, operations, subscriptions, connections }: MetricsParts) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Counter({
      name: 'headgate_http_requests_total',
      help: 'HTTP requests, by path and status.',
      labelNames: ['path', 'status'],
      registers,
    });
    this.#dropped = new Counter({
      name: 'headgate_subscribers_dropped_total',
      help: 'Subscribers that read too slowly and were dropped.',
      labelNames: ['reason'],
      registers,
    });
    gauge(
      registers,
      'headgate_operations_running',
      'GraphQL operations under way, subscriptions not counted.',
      operations,
    );
    gauge(registers, 'headgate_subscriptions', 'GraphQL subscriptions.', subscriptions);
    gauge(registers, 'headgate_websocket_connections', 'WebSocket connections.', connections);
    gauge(registers, 'headgate_runs_running', 'Runs under way in this process.', () =>
      services.engine.running(),
    );
    gauge(
      registers,
      'headgate_spending_paused',
      'Scopes in which spending is paused.',
      () => services.guards.switches().length,
    );
    gauge(
      registers,
      'headgate_revision_refused',
      '1 while the newest workflows do not compile and an older revision serves.',
      () => (services.revisions.refused() === null ? 0 : 1),
    );
    providerGauges(registers, services);
    budgetGauges(registers, services);
    const record = runMetrics(registers);
    this.#stop = services.commits.onCommit((rows) => {
      for (const row of rows) record(row);
    });
  }

  request(path: string, status: number): void {
    this.#requests.inc({ path, status: String(status) });
  }

  dropped(reason: 'buffer' | 'time'): void {
    this.#dropped.inc({ reason });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  close(): void {
    this.#stop();
    this.#registry.clear();
  }
}

function gauge(registers: Registry[], name: string, help: string, read: () => number): void {
  void new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read());
    },
  });
}

/** Counted when committed (INV-11), so that the sums are the ledger's. */
function runMetrics(registers: Registry[]): (row: CommittedRow) => void {
  const runs = new Counter({
    name: 'headgate_runs_total',
    help: 'Finished runs.',
    labelNames: ['task', 'status'],
    registers,
  });
  const runSeconds = new Histogram({
    name: 'headgate_run_duration_seconds',
    help: 'From acceptance to answer.',
    labelNames: ['task'],
    buckets: LATENCY_BUCKETS_S,
    registers,
  });
  const attempts = new Counter({
    name: 'headgate_attempts_total',
    help: 'Calls to providers that ended.',
    labelNames: ['provider', 'model', 'status', 'error_class'],
    registers,
  });
  const attemptSeconds = new Histogram({
    name: 'headgate_attempt_duration_seconds',
    help: 'From call to answer.',
    labelNames: ['provider', 'model'],
    buckets: LATENCY_BUCKETS_S,
    registers,
  });
  const tokens = new Counter({
    name: 'headgate_tokens_total',
    help: 'Tokens, by direction.',
    labelNames: ['provider', 'model', 'direction'],
    registers,
  });
  const cost = spendCounter(registers);
  return (row) => {
    if (row.kind === 'run_finished') {
      const { task, status, latencyMs } = row.run;
      runs.inc({ task, status });
      if (latencyMs !== null) runSeconds.observe({ task }, latencyMs / 1000);
    } else if (row.kind === 'attempt_closed') {
      const {
        provider,
        requestedModel: model,
        status,
        errorClass,
        latencyMs,
        inputTokens,
        outputTokens,
        costNanoUsd,
        task,
      } = row.attempt;
      attempts.inc({ provider, model, status, error_class: errorClass ?? '' });
      if (latencyMs !== null) attemptSeconds.observe({ provider, model }, latencyMs / 1000);
      tokens.inc({ provider, model, direction: 'input' }, inputTokens);
      tokens.inc({ provider, model, direction: 'output' }, outputTokens);
      cost(task, provider, model, costNanoUsd);
    }
  };
}

/** Summed in integers (INV-1); only the text that Prometheus reads is a float, as its format has it. */
function spendCounter(
  registers: Registry[],
): (task: string, provider: string, model: string, nanoUsd: bigint) => void {
  const sums = new Map<
    string,
    { readonly labels: { task: string; provider: string; model: string }; nanoUsd: bigint }
  >();
  void new Counter({
    name: 'headgate_cost_usd_total',
    help: 'Dollars spent, as committed since this process started.',
    labelNames: ['task', 'provider', 'model'],
    registers,
    collect() {
      this.reset();
      for (const { labels, nanoUsd } of sums.values())
        this.inc(labels, Number(nanoUsd) / Number(NANO_PER_USD));
    },
  });
  return (task, provider, model, nanoUsd) => {
    const key = `${task} ${provider} ${model}`;
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, { labels: { task, provider, model }, nanoUsd });
    else sum.nanoUsd += nanoUsd;
  };
}

function providerGauges(registers: Registry[], { providers }: GraphqlServices): void {
  const labelNames = ['provider', 'model'] as const;
  const circuit = new Gauge({
    name: 'headgate_circuit_open',
    help: '0 closed, 0.5 half-open, 1 open.',
    labelNames,
    registers: [],
  });
  const inFlight = new Gauge({
    name: 'headgate_attempts_in_flight',
    help: 'Calls under way.',
    labelNames,
    registers: [],
  });
  const [registry] = registers;
  // One walk over the providers fills both.
  const fill = (): void => {
    for (const { name, models } of providers.list()) {
      for (const { model, circuit: state, inFlight: calls } of models) {
        circuit.set({ provider: name, model }, state === 'open' ? 1 : state === 'half-open' ? 0.5 : 0);
        inFlight.set({ provider: name, model }, calls);
      }
    }
  };
  registry?.registerMetric(Object.assign(circuit, { collect: fill }));
  registry?.registerMetric(inFlight);
}

/** Only budgets with one account in all: callers' own would make a series for each. */
function budgetGauges(registers: Registry[], { budgets }: GraphqlServices): void {
  void new Gauge({
    name: 'headgate_budget_used_ratio',
    help: 'Spent and held, as a share of the limit.',
    labelNames: ['budget'],
    registers,
    collect() {
      this.reset();
      for (const { budget, account, limit, spent, held } of budgets.views()) {
        if (account === '' && limit > 0n)
          this.set({ budget: budget.id }, Number(((spent + held) * 10_000n) / limit) / 10_000);
      }
    },
  });
}
