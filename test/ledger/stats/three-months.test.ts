// Three months of traffic with four known causes: each is found, and laid to its commit and its line.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/common/clock.ts';
import { costOf } from '../../../src/engine/routing/cost.ts';
import { canonicalPlanText, encodePlan } from '../../../src/language/plan/encode.ts';
import type { Plan } from '../../../src/language/plan/types.ts';
import { openLedger } from '../../../src/ledger/open.ts';
import type { Ledger } from '../../../src/ledger/open.ts';
import { createSpanStats } from '../../../src/ledger/stats/spans.ts';
import type { CostChange, SpanStats } from '../../../src/ledger/stats/port.ts';
import { changedLines } from '../../../src/revisions/changed-lines.ts';
import { compileFiles } from '../../../src/revisions/compile.ts';
import type { WorkflowFile } from '../../../src/revisions/port.ts';
import { START_MS, finish, makeAttempt, makeRun, settle } from '../../support/ledger-records.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS = 90;
const FIRST_MS = START_MS - DAYS * DAY_MS;

function files(options: { price: string; from: string; prompt: string }): WorkflowFile[] {
  return [
    {
      path: 'workflows/headgate.yaml',
      text: `headgate: 1
baseline: openai/gpt-large
providers:
  openai: { adapter: openai, apiKey: "\${{ secrets.OPENAI_API_KEY }}" }
models:
  openai/gpt-large: { price: { input: ${options.price}, output: $10 }, context: 100000 }
  openai/gpt-small: { price: { input: $0.5, output: $2 }, context: 100000 }
routes:
  default: { from: [${options.from}] }
`,
    },
    {
      path: 'workflows/summarize.yaml',
      text: `task: summarize
input:
  text: string
steps:
  summary:
    prompt: ${options.prompt}
output: \${{ steps.summary.text }}
`,
    },
    {
      path: 'workflows/classify.yaml',
      text: `task: classify
input:
  text: string
steps:
  label:
    prompt: Which of a, b or c is it? \${{ input.text }}
output: \${{ steps.label.text }}
`,
    },
  ];
}

const FIRST = { price: '$2', from: 'openai/gpt-large', prompt: 'Sum up. ${{ input.text }}' };
/** From which day, the commit, what it says, and how many input tokens a summary then has. */
const COMMITS = [
  { day: 0, commit: 'a'.repeat(40), source: files(FIRST), inputTokens: 900 },
  { day: 20, commit: 'b'.repeat(40), source: files({ ...FIRST, price: '$3' }), inputTokens: 900 },
  {
    day: 45,
    commit: 'c'.repeat(40),
    source: files({
      ...FIRST,
      price: '$3',
      prompt: 'Sum up, with every detail and example that there is. ${{ input.text }}',
    }),
    inputTokens: 1500,
  },
  {
    day: 70,
    commit: 'd'.repeat(40),
    source: files({
      price: '$3',
      from: 'openai/gpt-small',
      prompt: 'Sum up, with every detail and example that there is. ${{ input.text }}',
    }),
    inputTokens: 1500,
  },
] as const;
/** A loop of one caller, for three hours of one day. */
const LOOP_DAY = 85;
const LOOP_RUNS = 60;

const folder = mkdtempSync(join(tmpdir(), 'headgate-months-'));
const nowMs = FIRST_MS + DAYS * DAY_MS;
let ledger: Ledger;
let stats: SpanStats;
const plans: Plan[] = [];
const rows: {
  readonly atMs: number;
  readonly task: string;
  readonly caller: string;
  readonly costNanoUsd: bigint;
}[] = [];

