// The API's services in memory: enough of an engine, a ledger and statistics to hold the API to its word, without a database.
import type { SpendSwitch } from '../../../../src/engine/budget/guards/port.ts';
import type { BudgetView, Caller } from '../../../../src/engine/budget/port.ts';
import { systemClock } from '../../../../src/common/clock.ts';
import type { Clock } from '../../../../src/common/clock.ts';
import { newId } from '../../../../src/common/ids.ts';
import type { Json } from '../../../../src/common/json.ts';
import { HeadgateError } from '../../../../src/errors/headgate-error.ts';
import type { Engine, RunEvent, RunRequest, RunResult } from '../../../../src/engine/execution/port.ts';
import type { AlertRecord } from '../../../../src/engine/execution/recorder.ts';
import type { AttemptRecord, RunRecord, StepRecord } from '../../../../src/engine/execution/records.ts';
import type { GraphqlServices, ProviderStatus } from '../../../../src/server/graphql/services.ts';
import type {
  ApiKeyRecord,
  WrittenRow,
  LedgerAdmin,
  LedgerReader,
  Page,
  PageRequest,
  RevisionRecord,
  RunFilter,
} from '../../../../src/ledger/port.ts';
import type { Plan } from '../../../../src/language/plan/types.ts';
import type { ReloadResult, Revision } from '../../../../src/revisions/port.ts';
import { RunJournals } from '../../../../src/server/graphql/live/journal.ts';
import { LiveStats } from '../../../../src/server/graphql/live/live-stats.ts';
import { KeyRing } from '../../../../src/server/keys/key-ring.ts';
import type { CostBucket, CostStats } from '../../../../src/ledger/stats/port.ts';
import { plan as examplePlan } from './plan.ts';

export const ANA: Caller = {
  name: 'ana',
  team: 'growth',
  tier: 'pro',
  tags: { app: 'crm' },
  scopes: ['run:*'],
  keyId: 'key_ana',
};
export const BOB: Caller = {
  name: 'bob',
  team: null,
  tier: null,
  tags: {},
  scopes: ['run:summarize'],
  keyId: 'key_bob',
};
export const AUDITOR: Caller = {
  name: 'auditor',
  team: null,
  tier: null,
  tags: {},
  scopes: ['read:all'],
  keyId: 'key_aud',
};
export const ADMIN: Caller = {
  name: 'root',
  team: null,
  tier: null,
  tags: {},
  scopes: ['admin'],
  keyId: 'key_root',
};

export function revisionRecord(hash: string, overrides: Partial<RevisionRecord> = {}): RevisionRecord {
  return {
    hash,
    commit: null,
    author: null,
    subject: null,
    dirty: false,
    source: 'directory workflows',
    compiledAtMs: 1_700_000_000_000,
    activeFromMs: 1_700_000_000_000,
    activeToMs: null,
    problems: [],
    pinned: false,
    ...overrides,
  };
}

export function attempt(runId: string, overrides: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    id: `att_${runId.slice(4)}`,
    runId,
    step: 'main',
    revision: 'a'.repeat(64),
    task: 'summarize',
    caller: 'ana',
    provider: 'builtin',
    model: 'extract',
    requestedModel: 'extract',
    status: 'succeeded',
    errorClass: null,
    errorMessage: null,
    inputTokens: 120,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 30,
    reasoningTokens: 0,
    costNanoUsd: 1500n,
    heldNanoUsd: 9000n,
    savedNanoUsd: 0n,
    estimated: false,
    rates: 'free',
    postings: [],
    queueMs: 0,
    latencyMs: 12.5,
    firstTokenMs: null,
    startedAtMs: 1_700_000_000_000,
    finishedAtMs: 1_700_000_000_012,
    requestId: null,
    decision: {
      rule: 'local[0]',
      pick: 'first',
      candidates: [
        { model: 'builtin/extract', score: 0, expectedCostNanoUsd: '0', chosen: true, skipped: null },
        {
          model: 'openai/gpt-5.6-luna',
          score: null,
          expectedCostNanoUsd: '42000',
          chosen: false,
          skipped: { code: 'no_key', detail: 'set OPENAI_API_KEY', retryAfterMs: null },
        },
      ],
    },
    ...overrides,
  };
}

