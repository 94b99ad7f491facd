// An export of usage as traffic of a project that is made for it: one task a model, whose calls go where they went.
import type { NanoUsd } from '../common/money.ts';
import { formatUsd } from '../common/money.ts';
import type { Catalogue, CatalogueModel } from '../language/plan/catalogue.ts';
import { canonicalPlanText } from '../language/plan/encode.ts';
import type { Plan } from '../language/plan/types.ts';
import { ratesName } from './ledger-traffic.ts';
import type { Traffic, TrafficAttempt, TrafficRun } from './traffic.ts';
import type { UsageRow } from './usage-export.ts';

/** Where an export does not say how many calls a sum is of. */
const CALL_INPUT_TOKENS = 4_000;
/** Where it does not even say tokens. */
const CALL_NANO_USD = 10_000_000n;
const GUESSED = { inputTokens: 1_000, outputTokens: 250, latencyMs: 2_000 } as const;
/** Beyond, a call of the replay stands for several. */
const MOST_CALLS = 2_000_000;

export interface UsageProject {
  /** Files of a project, as JSON is YAML. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** Of each model of the export, its task. */
  readonly tasks: ReadonlyMap<string, string>;
  /** What had to be taken for granted, for people. */
  readonly assumptions: readonly string[];
}

const keyOf = ({ provider, model }: Pick<UsageRow, 'provider' | 'model'>): string => `${provider}/${model}`;

/** Prices: the catalogue's; of a model that it does not know, what the export says that tokens cost. `to`: calls of every model go to this one instead. */
export function projectOf(rows: readonly UsageRow[], catalogue: Catalogue, to: string | null): UsageProject {
  const assumptions: string[] = [];
  const models = new Map<string, { row: UsageRow; tokens: number; cost: NanoUsd; most: number }>();
  for (const row of rows) {
    const key = keyOf(row);
    let sum = models.get(key);
    if (sum === undefined) models.set(key, (sum = { row, tokens: 0, cost: 0n, most: 4_096 }));
    sum.tokens += (row.inputTokens ?? 0) + (row.outputTokens ?? 0);
    sum.cost += row.costNanoUsd ?? 0n;
    if (row.calls === 1) sum.most = Math.max(sum.most, row.outputTokens ?? 0);
  }
  const declared: { [key: string]: unknown } = {};
  const files: { path: string; text: string }[] = [];
  const tasks = new Map<string, string>();
  const declare = (key: string, derived: NanoUsd | null): void => {
    const slash = key.indexOf('/');
    const found = priceOf(catalogue, key.slice(0, slash), key.slice(slash + 1), rows[0]?.atMs ?? 0);
    const rates = found?.tiers?.[0];
    if (rates === undefined)
      assumptions.push(
        derived === null
          ? `${key} has no price in the catalogue, and none in the export: its calls cost nothing here.`
          : `${key} has no price in the catalogue: $${formatUsd(derived)} a million tokens, as the export says of all of them.`,
      );
    declared[key] = {
      context: 10_000_000,
      maxOutputTokens: 1_000_000,
      price:
        rates === undefined
          ? derived === null
            ? 'free'
            : { input: `$${formatUsd(derived)}`, output: `$${formatUsd(derived)}` }
          : {
              input: `$${formatUsd(rates.input)}`,
              output: `$${formatUsd(rates.output)}`,
              cachedInput: `$${formatUsd(rates.cachedInput)}`,
              cacheWrite: `$${formatUsd(rates.cacheWrite)}`,
            },
      capabilities: ['text'],
    };
  };
  for (const [key, { tokens, cost, most }] of models) {
    declare(key, tokens > 0 && cost > 0n ? (cost * 1_000_000n) / BigInt(tokens) : null);
    const task = `calls-${tasks.size + 1}`;
    tasks.set(key, task);
    files.push({
      path: `${task}.yaml`,
      text: JSON.stringify({
        task,
        input: {},
        allowance: { deadline: '2h' },
        steps: { answer: { route: [{ from: [to ?? key] }], prompt: 'call', maxOutputTokens: most } },
      }),
    });
  }
  if (to !== null && !models.has(to)) declare(to, null);
  const providers = Object.fromEntries(
    Object.keys(declared).map((key) => [
      key.slice(0, key.indexOf('/')),
      // What the export says that a call cost is what budgets count.
      { adapter: 'openai', baseUrl: 'http://127.0.0.1:9', cost: 'reported', policy: 'patient' },
    ]),
  );
  // What took so long then takes as long here.
  const policies = {
    patient: {
      timeout: '1h',
      firstToken: '1h',
      stall: '1h',
      retry: { attempts: 0 },
      bulkhead: { concurrent: 10_000 },
    },
  };
  files.unshift({
    path: 'headgate.yaml',
    text: JSON.stringify({ headgate: 1, providers, models: declared, policies }),
  });
  return { files, tasks, assumptions };
}

function priceOf(
  catalogue: Catalogue,
  provider: string,
  model: string,
  atMs: number,
): CatalogueModel | undefined {
  // A name with the date of its version is often known without it.
  for (const name of [
    model,
    model.replace(/[-@](\d{4}-?\d\d-?\d\d|\d{8})$/, ''),
    model.split('/').at(-1) ?? model,
  ]) {
    const found = catalogue.find({ provider, baseUrl: null, adapterVendor: provider, model: name, atMs });
    if (found?.tiers) return found;
  }
  return undefined;
}

