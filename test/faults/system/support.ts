// What the system tests share: a folder of workflows whose prompts carry marks, a GraphQL client, and the checks that hold after every fault.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { openApp } from '../../../src/app.ts';
import { serveApp } from '../../../src/serve.ts';
import type { App, AppOptions } from '../../../src/app.ts';
import { parseUsd } from '../../../src/common/money.ts';
import type { AttemptRecord, RunRecord } from '../../../src/engine/execution/records.ts';
import { openLedgerReader } from '../../../src/ledger/open.ts';
import type { ReadOnlyLedger } from '../../../src/ledger/open.ts';
import type { CountingUpstream } from '../../support/counting-upstream.ts';
import { serve } from '../../support/served.ts';
import type { Served, ServeOptions } from '../../support/served.ts';

export const DATABASE = 'headgate.db';

/** More tokens of input than the upstream bills, so that an estimate is never below the bill. */
const FILLER =
  'Say in a few words what the river did to the fields, the mill, the bridge and the road below the village in that spring.';

export interface WorkflowOptions {
  /** Lines below `budgets:`. */
  readonly budgets?: readonly string[];
  /** Lines below `guards:`; none by default. */
  readonly guards?: readonly string[];
  /** The policy of all providers, as flow YAML. */
  readonly policy?: string;
  /** Candidates in order; default the first upstream alone. */
  readonly from?: string;
  /** More task files, by name. */
  readonly tasks?: { readonly [name: string]: string };
}

const POLICY = [
  'timeout: 10s',
  'firstToken: 5s',
  'stall: 5s',
  'retry: { attempts: 2, initialDelay: 10ms, maxDelay: 50ms }',
  'circuitBreaker: { threshold: 100%, minimumCalls: 10000, window: 1s, halfOpenAfter: 1s }',
  'bulkhead: { concurrent: 200, queue: 5000 }',
].join(', ');

export function projectYaml(options: WorkflowOptions = {}): string {
  const { budgets = ['company: { limit: $100, per: day, then: reject }'], guards = [] } = options;
  return `headgate: 1
providers:
  up: { adapter: openai, baseUrl: "\${{ env.UP_URL }}", apiKey: "\${{ secrets.UP_KEY }}", policy: test }
  other: { adapter: anthropic, baseUrl: "\${{ env.OTHER_URL }}", apiKey: "\${{ secrets.UP_KEY }}", policy: test }
models:
  up/small: { context: 32k, price: { input: $1, output: $4 } }
  other/large: { context: 32k, price: { input: $3, output: $15 } }
policies:
  test: { ${options.policy ?? POLICY} }
routes:
  default:
    - from: ${options.from ?? '[up/small]'}
budgets:
${budgets.map((line) => `  ${line}`).join('\n')}
${guards.length === 0 ? '' : `guards:\n${guards.map((line) => `  ${line}`).join('\n')}\n`}`;
}

const ALLOWANCE = 'allowance: { deadline: 60s, attempts: 200 }';

/** One call. */
const SINGLE = `task: single
input: { mark: string }
${ALLOWANCE}
steps:
  only:
    prompt: "[\${{ input.mark }}:only] ${FILLER}"
    maxOutputTokens: 60
`;

/** Three calls, each after the one before it, and two beside each other. */
const TRAIL = `task: trail
input: { mark: string }
${ALLOWANCE}
steps:
  one:
    prompt: "[\${{ input.mark }}:one] ${FILLER}"
    maxOutputTokens: 60
  two:
    prompt: "[\${{ input.mark }}:two] \${{ steps.one.text }} ${FILLER}"
    maxOutputTokens: 60
  three:
    prompt: "[\${{ input.mark }}:three] \${{ steps.two.text }} ${FILLER}"
    maxOutputTokens: 60
  beside:
    prompt: "[\${{ input.mark }}:beside] \${{ steps.one.text }} ${FILLER}"
    maxOutputTokens: 60
output:
  text: \${{ steps.three.text }} \${{ steps.beside.text }}
`;