/** Rows in arrays; `calls` counts the reads, so that a test can hold the API to one per level. */
export class MemoryLedger implements LedgerReader, LedgerAdmin {
  readonly planText = async (_hash: string): Promise<undefined> => undefined;
  readonly runRows: RunRecord[] = [];
  readonly steps: StepRecord[] = [];
  readonly attempts: AttemptRecord[] = [];
  readonly revisionRows: RevisionRecord[] = [];
  readonly alertRows: AlertRecord[] = [];
  readonly switchRows = new Map<string, SpendSwitch>();
  readonly keys = new Map<string, ApiKeyRecord>();
  readonly calls: string[] = [];
  failing: Error | undefined;
  readonly #listeners = new Set<(rows: readonly WrittenRow[], commit: number) => void>();
  #commits = 0;

  #read(what: string): void {
    this.calls.push(what);
    if (this.failing !== undefined) throw this.failing;
  }

  onWritten(listener: (rows: readonly WrittenRow[], commit: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  commit(rows: readonly WrittenRow[]): void {
    for (const row of rows) {
      switch (row.kind) {
        case 'run_opened':
          this.runRows.push(row.run);
          break;
        case 'run_finished':
          replace(this.runRows, row.run);
          break;
        case 'attempt_opened':
          this.attempts.push(row.attempt);
          break;
        case 'attempt_closed':
        case 'attempt_lowered':
          replace(this.attempts, row.attempt);
          break;
        case 'step':
          this.steps.push(row.step);
          break;
        case 'alert':
          this.alertRows.push(row.alert);
          break;
      }
    }
    this.#commits += 1;
    for (const listener of this.#listeners) listener(rows, this.#commits);
  }

  async run(id: string): Promise<RunRecord | undefined> {
    this.#read('run');
    return Promise.resolve(this.runRows.find((run) => run.id === id));
  }

  async runsById(ids: readonly string[]): Promise<ReadonlyMap<string, RunRecord>> {
    this.#read('runsById');
    return Promise.resolve(
      new Map(this.runRows.filter(({ id }) => ids.includes(id)).map((run) => [run.id, run])),
    );
  }

  async runs(filter: RunFilter, page: PageRequest): Promise<Page<RunRecord>> {
    this.#read('runs');
    const found = this.runRows.filter(
      (run) =>
        (filter.task === undefined || run.task === filter.task) &&
        (filter.caller === undefined || run.caller.name === filter.caller) &&
        (filter.status === undefined || run.status === filter.status) &&
        (filter.minCostNanoUsd === undefined || run.costNanoUsd >= filter.minCostNanoUsd) &&
        (filter.tag === undefined || run.tags[filter.tag.key] === filter.tag.value) &&
        (filter.startedFromMs === undefined || run.startedAtMs >= filter.startedFromMs) &&
        (filter.startedToMs === undefined || run.startedAtMs < filter.startedToMs),
    );
    return Promise.resolve(pageOf(found, page, ({ id }) => id));
  }

  async attemptsOf(runIds: readonly string[]): Promise<ReadonlyMap<string, readonly AttemptRecord[]>> {
    this.#read('attemptsOf');
    return Promise.resolve(
      new Map(runIds.map((id) => [id, this.attempts.filter(({ runId }) => runId === id)])),
    );
  }

  async stepsOf(runIds: readonly string[]): Promise<ReadonlyMap<string, readonly StepRecord[]>> {
    this.#read('stepsOf');
    return Promise.resolve(new Map(runIds.map((id) => [id, this.steps.filter(({ runId }) => runId === id)])));
  }

  async revisions(page: PageRequest): Promise<Page<RevisionRecord>> {
    this.#read('revisions');
    return Promise.resolve(pageOf(this.revisionRows, page, ({ hash }) => hash));
  }

  async revisionsByHash(hashes: readonly string[]): Promise<ReadonlyMap<string, RevisionRecord>> {
    this.#read('revisionsByHash');
    return Promise.resolve(
      new Map(this.revisionRows.filter(({ hash }) => hashes.includes(hash)).map((row) => [row.hash, row])),
    );
  }

  async alert(id: string): Promise<AlertRecord | undefined> {
    this.#read('alert');
    return Promise.resolve(this.alertRows.find((row) => row.id === id));
  }

  async acknowledgeAlert(id: string, by: string, atMs: number): Promise<void> {
    const at = this.alertRows.findIndex((row) => row.id === id && row.acknowledged === undefined);
    const row = this.alertRows[at];
    if (row !== undefined) this.alertRows[at] = { ...row, acknowledged: { by, atMs } };
    await Promise.resolve();
  }

  async alerts(page: PageRequest): Promise<Page<AlertRecord>> {
    this.#read('alerts');
    return Promise.resolve(pageOf(this.alertRows, page, ({ id }) => id));
  }

  async switches(): Promise<readonly SpendSwitch[]> {
    this.#read('switches');
    return Promise.resolve([...this.switchRows.values()]);
  }

  async apiKeys(): Promise<readonly ApiKeyRecord[]> {
    this.#read('apiKeys');
    return Promise.resolve([...this.keys.values()]);
  }

  async unreconciled(): Promise<readonly AttemptRecord[]> {
    this.#read('unreconciled');
    return Promise.resolve(this.attempts.filter(({ status }) => status === 'unreconciled'));
  }

  async estimates(sinceMs: number, limit: number): Promise<readonly AttemptRecord[]> {
    this.#read('estimates');
    const estimated = this.attempts.filter((one) => one.estimated && one.startedAtMs >= sinceMs);
    return Promise.resolve(estimated.slice(0, limit));
  }

  async recordRevision(revision: RevisionRecord): Promise<void> {
    this.revisionRows.push(revision);
    await Promise.resolve();
  }

  async setSwitch(record: SpendSwitch): Promise<void> {
    this.switchRows.set(record.scope, record);
    await Promise.resolve();
  }

  async clearSwitch(scope: string): Promise<void> {
    this.switchRows.delete(scope);
    await Promise.resolve();
  }

  async saveApiKey(key: ApiKeyRecord): Promise<void> {
    this.keys.set(key.id, key);
    await Promise.resolve();
  }

  async revokeApiKey(id: string, atMs: number): Promise<void> {
    const key = this.keys.get(id);
    if (key !== undefined) this.keys.set(id, { ...key, revokedAtMs: atMs });
    await Promise.resolve();
  }

  touchApiKey(id: string, atMs: number): void {
    const key = this.keys.get(id);
    if (key !== undefined) this.keys.set(id, { ...key, lastUsedAtMs: atMs });
  }

  async reconcile(id: string, verdict: Parameters<LedgerAdmin['reconcile']>[1]): Promise<AttemptRecord> {
    const found = this.attempts.find((one) => one.id === id && one.status === 'unreconciled');
    if (found === undefined)
      throw new HeadgateError('ATTEMPT_UNKNOWN', `There is no attempt ${id}.`, 'List them.');
    const decided: AttemptRecord =
      verdict.kind === 'release'
        ? { ...found, status: 'cancelled', costNanoUsd: 0n }
        : { ...found, status: 'failed', costNanoUsd: verdict.costNanoUsd ?? found.heldNanoUsd };
    replace(this.attempts, decided);
    return Promise.resolve(decided);
  }
}

function replace<Row extends { readonly id: string }>(rows: Row[], row: Row): void {
  const at = rows.findIndex(({ id }) => id === row.id);
  if (at < 0) rows.push(row);
  else rows[at] = row;
}

/** Rows are kept oldest first and shown newest first. */
function pageOf<Row>(rows: readonly Row[], page: PageRequest, idOf: (row: Row) => string): Page<Row> {
  let shown = [...rows].reverse();
  if (page.after !== undefined) shown = shown.slice(shown.findIndex((row) => idOf(row) === page.after) + 1);
  if (page.before !== undefined)
    shown = shown.slice(
      0,
      shown.findIndex((row) => idOf(row) === page.before),
    );
  const kept =
    page.backwards === true
      ? shown.slice(Math.max(0, shown.length - page.limit))
      : shown.slice(0, page.limit);
  return { rows: kept, hasMore: shown.length > kept.length };
}

/** What a task does in these tests: given its request, a result; or its output. */
export type Behaviour = (request: RunRequest, events: (event: RunEvent) => void) => Ended | Promise<Ended>;
type Ended = RunResult | { readonly output: Json };

export class MemoryEngine implements Engine {
  readonly requests: RunRequest[] = [];
  behaviour: Behaviour = () => ({ output: { text: 'short', sentences: ['short'] } });
  readonly #ledger: MemoryLedger;
  readonly #clock: Clock;
  readonly #listeners = new Map<string, Set<(event: RunEvent) => void>>();
  #running = 0;

  constructor(ledger: MemoryLedger, clock: Clock) {
    this.#ledger = ledger;
    this.#clock = clock;
  }

  async run(request: RunRequest): Promise<RunResult> {
    this.requests.push(request);
    this.#running += 1;
    const run = this.open(request);
    const tell = (event: RunEvent): void => {
      request.onEvent?.(event);
      for (const listener of this.#listeners.get(run.id) ?? []) listener(event);
    };
    try {
      tell({ type: 'queued', runId: run.id, atMs: run.startedAtMs });
      const outcome = await this.behaviour(request, (event) => tell({ ...event, runId: run.id }));
      if ('kind' in outcome) return outcome;
      const tried = attempt(run.id, { caller: request.caller.name, task: request.task });
      const finished: RunRecord = {
        ...run,
        status: 'succeeded',
        output: outcome.output,
        costNanoUsd: tried.costNanoUsd,
        finishedAtMs: this.#clock.nowMs(),
        latencyMs: 12.5,
      };
      const step: StepRecord = {
        runId: run.id,
        key: 'main',
        kind: 'model',
        status: 'succeeded',
        startedAtMs: run.startedAtMs,
        finishedAtMs: finished.finishedAtMs,
        output: outcome.output,
        error: null,
      };
      this.#ledger.commit([
        { kind: 'attempt_closed', attempt: tried },
        { kind: 'step', step },
        { kind: 'run_finished', run: finished },
      ]);
      const result: RunResult = {
        kind: 'run',
        snapshot: { run: finished, steps: [step], attempts: [tried] },
      };
      tell({ type: 'settled', runId: run.id, atMs: this.#clock.nowMs(), attempt: tried });
      tell({ type: 'finished', runId: run.id, atMs: this.#clock.nowMs(), result });
      return result;
    } finally {
      this.#running -= 1;
    }
  }

  open(
    request: Pick<RunRequest, 'task' | 'input' | 'caller' | 'options'>,
    overrides: Partial<RunRecord> = {},
  ): RunRecord {
    const { caller, options } = request;
    const run: RunRecord = {
      id: newId('run', this.#clock, Math.random),
      task: request.task,
      revision: 'a'.repeat(64),
      taskRevision: `${request.task}-revision`,
      status: 'running',
      caller: { name: caller.name, team: caller.team, tier: caller.tier },
      tags: { ...caller.tags, ...options?.tags },
      idempotencyKey: options?.idempotencyKey ?? null,
      parentRunId: null,
      durable: false,
      continuation: null,
      input: request.input,
      inputHash: 'h',
      output: null,
      error: null,
      costNanoUsd: 0n,
      savedNanoUsd: 0n,
      cached: false,
      startedAtMs: this.#clock.nowMs(),
      finishedAtMs: null,
      latencyMs: null,
      ...overrides,
    };
    this.#ledger.commit([{ kind: 'run_opened', run }]);
    return run;
  }

  start: Engine['start'] = async (request) => {
    this.requests.push(request);
    return Promise.resolve({
      kind: 'started',
      run: this.open(request, { status: 'queued', durable: true }),
    });
  };

  dryRun: Engine['dryRun'] = async (request) => {
    this.requests.push(request);
    const { decision } = attempt('run_dry');
    return Promise.resolve({
      kind: 'dry_run',
      dryRun: {
        task: request.task,
        steps: [{ step: 'main', decision, holdNanoUsd: 9000n }],
        holdNanoUsd: 9000n,
      },
    });
  };

  cancel: Engine['cancel'] = async (runId) => {
    const run = this.#ledger.runRows.find(({ id }) => id === runId);
    if (run === undefined || run.finishedAtMs !== null) return Promise.resolve(false);
    this.#ledger.commit([
      { kind: 'run_finished', run: { ...run, status: 'cancelled', finishedAtMs: this.#clock.nowMs() } },
    ]);
    return true;
  };

  subscribe(runId: string, listener: (event: RunEvent) => void): () => void {
    const listeners = this.#listeners.get(runId) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(runId, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(runId);
    };
  }

  /** An event of a run, as the engine would tell it. */
  tell(event: RunEvent): void {
    for (const listener of this.#listeners.get(event.runId) ?? []) listener(event);
  }

  get listenedTo(): number {
    return this.#listeners.size;
  }

  running(): number {
    return this.#running;
  }

  resume(): Promise<number> {
    return Promise.resolve(0);
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }
}

const EMPTY_BUCKET: CostBucket = {
  costNanoUsd: 0n,
  savedNanoUsd: 0n,
  runs: 0,
  attempts: 0,
  errors: 0,
  inputTokens: 0n,
  cachedInputTokens: 0n,
  outputTokens: 0n,
  cacheWriteTokens: 0n,
  reasoningTokens: 0n,
  estimatedNanoUsd: 0n,
  cachedRuns: 0,
  latencyP50Ms: null,
  latencyP95Ms: null,
  latencyP99Ms: null,
  firstTokenP50Ms: null,
  perMinute: [],
};

const unasked = (): Promise<never> => Promise.reject(new Error('these statistics have no spans'));

/** Sums over the ledger's rows, computed when asked. */
export class MemoryStats {
  readonly queries: Parameters<GraphqlServices['stats']['costStats']>[0][] = [];
  readonly #ledger: MemoryLedger;
  readonly #clock: Clock;
  #version = 0;

  constructor(ledger: MemoryLedger, clock: Clock) {
    this.#ledger = ledger;
    this.#clock = clock;
    ledger.onWritten(() => {
      this.#version += 1;
    });
  }

  /** Spans are read from a real ledger in their own tests. */
  spend = unasked;
  savings = unasked;
  pace = unasked;
  costChange = unasked;
  forecast = (): Promise<null> => Promise.resolve(null);

  version(): number {
    return this.#version;
  }

  onChange(listener: () => void): () => void {
    return this.#ledger.onWritten(() => listener());
  }

  async costStats(query: Parameters<GraphqlServices['stats']['costStats']>[0]): Promise<CostStats> {
    this.queries.push(query);
    const attempts = this.#ledger.attempts.filter(
      (one) =>
        (query.filter?.caller === undefined || one.caller === query.filter.caller) &&
        (query.filter?.task === undefined || one.task === query.filter.task),
    );
    const runs = this.#ledger.runRows.filter(
      (run) => query.filter?.caller === undefined || run.caller.name === query.filter.caller,
    );
    const total = {
      ...EMPTY_BUCKET,
      runs: runs.length,
      attempts: attempts.length,
      costNanoUsd: attempts.reduce((sum, one) => sum + one.costNanoUsd, 0n),
    };
    const groups =
      (query.by ?? []).length === 0
        ? []
        : [{ keys: [{ dimension: 'TASK' as const, value: 'summarize' }], bucket: total }];
    return Promise.resolve({ atMs: this.#clock.nowMs(), window: query.window, total, groups });
  }
}

export class MemoryRevisions {
  readonly #listeners = new Set<(result: ReloadResult) => void>();
  #active: Revision;
  refusedRecord: RevisionRecord | null = null;
  next: ReloadResult | undefined;

  constructor(plan: Plan) {
    this.#active = { plan, record: revisionRecord(plan.hash) };
  }

  changesBetween = (): Promise<null> => Promise.resolve(null);
  textOf = (): null => null;

  active(): Revision {
    return this.#active;
  }

  refused(): RevisionRecord | null {
    return this.refusedRecord;
  }

  reload(): Promise<ReloadResult> {
    return Promise.resolve(this.next ?? { kind: 'unchanged', revision: this.#active });
  }

  readonly asked: string[] = [];

  activate(name: string, by: string): Promise<ReloadResult> {
    this.asked.push(`activate ${name} by ${by}`);
    this.#active = { ...this.#active, record: { ...this.#active.record, pinned: true } };
    return this.reload();
  }

  release(by: string): Promise<ReloadResult> {
    this.asked.push(`release by ${by}`);
    this.#active = { ...this.#active, record: { ...this.#active.record, pinned: false } };
    return this.reload();
  }

  swap(plan: Plan): void {
    const previous = this.#active;
    this.#active = { plan, record: revisionRecord(plan.hash) };
    for (const listener of this.#listeners)
      listener({ kind: 'activated', revision: this.#active, previous, warnings: [] });
  }

  onChange(listener: (result: ReloadResult) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export interface TestServices {
  readonly services: GraphqlServices & { readonly keys: KeyRing };
  readonly ledger: MemoryLedger;
  readonly engine: MemoryEngine;
  readonly stats: MemoryStats;
  readonly revisions: MemoryRevisions;
  readonly keys: KeyRing;
  readonly budgets: BudgetView[];
  readonly providers: {
    statuses: ProviderStatus[];
    readonly resets: string[];
    change: (name: string) => void;
  };
}

const BUILTIN: ProviderStatus = {
  name: 'builtin',
  adapter: 'builtin',
  unavailable: null,
  models: [
    {
      key: 'builtin/extract',
      model: 'extract',
      circuit: 'closed',
      circuitRetryAfterMs: 0,
      inFlight: 0,
      queued: 0,
      latencyMs: 11,
      latencyP95Ms: 20,
      firstTokenMs: null,
      requestHeadroom: null,
      tokenHeadroom: null,
      rateClosedForMs: 0,
    },
  ],
};

export async function createTestServices(
  options: { readonly plan?: Plan; readonly clock?: Clock } = {},
): Promise<TestServices> {
  const { plan = examplePlan(), clock = systemClock } = options;
  const ledger = new MemoryLedger();
  const engine = new MemoryEngine(ledger, clock);
  const stats = new MemoryStats(ledger, clock);
  const revisions = new MemoryRevisions(plan);
  ledger.revisionRows.push(revisions.active().record);
  const keys = await KeyRing.open({ ledger, clock });
  const budgets: BudgetView[] = [];
  const switches = new Map<string, SpendSwitch>();
  const changed = new Set<(name: string) => void>();
  const providers: TestServices['providers'] = {
    statuses: [BUILTIN],
    resets: [],
    change: (name) => {
      for (const listener of changed) listener(name);
    },
  };
  const services: TestServices['services'] = {
    clock,
    engine,
    ledger,
    written: ledger,
    stats,
    budgets: { views: () => budgets },
    guards: {
      pause: (scope, reason, by) => {
        const pulled: SpendSwitch = { scope, reason, by, sinceMs: clock.nowMs() };
        switches.set(scope, pulled);
        return pulled;
      },
      resume: (scope) => {
        const found = switches.get(scope);
        switches.delete(scope);
        return found;
      },
      switches: () => [...switches.values()],
    },
    providers: {
      list: () => providers.statuses,
      get: (name) => providers.statuses.find((one) => one.name === name),
      resetCircuit: (name) => {
        providers.resets.push(name);
        return providers.statuses.some((one) => one.name === name);
      },
      onChange: (listener) => {
        changed.add(listener);
        return () => changed.delete(listener);
      },
    },
    revisions,
    adjustSpend: () => Promise.reject(new Error('this ledger is in memory')),
    testAlerts: () => Promise.resolve([]),
    keys,
    live: { stats: new LiveStats(stats, clock), runs: new RunJournals() },
  };
  return { services, ledger, engine, stats, revisions, keys, budgets, providers };
}
