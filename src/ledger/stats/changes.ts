// costChange: reads two spans, makes cells of them by task and revision, and asks what explains each step from one to the next.
import type { Clock } from '../../common/clock.ts';
import type { Recorder } from '../../engine/execution/recorder.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { decodePlan } from '../../language/plan/encode.ts';
import type { Plan, PlanStep, PlanTask } from '../../language/plan/types.ts';
import type { RollupReader } from '../open.ts';
import type { LedgerReader } from '../port.ts';
import type { GroupedSums } from '../rollup/group.ts';
import type { SpanRead, TimeSpan } from '../rollup/span.ts';
import type { SumName } from '../rollup/sums.ts';
import { shownSpan, spanOf } from './calendar.ts';
import { addedUse, costOfCell, effectsOf } from './cost-change.ts';
import type { SpanCell, CostEffect, ModelUse } from './cost-change.ts';
import type { CostCause, CostChange, CostChangeQuery, RevisionEffect } from './port.ts';

const WEEK_MS = 7 * 86_400_000;
const USUAL_WEEKS = 4;
/** After the dimensions that are asked for. */
const CELL_DIMENSIONS = ['TASK', 'MODEL', 'REVISION', 'STATUS'] as const;

export type ChangeReader = RollupReader & Pick<LedgerReader, 'revisionsByHash'> & Pick<Recorder, 'planText'>;

/** Sums by revision of one task in one group. */
type Cells = Map<string, MutableCell>;
interface MutableCell {
  runs: bigint;
  called: bigint;
  failedNanoUsd: bigint;
  readonly models: Map<string, ModelUse>;
}

export async function readCostChange(
  reader: ChangeReader,
  clock: Clock,
  { from, to, by = [], tagKey, filter = {} }: CostChangeQuery,
): Promise<CostChange> {
  if (by.includes('TAG') && tagKey === undefined)
    throw new HeadgateError(
      'SPAN_INVALID',
      'By TAG, a run with two tags would be counted twice, and the groups would not add up.',
      'Name one tag with tagKey.',
    );
  const nowMs = clock.nowMs();
  const after = spanOf(to, nowMs);
  const earlier = from === undefined ? usualSpans(shownSpan(after, nowMs)) : [spanOf(from, nowMs)];
  const grouping = { by: [...by, ...CELL_DIMENSIONS], filter, ...(tagKey === undefined ? {} : { tagKey }) };
  const read = (span: TimeSpan): SpanRead => ({
    ...span,
    grouping,
    latencies: false,
    sums: SUMS_OF_CELLS,
  });
  const { firstMs, answers } = await reader.spans([after, ...earlier].map(read));
  const isThere = (span: TimeSpan): boolean => firstMs !== null && span.fromMs >= firstMs;
  const used = earlier.map((span, index) => ({ span, answer: answers[index + 1] }));
  // A week in which nothing was counted yet is no week to be compared with.
  const compared = from === undefined ? used.filter(({ span }) => isThere(span)) : used;
  const share = BigInt(Math.max(1, compared.length));

  const before = cellsOf(
    compared.flatMap(({ answer }) => answer?.groups ?? []),
    by.length,
  );
  const now = cellsOf(answers[0]?.groups ?? [], by.length);
  const hashes = new Set([...revisionsOf(before), ...revisionsOf(now)]);
  const plans = await readPlans(reader, hashes);
  const order = await orderOf(reader, hashes);

  const groups = new Map<
    string,
    { readonly values: readonly string[]; effects: CostEffect[]; from: bigint; to: bigint }
  >();
  for (const name of new Set([...before.keys(), ...now.keys()])) {
    const values = JSON.parse(name) as string[];
    const task = values.at(-1) ?? '';
    const group = values.slice(0, -1);
    const side = (cells: Cells | undefined): SpanCell[] =>
      [...(cells ?? [])]
        .sort(([a], [b]) => order(a) - order(b) || (a < b ? -1 : 1))
        .map(([revision, cell]) => ({
          ...cell,
          revision,
          priceOf: (model) => plans.get(revision)?.models[model]?.price,
        }));
    const [fromCells, toCells] = [side(before.get(name)), side(now.get(name))];
    const effects = effectsOf({ cells: fromCells, share }, { cells: toCells, share: 1n }, (a, b) =>
      explainedBy(plans.get(a), plans.get(b), task),
    );
    const known = groups.get(JSON.stringify(group)) ?? { values: group, effects: [], from: 0n, to: 0n };
    groups.set(JSON.stringify(group), known);
    known.effects.push(...effects);
    known.from += costOf(fromCells) / share;
    known.to += costOf(toCells);
  }
  const sums = [...groups.values()].map(({ values, effects, from: fromNanoUsd, to: toNanoUsd }) => ({
    keys: by.map((dimension, index) => ({ dimension, value: values[index] ?? '' })),
    fromNanoUsd,
    toNanoUsd,
    changeNanoUsd: toNanoUsd - fromNanoUsd,
    byCause: causesOf(effects),
  }));
  const all = [...groups.values()].flatMap(({ effects }) => effects);
  const fromNanoUsd = sums.reduce((sum, group) => sum + group.fromNanoUsd, 0n);
  const toNanoUsd = sums.reduce((sum, group) => sum + group.toNanoUsd, 0n);
  return {
    from: compared.map(({ span }) => shownSpan(span, nowMs)),
    to: shownSpan(after, nowMs),
    complete: [answers[0], ...compared.map(({ answer }) => answer)].every(
      (answer) => answer?.complete === true,
    ),
    fromNanoUsd,
    toNanoUsd,
    changeNanoUsd: toNanoUsd - fromNanoUsd,
    byCause: causesOf(all),
    byRevision: revisionEffects(all),
    groups: sums.sort(
      (a, b) =>
        largest(a.changeNanoUsd, b.changeNanoUsd) ||
        (JSON.stringify(a.keys) < JSON.stringify(b.keys) ? -1 : 1),
    ),
  };
}