/** Items side by side, then a task of its own, then a call that reads both. */
const FAMILY = `task: family
input: { mark: string }
${ALLOWANCE}
steps:
  items:
    each: \${{ ["a", "b", "c", "d"] }}
    as: item
    concurrent: 2
    prompt: "[\${{ input.mark }}-\${{ item }}:items] ${FILLER}"
    maxOutputTokens: 60
  child:
    task: single
    input: { mark: "\${{ input.mark }}-child" }
  last:
    prompt: "[\${{ input.mark }}:last] \${{ steps.child.text }} \${{ size(steps.items) }} ${FILLER}"
    maxOutputTokens: 60
`;

/** A folder of workflows; removed after the test. */
export function workflowFolder(options: WorkflowOptions = {}): string {
  const folder = temporary('headgate-system-');
  writeFileSync(join(folder, 'headgate.yaml'), projectYaml(options));
  for (const [name, text] of Object.entries({
    single: SINGLE,
    trail: TRAIL,
    family: FAMILY,
    ...options.tasks,
  }))
    writeFileSync(join(folder, `${name}.yaml`), text);
  return folder;
}

export function temporary(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A server process on these workflows and upstreams; killed at the end of a test that has not stopped it. */
export async function serveFor(
  upstream: Pick<CountingUpstream, 'openaiUrl' | 'url'>,
  {
    flags = [],
    other = upstream,
    ...options
  }: ServeOptions & { readonly other?: Pick<CountingUpstream, 'url'> },
): Promise<Served> {
  let pid: number | undefined;
  onTestFinished(() => {
    if (pid !== undefined) killQuietly(pid);
  });
  const served = await serve({
    ...options,
    flags,
    env: { UP_URL: upstream.openaiUrl, OTHER_URL: other.url, UP_KEY: 'sk-test', ...options.env },
    onSpawn: (spawned) => {
      pid = spawned;
      options.onSpawn?.(spawned);
    },
  });
  return served;
}

export interface Hosted {
  readonly url: string;
  readonly app: App;
  readonly dataDirectory: string;
  readonly workflows: string;
  /** Also at the end of the test. */
  close(): Promise<void>;
}

/** The same server in this process: for faults that need no process of its own, or a clock. */
export async function hostFor(
  upstream: Pick<CountingUpstream, 'openaiUrl' | 'url'>,
  options: Partial<AppOptions> & {
    readonly other?: Pick<CountingUpstream, 'url'>;
    readonly workflow?: WorkflowOptions;
  } = {},
): Promise<Hosted> {
  const { other = upstream, workflow = {}, ...appOptions } = options;
  const workflows =
    typeof appOptions.workflows === 'string' ? appOptions.workflows : workflowFolder(workflow);
  const dataDirectory = appOptions.dataDirectory ?? temporary('headgate-data-');
  const app = await openApp({
    env: { UP_URL: upstream.openaiUrl, OTHER_URL: other.url, UP_KEY: 'sk-test' },
    ...appOptions,
    workflows,
    dataDirectory,
  });
  const server = await serveApp(app, { port: 0, mode: 'development', watch: false });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      await server.close(100);
      await app.close(100);
    })());
  onTestFinished(close);
  return { url: server.url, app, dataDirectory, workflows, close };
}

/** The events of a subscription over SSE, until it ends or the caller goes away; `lastEventId`: that of the last one that the caller has. */
export async function* subscribe(
  url: string,
  query: string,
  variables: object,
  signal?: AbortSignal,
  lastEventId?: string,
): AsyncGenerator<Shown, void, undefined> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
    body: JSON.stringify({ query, variables }),
    ...(signal === undefined ? {} : { signal }),
  });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const data = /^data: (.+)$/m.exec(block)?.[1];
      if (data === undefined || !block.includes('event: next')) continue;
      const result = JSON.parse(data) as { readonly errors?: unknown };
      if (result.errors !== undefined) throw new Error(JSON.stringify(result.errors));
      yield result;
    }
  }
}

