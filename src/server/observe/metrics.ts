// Metrics for Prometheus: what was written, what is going on, and how this process does.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { NANO_PER_USD } from '../../common/money.ts';
import type { GraphqlServices } from '../graphql/services.ts';
import type { WrittenRow } from '../../ledger/port.ts';
import { decodeDimensions } from '../../ledger/rollup/dimensions.ts';

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
  readonly #requests: Tally;
  readonly #dropped: Counter<'reason'>;

  constructor({ services, operations, subscriptions, connections }: MetricsParts) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = tally(registers, 'headgate_http_requests_total', 'HTTP requests, by path and status.', [
      'path',
      'status',
    ]);
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
    this.#stop = services.written.onWritten((rows) => {
      for (const row of rows) record(row);
    });
  }

  request(path: string, status: number): void {
    this.#requests(1, path, status);
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

/** Adds an amount under the values of the labels, in their order. */
type Tally = (amount: number | bigint, ...labels: LabelValues) => void;

type LabelValues = readonly (string | number)[];

/** What is kept under the values of some labels, and under one value more. */
interface Series<Kept> {
  readonly labels: LabelValues;
  kept: Kept | undefined;
  readonly below: Map<string | number, Series<Kept>>;
}

function root<Kept>(): Series<Kept> {
  return { labels: [], kept: undefined, below: new Map() };
}

function under<Kept>(series: Series<Kept>, values: LabelValues): Series<Kept> {
  let found = series;
  for (const value of values) {
    let next = found.below.get(value);
    if (next === undefined) {
      next = { labels: [...found.labels, value], kept: undefined, below: new Map() };
      found.below.set(value, next);
    }
    found = next;
  }
  return found;
}

/**
 * A counter whose sums are kept here, and made series of when they are asked for: finding a series costs more than the rest of counting. In
 * bigint, so that dollars are summed in integers (INV-1); only the text that Prometheus reads is a float, as its format has it.
 */
function tally(
  registers: Registry[],
  name: string,
  help: string,
  labelNames: readonly string[],
  unit = 1,
): Tally {
  const sums = root<bigint>();
  void new Counter({
    name,
    help,
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const { labels, kept } of counted(sums)) {
        const named = Object.fromEntries(labelNames.map((label, index) => [label, labels[index] ?? '']));
        this.inc(named, Number(kept) / unit);
      }
    },
  });
  return (amount, ...values) => {
    const sum = under(sums, values);
    sum.kept = (sum.kept ?? 0n) + BigInt(amount);
  };
}

function* counted(sums: Series<bigint>): Iterable<Series<bigint>> {
  if (sums.kept !== undefined) yield sums;
  for (const below of sums.below.values()) yield* counted(below);
}

/** A histogram whose series are found once: prom-client makes a function for each observation, which V8 would compile again and again. */
function durations(
  registers: Registry[],
  name: string,
  help: string,
  labelNames: readonly string[],
): (seconds: number, ...labels: readonly string[]) => void {
  const histogram = new Histogram({ name, help, labelNames, buckets: LATENCY_BUCKETS_S, registers });
  const series = root<Histogram.Internal<string>>();
  return (seconds, ...values) => {
    const found = under(series, values);
    (found.kept ??= histogram.labels(...values)).observe(seconds);
  };
}

/** Callers may name any team; each is a series for as long as the process lives (INV-14). */
const MOST_TEAMS = 100;
const MOST_TASKS = 500;

/** The first so many values as they are; those that come later are `other`. */
function bounded(most: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= most) return 'other';
    known.add(value);
    return value;
  };
}

/** Counted when written (INV-11), so that the sums are the ledger's. */
function runMetrics(registers: Registry[]): (row: WrittenRow) => void {
  const [team, task] = [bounded(MOST_TEAMS), bounded(MOST_TASKS)];
  const runs = tally(registers, 'headgate_runs_total', 'Finished runs.', ['team', 'task', 'status']);
  const runSeconds = durations(registers, 'headgate_run_duration_seconds', 'From acceptance to answer.', [
    'task',
  ]);
  const attempts = tally(registers, 'headgate_attempts_total', 'Calls to providers that ended.', [
    'provider',
    'model',
    'status',
    'error_class',
  ]);
  const attemptSeconds = durations(registers, 'headgate_attempt_duration_seconds', 'From call to answer.', [
    'provider',
    'model',
  ]);
  const tokens = tally(registers, 'headgate_tokens_total', 'Tokens, by direction.', [
    'provider',
    'model',
    'direction',
  ]);
  const cost = tally(
    registers,
    'headgate_cost_usd_total',
    'Dollars spent, as written since this process started.',
    ['team', 'task', 'provider', 'model'],
    Number(NANO_PER_USD),
  );
  return (row) => {
    if (row.kind === 'run_finished') {
      const { status, latencyMs, caller } = row.run;
      const name = task(row.run.task);
      runs(1, team(caller.team ?? ''), name, status);
      if (latencyMs !== null) runSeconds(latencyMs / 1000, name);
    } else if (row.kind === 'attempt_closed') {
      const { provider, requestedModel: model, status, errorClass, latencyMs } = row.attempt;
      const { inputTokens, outputTokens, costNanoUsd } = row.attempt;
      attempts(1, provider, model, status, errorClass ?? '');
      if (latencyMs !== null) attemptSeconds(latencyMs / 1000, provider, model);
      tokens(inputTokens, provider, model, 'input');
      tokens(outputTokens, provider, model, 'output');
      const counted = row.rollupKey === undefined ? '' : decodeDimensions(row.rollupKey).team;
      cost(costNanoUsd, team(counted), task(row.attempt.task), provider, model);
    }
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