/** The same hours of the four weeks before. */
function usualSpans({ fromMs, toMs }: TimeSpan): readonly TimeSpan[] {
  return Array.from({ length: USUAL_WEEKS }, (_, week) => ({
    fromMs: fromMs - (week + 1) * WEEK_MS,
    toMs: toMs - (week + 1) * WEEK_MS,
  }));
}

const SUMS_OF_CELLS: readonly SumName[] = [
  'cachedRuns',
  'inputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'outputTokens',
  'reasoningTokens',
];

/** By group and task, then by revision. */
function cellsOf(groups: readonly GroupedSums[], asked: number): Map<string, Cells> {
  const found = new Map<string, Cells>();
  for (const { values, sums } of groups) {
    const [task = '', model = '', revision = '', status = ''] = values.slice(asked);
    const name = JSON.stringify([...values.slice(0, asked), task]);
    const cells = found.get(name) ?? new Map<string, MutableCell>();
    found.set(name, cells);
    const cell = cells.get(revision) ?? { runs: 0n, called: 0n, failedNanoUsd: 0n, models: new Map() };
    cells.set(revision, cell);
    cell.runs += BigInt(sums.runs);
    cell.called += BigInt(sums.runs - sums.cachedRuns);
    if (sums.attempts === 0) continue;
    if (status !== 'succeeded') {
      cell.failedNanoUsd += sums.costNanoUsd;
      continue;
    }
    const use: ModelUse = {
      attempts: BigInt(sums.attempts),
      input: sums.inputTokens,
      cached: sums.cachedInputTokens,
      written: sums.cacheWriteTokens,
      output: sums.outputTokens,
      reasoning: sums.reasoningTokens,
      costNanoUsd: sums.costNanoUsd,
    };
    const known = cell.models.get(model);
    cell.models.set(model, known === undefined ? use : addedUse(known, use));
  }
  return found;
}

function revisionsOf(cells: ReadonlyMap<string, Cells>): readonly string[] {
  return [...cells.values()].flatMap((of) => [...of.keys()]);
}

const costOf = (cells: readonly SpanCell[]): bigint =>
  cells.reduce((sum, cell) => sum + costOfCell(cell), 0n);