beforeAll(async () => {
  const clock = { ...systemClock, nowMs: () => nowMs };
  ledger = await openLedger({
    path: join(folder, 'headgate.db'),
    synchronous: 'normal',
    clock,
    writer: 'inline',
  });
  stats = createSpanStats(ledger, clock);
  for (const { day, commit, source } of COMMITS) {
    const { plan, problems } = await compileFiles(source, { env: { OPENAI_API_KEY: 'x' } });
    if (plan === null) throw new Error(JSON.stringify(problems));
    plans.push(plan);
    await ledger.recordRevision(
      {
        hash: plan.hash,
        commit,
        author: 'Ana <ana@example.com>',
        subject: `day ${day}`,
        dirty: false,
        source: 'directory workflows',
        compiledAtMs: FIRST_MS + day * DAY_MS,
        activeFromMs: FIRST_MS + day * DAY_MS,
        activeToMs: null,
        problems: [],
        pinned: false,
      },
      encodePlan(plan),
    );
  }
  let number = 0;
  const waiting: Promise<unknown>[] = [];
  const spend = (atMs: number, task: string, caller: string, index: number): void => {
    const plan = plans[index];
    const model = plan?.tasks[task]?.steps.flatMap((step) =>
      step.kind === 'model'
        ? step.route.rules.flatMap(({ candidates }) => candidates.map((each) => each.model))
        : [],
    )[0];
    const known = plan?.models[model ?? ''];
    if (plan === undefined || known === undefined) throw new Error('there is a plan');
    const run = makeRun(`run_${(number += 1)}`, {
      task,
      caller: { name: caller, team: null, tier: null },
      revision: plan.hash,
      startedAtMs: atMs,
    });
    const usage = {
      inputTokens: task === 'summarize' ? (COMMITS[index]?.inputTokens ?? 0) : 300,
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: 120,
      reasoningTokens: 0,
    };
    const costNanoUsd = costOf(known.price, usage);
    const attempt = makeAttempt(`att_${number}`, run, {
      requestedModel: known.model,
      rates: canonicalPlanText(known.price),
    });
    rows.push({ atMs, task, caller, costNanoUsd });
    waiting.push(
      ledger.openRun(run),
      ledger.openAttempt(attempt),
      ledger.closeAttempt(settle(attempt, { ...usage, costNanoUsd }), null),
      ledger.finishRun(finish(run, { costNanoUsd })),
    );
  };
  for (let hour = 0; hour < DAYS * 24; hour += 2) {
    const day = Math.floor(hour / 24);
    const index = COMMITS.findLastIndex((commit) => commit.day <= day);
    const atMs = FIRST_MS + hour * HOUR_MS;
    spend(atMs + 1000, 'summarize', hour % 4 === 0 ? 'ana' : 'bob', index);
    spend(atMs + 2000, 'classify', 'bob', index);
    if (day === LOOP_DAY && hour % 24 < 6)
      for (let again = 0; again < LOOP_RUNS / 3; again += 1)
        spend(atMs + 5000 + again, 'classify', 'mallory', index);
  }
  await Promise.all(waiting);
});