/** `plan`: compiled of `projectOf` without `to`; its rates are those that the export's costs are taken to be of. */
export function trafficOf(
  rows: readonly UsageRow[],
  plan: Plan,
  tasks: ReadonlyMap<string, string>,
): { readonly traffic: Traffic; readonly assumptions: readonly string[] } {
  const assumptions = new Set<string>();
  const counts = rows.map((row) => callsOf(row, assumptions));
  const all = counts.reduce((sum, one) => sum + one, 0);
  const each = Math.max(1, Math.ceil(all / MOST_CALLS));
  if (each > 1) assumptions.add(`There are ${all} calls: one here stands for ${each} of them.`);
  // A sum's calls are spread over its time, between those of the others.
  const times: { readonly atMs: number; readonly row: number; readonly part: number; readonly of: number }[] =
    [];
  for (const [at, row] of rows.entries()) {
    const of = Math.max(1, Math.ceil((counts[at] ?? 1) / each));
    for (let part = 0; part < of; part += 1)
      times.push({ atMs: row.atMs + (row.spanMs * (part + 0.5)) / of, row: at, part, of });
  }
  if (rows.some(({ spanMs }) => spanMs > 0)) {
    times.sort((a, b) => a.atMs - b.atMs);
    assumptions.add(
      'Rows are sums of calls: their calls are spread evenly over their time, each of the mean size.',
    );
  }
  if (rows.some(({ costNanoUsd }) => costNanoUsd === null))
    assumptions.add('Rows without a cost are priced by the catalogue.');
  if (rows.every(({ input }) => input === null))
    assumptions.add(
      'The export has no text: no two calls are taken to be equal, so that guards which compare them see none.',
    );
  const names = new Map<string, string>();
  for (const [key, model] of Object.entries(plan.models))
    names.set(key, ratesName(model.price.kind === 'free' ? 'free' : canonicalPlanText(model.price)));
  const fromMs = times[0]?.atMs ?? 0;
  const toMs = (times.at(-1)?.atMs ?? 0) + 1;
  return {
    assumptions: [...assumptions],
    traffic: {
      fromMs,
      toMs,
      hashed: false,
      async *runs() {
        for (const [number, { atMs, row: at, part, of }] of times.entries()) {
          const row = rows[at];
          if (row === undefined) continue;
          yield runOf(row, {
            number,
            atMs: Math.round(atMs),
            part,
            of,
            task: tasks.get(keyOf(row)) ?? '',
            rates: names.get(keyOf(row)) ?? '',
          });
        }
      },
    },
  };
}

function callsOf({ calls, inputTokens, costNanoUsd }: UsageRow, assumptions: Set<string>): number {
  if (calls !== null) return Math.max(1, calls);
  if (inputTokens !== null && inputTokens > 0) {
    assumptions.add(`It does not say how many calls: one for each ${CALL_INPUT_TOKENS} input tokens.`);
    return Math.ceil(inputTokens / CALL_INPUT_TOKENS);
  }
  assumptions.add(`It says neither calls nor tokens: a call is taken to cost $${formatUsd(CALL_NANO_USD)}.`);
  return Math.max(1, Number((costNanoUsd ?? 0n) / CALL_NANO_USD));
}

interface Part {
  readonly number: number;
  readonly atMs: number;
  readonly part: number;
  readonly of: number;
  readonly task: string;
  readonly rates: string;
}

function runOf(row: UsageRow, { number, atMs, part, of, task, rates }: Part): TrafficRun {
  const share = (total: number): number =>
    Math.floor((total * (part + 1)) / of) - Math.floor((total * part) / of);
  const cost = row.costNanoUsd;
  const inputTokens = row.inputTokens === null ? GUESSED.inputTokens : Math.max(1, share(row.inputTokens));
  const outputTokens = row.outputTokens === null ? GUESSED.outputTokens : share(row.outputTokens);
  const latencyMs = row.latencyMs ?? GUESSED.latencyMs;
  const attempt: TrafficAttempt = {
    model: keyOf(row),
    // Without a cost, the rates are none, so that the plan's are taken.
    rates: cost === null ? '' : rates,
    outcome: row.failed ? 'server_error' : 'succeeded',
    inputTokens,
    cachedInputTokens: Math.min(inputTokens, share(row.cachedInputTokens)),
    cacheWriteTokens: Math.min(inputTokens, share(row.cacheWriteTokens)),
    outputTokens,
    reasoningTokens: 0,
    costNanoUsd:
      cost === null ? 0n : (cost * BigInt(part + 1)) / BigInt(of) - (cost * BigInt(part)) / BigInt(of),
    heldTokens: inputTokens + Math.max(4_096, outputTokens),
    latencyMs,
    firstTokenMs: row.firstTokenMs,
  };
  return {
    atMs,
    task,
    who: { name: row.caller, team: row.team, tier: null, tags: {} },
    input: row.input === null ? number : numberOf(row.input),
    outcome: row.failed ? 'PROVIDER_FAILED' : 'succeeded',
    latencyMs,
    steps: [{ path: 'answer', skipped: false, rule: `${task}.answer[0]`, attempts: [attempt] }],
  };
}

/** Negative, so that it is no call's own number; 13 digits of a hash are told apart well enough. */
const numberOf = (hash: string): number => -1 - Number.parseInt(hash.slice(0, 13), 16);