async function readPlans(
  reader: ChangeReader,
  hashes: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Plan>> {
  const plans = new Map<string, Plan>();
  await Promise.all(
    [...hashes].map(async (hash) => {
      const text = await reader.planText(hash);
      if (text !== undefined) plans.set(hash, decodePlan(text));
    }),
  );
  return plans;
}

/** When each was first in force, as far as the ledger knows. */
async function orderOf(reader: ChangeReader, hashes: ReadonlySet<string>): Promise<(hash: string) => number> {
  const records = await reader.revisionsByHash([...hashes]);
  return (hash) => {
    const record = records.get(hash);
    return record?.activeFromMs ?? record?.compiledAtMs ?? 0;
  };
}

const ROUTE_CAUSES: readonly CostCause[] = [
  'route',
  'price',
  'calls',
  'failures',
  'input_tokens',
  'output_tokens',
  'prompt_cache',
];
const STEP_CAUSES: readonly CostCause[] = [
  'calls',
  'failures',
  'input_tokens',
  'output_tokens',
  'prompt_cache',
  'route',
  'exact_cache',
];

/** What a task's cost can owe to the difference of two plans. A plan that is not known may explain everything. */
function explainedBy(
  before: Plan | undefined,
  after: Plan | undefined,
  task: string,
): ReadonlySet<CostCause> {
  if (before === undefined || after === undefined)
    return new Set<CostCause>([...ROUTE_CAUSES, ...STEP_CAUSES]);
  const [from, to] = [before.tasks[task], after.tasks[task]];
  if (from === undefined || to === undefined) return new Set<CostCause>([...ROUTE_CAUSES, ...STEP_CAUSES]);
  const found = new Set<CostCause>();
  const add = (differs: boolean, causes: readonly CostCause[]): void => {
    if (differs) for (const cause of causes) found.add(cause);
  };
  const models = [...new Set([...modelsOf(from), ...modelsOf(to)])];
  const ofModels = (plan: Plan, part: (model: Plan['models'][string]) => unknown): unknown =>
    models.map((key) => {
      const model = plan.models[key];
      return model === undefined ? null : part(model);
    });
  add(differ(routesOf(from), routesOf(to)), ROUTE_CAUSES);
  // A cheapest-first route follows prices.
  add(
    differ(
      ofModels(before, ({ price }) => price),
      ofModels(after, ({ price }) => price),
    ),
    ['price', 'route'],
  );
  add(
    differ(
      ofModels(before, ({ price: _price, ...rest }) => rest),
      ofModels(after, ({ price: _price, ...rest }) => rest),
    ),
    ['route', 'failures', 'calls'],
  );
  // What a provider lets through and how it is reached; what it charges where its own figure counts.
  const providers = [...new Set(models.map((key) => key.slice(0, key.indexOf('/'))))];
  const ofProviders = (plan: Plan): unknown => providers.map((name) => plan.providers[name] ?? null);
  add(differ(ofProviders(before), ofProviders(after)), [
    'route',
    'failures',
    'calls',
    'price',
    'prompt_cache',
  ]);
  // A budget that is used up refuses candidates, or leads to cheaper ones.
  add(differ(before.budgets, after.budgets), ['route', 'failures', 'calls']);
  // The loop guard gives answers again, as the cache does.
  add(differ(from.loop, to.loop), ['exact_cache']);
  add(differ(from.steps.map(withoutRoute), to.steps.map(withoutRoute)), STEP_CAUSES);
  add(differ(from.cache, to.cache), ['exact_cache']);
  add(differ([from.inputSchema, from.inputDefaults], [to.inputSchema, to.inputDefaults]), STEP_CAUSES);
  add(differ(from.allowance, to.allowance), ['failures', 'calls']);
  return found;
}

function routesOf({ steps }: PlanTask): unknown {
  return steps.map((step) => ('route' in step ? [step.key, step.route] : [step.key]));
}

function withoutRoute(step: PlanStep): unknown {
  if (!('route' in step)) return step;
  const { route: _route, ...rest } = step;
  return rest;
}

function modelsOf({ steps }: PlanTask): readonly string[] {
  return steps.flatMap((step) =>
    'route' in step ? step.route.rules.flatMap(({ candidates }) => candidates.map(({ model }) => model)) : [],
  );
}

function differ(a: unknown, b: unknown): boolean {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
  return text(a) !== text(b);
}

function causesOf(effects: readonly CostEffect[]): CostChange['byCause'] {
  const sums = new Map<CostCause, bigint>();
  for (const { cause, amountNanoUsd } of effects) sums.set(cause, (sums.get(cause) ?? 0n) + amountNanoUsd);
  return [...sums]
    .map(([cause, amountNanoUsd]) => ({ cause, amountNanoUsd }))
    .filter(({ amountNanoUsd }) => amountNanoUsd !== 0n)
    .sort((a, b) => largest(a.amountNanoUsd, b.amountNanoUsd) || (a.cause < b.cause ? -1 : 1));
}

function revisionEffects(effects: readonly CostEffect[]): readonly RevisionEffect[] {
  const found = new Map<string, CostEffect[]>();
  for (const effect of effects) {
    const name = JSON.stringify([effect.revision, effect.before]);
    found.set(name, [...(found.get(name) ?? []), effect]);
  }
  return [...found.values()]
    .flatMap((of) => {
      const [first] = of;
      if (first === undefined) return [];
      const amountNanoUsd = of.reduce((sum, effect) => sum + effect.amountNanoUsd, 0n);
      return [{ revision: first.revision, before: first.before, amountNanoUsd, byCause: causesOf(of) }];
    })
    .sort(
      (a, b) =>
        largest(a.amountNanoUsd, b.amountNanoUsd) || (String(a.revision) < String(b.revision) ? -1 : 1),
    );
}

function largest(a: bigint, b: bigint): number {
  const [left, right] = [a < 0n ? -a : a, b < 0n ? -b : b];
  if (left === right) return 0;
  return left < right ? 1 : -1;
}