export function killQuietly(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It had ended already.
  }
}

/** The shape is the operation's own; each test reads what it asked for without a cast a line. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Shown = any;

export interface Answer {
  readonly status: number;
  readonly data: Shown;
  readonly errors: readonly {
    readonly message: string;
    readonly extensions?: { readonly [key: string]: unknown };
  }[];
}

export async function ask(
  url: string,
  query: string,
  variables: object = {},
  options: { readonly signal?: AbortSignal; readonly key?: string } = {},
): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }),
    },
    body: JSON.stringify({ query, variables }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const text = await response.text();
  let parsed: { readonly data?: unknown; readonly errors?: Answer['errors'] };
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch {
    parsed = { errors: [{ message: text }] };
  }
  return { status: response.status, data: parsed.data ?? null, errors: parsed.errors ?? [] };
}

const RESULT = `__typename
  ... on Run { id status cost outputJson error { code } attempts { model status cost held } }
  ... on BudgetExceeded { code message remedy budget limit spent held needed resetsAt retryAfterMs }
  ... on SpendingPaused { code scope reason } ... on LoopDetected { code repeats retryAfterMs }
  ... on NoProviderAvailable { code message } ... on InvalidInput { code message }`;
export const RUN_SINGLE = `mutation ($mark: String!, $options: RunOptions) { runTask(task: { single: { mark: $mark } }, options: $options) { ${RESULT} } }`;
export const RUN_TRAIL = `mutation ($mark: String!, $options: RunOptions) { runTask(task: { trail: { mark: $mark } }, options: $options) { ${RESULT} } }`;
export const START_FAMILY = `mutation ($mark: String!, $options: RunOptions) { startTask(task: { family: { mark: $mark } }, options: $options) { __typename ... on Run { id status } } }`;
export const RUN_FAMILY = `mutation ($mark: String!, $options: RunOptions) { runTask(task: { family: { mark: $mark } }, options: $options) { ${RESULT} } }`;
export const START_TRAIL = `mutation ($mark: String!, $options: RunOptions) { startTask(task: { trail: { mark: $mark } }, options: $options) { __typename ... on Run { id status } } }`;
export const STREAM_SINGLE = `subscription ($mark: String!, $options: RunOptions) { streamTask(task: { single: { mark: $mark } }, options: $options) {
  __typename runId ... on RunText { delta } ... on RunTextRestarted { reason } ... on RunFinished { result { ${RESULT} } } } }`;
export const BUDGETS = '{ budgets { name limit spent held } }';
export const TOTALS =
  '{ costStats(window: ALL) { total { cost runs attempts } budgets { name spent held limit } } budgets { name spent held limit } }';

export interface Rows {
  readonly runs: readonly RunRecord[];
  /** By run. */
  readonly attempts: ReadonlyMap<string, readonly AttemptRecord[]>;
}

/** All rows, newest runs first, by a reader that takes no lock. */
export async function rowsOf(ledger: Pick<ReadOnlyLedger, 'runs' | 'attemptsOf'>): Promise<Rows> {
  const runs: RunRecord[] = [];
  for (;;) {
    const after = runs.at(-1)?.id;
    const page = await ledger.runs({}, { limit: 500, ...(after === undefined ? {} : { after }) });
    runs.push(...page.rows);
    if (!page.hasMore) break;
  }
  const attempts = new Map<string, readonly AttemptRecord[]>();
  for (let from = 0; from < runs.length; from += 500) {
    const ids = runs.slice(from, from + 500).map(({ id }) => id);
    for (const [id, rows] of await ledger.attemptsOf(ids)) attempts.set(id, rows);
  }
  return { runs, attempts };
}