afterAll(async () => {
  await ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

const days = (from: number, to: number) => ({
  fromMs: FIRST_MS + from * DAY_MS,
  toMs: FIRST_MS + to * DAY_MS,
});
const commitOf = (hash: string | null): string | undefined =>
  COMMITS[plans.findIndex((plan) => plan.hash === hash)]?.commit;
/** The largest: cause, commit. */
function largest({ byRevision }: CostChange): readonly unknown[] {
  const [first] = byRevision;
  return [first?.byCause[0]?.cause, commitOf(first?.revision ?? null), first?.byCause.length];
}

function expectExact(change: CostChange): void {
  const sum = (parts: readonly { readonly amountNanoUsd: bigint }[]): bigint =>
    parts.reduce((all, { amountNanoUsd }) => all + amountNanoUsd, 0n);
  const inside = ({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): bigint =>
    rows.reduce((all, row) => (row.atMs >= fromMs && row.atMs < toMs ? all + row.costNanoUsd : all), 0n);
  const [from] = change.from;
  if (from === undefined) throw new Error('there is a span to compare with');
  // The numbers are those of a count over the rows.
  expect(change.fromNanoUsd).toBe(inside(from));
  expect(change.toNanoUsd).toBe(inside(change.to));
  expect(sum(change.byCause)).toBe(change.changeNanoUsd);
  expect(sum(change.byRevision)).toBe(change.changeNanoUsd);
  for (const of of change.byRevision) expect(sum(of.byCause)).toBe(of.amountNanoUsd);
  for (const group of change.groups) expect(sum(group.byCause)).toBe(group.changeNanoUsd);
  expect(change.groups.reduce((all, group) => all + group.changeNanoUsd, 0n)).toBe(change.changeNanoUsd);
}

describe('three months with known causes', () => {
  it('lays a new price to its commit, and to nothing else', async () => {
    const change = await stats.costChange({ from: days(10, 20), to: days(20, 30), by: ['TASK'] });
    expectExact(change);
    expect(largest(change)).toEqual(['price', COMMITS[1].commit, 1]);
    expect(change.byRevision).toHaveLength(1);
    const lines = changedLines(COMMITS[0].source, COMMITS[1].source);
    expect(lines).toMatchObject([
      { file: 'workflows/headgate.yaml', line: 6, after: expect.stringContaining('$3') },
    ]);
  });

  it('lays a prompt that grew to its commit, in the task whose prompt it is', async () => {
    const change = await stats.costChange({ from: days(35, 45), to: days(45, 55), by: ['TASK'] });
    expectExact(change);
    expect(largest(change)).toEqual(['input_tokens', COMMITS[2].commit, 1]);
    expect(
      change.groups.filter(({ changeNanoUsd }) => changeNanoUsd !== 0n).map(({ keys }) => keys[0]?.value),
    ).toEqual(['summarize']);
    expect(changedLines(COMMITS[1].source, COMMITS[2].source)).toMatchObject([
      { file: 'workflows/summarize.yaml', line: 6 },
    ]);
  });

  it('lays a new route to its commit', async () => {
    const change = await stats.costChange({ from: days(60, 70), to: days(70, 80) });
    expectExact(change);
    expect(largest(change)).toEqual(['route', COMMITS[3].commit, 1]);
    expect(change.changeNanoUsd).toBeLessThan(0n);
    expect(changedLines(COMMITS[2].source, COMMITS[3].source)).toMatchObject([
      { file: 'workflows/headgate.yaml', line: 9 },
    ]);
  });

  it('finds a loop as volume of its caller, laid to no commit, against the usual too', async () => {
    const to = days(LOOP_DAY, LOOP_DAY + 1);
    const change = await stats.costChange({ from: days(84, 85), to, by: ['CALLER'] });
    expectExact(change);
    expect(largest(change)).toEqual(['volume', undefined, 1]);
    expect(change.groups[0]).toMatchObject({ keys: [{ value: 'mallory' }], byCause: [{ cause: 'volume' }] });
    const usual = await stats.costChange({ to, by: ['CALLER'] });
    expect(usual.from).toHaveLength(4);
    expect(usual.groups.find(({ keys }) => keys[0]?.value === 'mallory')?.byCause).toEqual([
      { cause: 'volume', amountNanoUsd: change.groups[0]?.changeNanoUsd },
    ]);
    expect(usual.byCause.reduce((sum, { amountNanoUsd }) => sum + amountNanoUsd, 0n)).toBe(
      usual.changeNanoUsd,
    );
  });

  it('keeps several causes of one month apart', async () => {
    const change = await stats.costChange({ from: days(0, 30), to: days(60, 90), by: ['TASK'] });
    expectExact(change);
    expect(new Set(change.byRevision.map(({ revision }) => commitOf(revision)))).toEqual(
      new Set([COMMITS[1].commit, COMMITS[2].commit, COMMITS[3].commit, undefined]),
    );
    const causes = Object.fromEntries(
      change.byRevision.map(({ revision, byCause }) => [
        commitOf(revision)?.[0] ?? '-',
        byCause.map(({ cause }) => cause),
      ]),
    );
    expect(causes).toEqual({ '-': ['volume'], b: ['price'], c: ['input_tokens'], d: ['route'] });
  });
});