/** Attempts by the mark that their prompts carry. */
function attemptsByMark({ runs, attempts }: Rows): ReadonlyMap<string, readonly AttemptRecord[]> {
  const byMark = new Map<string, AttemptRecord[]>();
  for (const run of runs) {
    const { mark } = (run.input ?? {}) as { readonly mark?: string };
    for (const attempt of attempts.get(run.id) ?? []) {
      // An item of `each` has its own mark in the prompt: `m1-b:items` is the second of `m1`.
      const item = /^(.+)\[(\d+)\]$/.exec(attempt.step);
      const key =
        item === null
          ? `${mark}:${attempt.step}`
          : `${mark}-${'abcd'[Number(item[2])] ?? ''}:${item[1] ?? ''}`;
      const known = byMark.get(key);
      if (known === undefined) byMark.set(key, [attempt]);
      else known.push(attempt);
    }
  }
  return byMark;
}

const isUnknown = ({ status }: AttemptRecord): boolean => status === 'open' || status === 'unreconciled';

/** INV-3: each billed call has a row of its own, settled or held; together they cover the invoice, mark by mark. */
export function expectNothingForgotten(upstream: CountingUpstream, rows: Rows): void {
  const byMark = attemptsByMark(rows);
  const forgotten: string[] = [];
  for (const [mark, billed] of upstream.billed()) {
    if (billed.calls === 0) continue;
    const attempts = byMark.get(mark) ?? [];
    const paid = attempts.filter((attempt) => isUnknown(attempt) || attempt.costNanoUsd > 0n);
    const covered = paid.reduce(
      (sum, attempt) => sum + (isUnknown(attempt) ? attempt.heldNanoUsd : attempt.costNanoUsd),
      0n,
    );
    if (paid.length < billed.calls || covered < billed.nanoUsd)
      forgotten.push(
        `${mark}: billed ${billed.calls} calls, ${billed.nanoUsd}; recorded ${paid.length}, ${covered}`,
      );
  }
  expect(forgotten).toEqual([]);
}

/** INV-5: of each step of a run at most one attempt completed it, and none was begun after that. */
export function expectNothingTwice({ runs, attempts }: Rows): void {
  const twice: string[] = [];
  for (const run of runs) {
    const doneAt = new Map<string, number>();
    for (const attempt of attempts.get(run.id) ?? []) {
      if (attempt.status !== 'succeeded') continue;
      if (doneAt.has(attempt.step)) twice.push(`${run.id} ${attempt.step}: completed twice`);
      doneAt.set(attempt.step, attempt.finishedAtMs ?? 0);
    }
    for (const attempt of attempts.get(run.id) ?? []) {
      const done = doneAt.get(attempt.step);
      if (done !== undefined && attempt.startedAtMs > done)
        twice.push(`${run.id} ${attempt.step}: called after its receipt`);
    }
  }
  expect(twice).toEqual([]);
}

export interface BudgetShown {
  readonly name: string;
  readonly limit: string;
  readonly spent: string;
  readonly held: string;
}

export function nano(text: string): bigint {
  const parsed = parseUsd(text);
  if (typeof parsed === 'bigint') return parsed;
  throw new Error(`${text} is no amount`);
}

/** INV-2, as anyone may see it. Gives what is spent and held of the budget. */
export function expectWithin(shown: readonly BudgetShown[], name = 'company'): bigint {
  const budget = shown.find((each) => each.name === name);
  if (budget === undefined) throw new Error(`no budget ${name} among ${JSON.stringify(shown)}`);
  const used = nano(budget.spent) + nano(budget.held);
  expect(used).toBeLessThanOrEqual(nano(budget.limit));
  return used;
}

/** Reads the rows of a data folder, whoever has it open. */
export async function withReader<Value>(
  dataDirectory: string,
  read: (ledger: ReadOnlyLedger) => Promise<Value>,
): Promise<Value> {
  const ledger = openLedgerReader(join(dataDirectory, DATABASE));
  try {
    return await read(ledger);
  } finally {
    await ledger.close();
  }
}

export async function expectVerified(dataDirectory: string): Promise<void> {
  const report = await withReader(dataDirectory, (ledger) => ledger.verify());
  expect(report.discrepancies).toEqual([]);
  expect(report.ok).toBe(true);
}
