// node scripts/node.mjs bench/savings.ts --data DIR: what routing saves on public data with recorded verdicts, and what budgets and bulkheads do to recorded arrivals; by the product's own replay.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'csv-parse/sync';
import { formatUsd } from '../src/common/money.ts';
import type { NanoUsd } from '../src/common/money.ts';
import type { Plan } from '../src/language/plan/types.ts';
import { compileFiles } from '../src/revisions/compile.ts';
import { replay } from '../src/simulation/replay.ts';
import type { Traffic, TrafficAttempt, TrafficRun } from '../src/simulation/traffic.ts';

const { values } = parseArgs({ options: { data: { type: 'string' } } });
const data = values.data ?? process.env['HEADGATE_BENCH_DATA'];
if (data === undefined || !existsSync(data)) {
  process.stderr.write('Name the folder of the data: --data DIR, or HEADGATE_BENCH_DATA.\n');
  process.exit(2);
}

/** The list prices of 2024: gpt-4-1106-preview, and Mixtral 8x7B at Together. */
const PRICES = { strong: { input: '$10', output: '$30' }, weak: { input: '$0.6', output: '$0.6' } } as const;
const NANO = { strong: { input: 10_000n, output: 30_000n }, weak: { input: 600n, output: 600n } } as const;
type Model = keyof typeof NANO;
/** Of the texts nothing but the length is kept. */
const CHARACTERS_PER_TOKEN = 4;
const tokens = (characters: number): number => Math.max(1, Math.round(characters / CHARACTERS_PER_TOKEN));
const key = (model: Model): string => `bench/${model}`;

function attempt(model: Model, inputTokens: number, outputTokens: number, isTaken: boolean): TrafficAttempt {
  return {
    model: key(model),
    rates: '',
    outcome: isTaken ? 'succeeded' : 'not_accepted',
    inputTokens,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens,
    reasoningTokens: 0,
    costNanoUsd: BigInt(inputTokens) * NANO[model].input + BigInt(outputTokens) * NANO[model].output,
    heldTokens: inputTokens + 1_000,
    latencyMs: 1_000,
    firstTokenMs: null,
  };
}

const START_MS = Date.UTC(2024, 0, 1);
const who = { name: 'bench', team: null, tier: null, tags: {} };

function traffic(runs: readonly Pick<TrafficRun, 'task' | 'steps' | 'atMs'>[]): Traffic {
  return {
    fromMs: START_MS,
    toMs: (runs.at(-1)?.atMs ?? START_MS) + 1,
    hashed: false,
    async *runs() {
      for (const [input, run] of runs.entries())
        yield { ...run, who, input, outcome: 'succeeded', latencyMs: 1_000 };
    },
  };
}

async function plan(
  tasks: { readonly [task: string]: { readonly from: readonly Model[]; readonly isChecked: boolean } },
  more: object = {},
  policy: object = {},
): Promise<Plan> {
  const model = (name: Model): object => ({
    context: 1_000_000,
    maxOutputTokens: 100_000,
    price: PRICES[name],
    capabilities: ['text'],
  });
  const files = [
    {
      path: 'headgate.yaml',
      text: JSON.stringify({
        headgate: 1,
        providers: { bench: { adapter: 'openai', baseUrl: 'http://127.0.0.1:9', policy: 'bench' } },
        models: { [key('weak')]: model('weak'), [key('strong')]: model('strong') },
        policies: { bench: { timeout: '10m', retry: { attempts: 0 }, ...policy } },
        ...more,
      }),
    },
    ...Object.entries(tasks).map(([task, { from, isChecked }]) => ({
      path: `${task}.yaml`,
      text: JSON.stringify({
        task,
        input: {},
        allowance: { deadline: '1h' },
        steps: {
          answer: {
            route: [{ from: from.map(key) }],
            prompt: 'q',
            maxOutputTokens: 4_000,
            ...(isChecked ? { accept: 'output.text != ""' } : {}),
          },
        },
      }),
    })),
  ];
  const { plan: compiled, problems } = await compileFiles(files, { env: {} });
  if (compiled === null) throw new Error(problems.map(({ message }) => message).join('\n'));
  return compiled;
}

const step = (...attempts: readonly TrafficAttempt[]): TrafficRun['steps'] => [
  { path: 'answer', skipped: false, rule: 'answer[0]', attempts },
];
const rows = (file: string): readonly { readonly [column: string]: string }[] =>
  parse(readFileSync(file, 'utf8'), { columns: true, bom: true, relax_column_count: true });
const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;
const saved = (was: NanoUsd, is: NanoUsd): string => percent(Number(was - is), Number(was));
const out = (line: string): void => void process.stdout.write(`${line}\n`);

/** Cheap first, its answer checked by a check that is never wrong: the ceiling of such a cascade. */
async function gsm8k(): Promise<void> {
  const file = join(data ?? '', 'routing/gsm8k-mixtral-vs-gpt4.first400.csv');
  if (!existsSync(file)) return;
  const answers = rows(file);
  let [cascade, strong] = [0, 0];
  const runs = answers.map((row, at) => {
    const [isWeakRight, isStrongRight] = [row['weak_correct'] === '1', row['strong_correct'] === '1'];
    if (isStrongRight) strong += 1;
    if (isWeakRight || isStrongRight) cascade += 1;
    const input = tokens(Number(row['prompt_chars']));
    return {
      atMs: START_MS + at * 5_000,
      task: 'gsm8k',
      steps: step(
        attempt('weak', input, tokens(Number(row['weak_out_chars'])), isWeakRight),
        attempt('strong', input, tokens(Number(row['strong_out_chars'])), true),
      ),
    };
  });
  const found = await replay({
    base: await plan({ gsm8k: { from: ['weak', 'strong'], isChecked: true } }),
    head: await plan({ gsm8k: { from: ['strong'], isChecked: true } }),
    traffic: traffic(runs),
  });
  out('GSM8K, 400 questions: cheap first with a perfect check, against the strong model alone');
  out(`  strong alone  $${formatUsd(found.head.costNanoUsd)}  right ${percent(strong, answers.length)}`);
  out(
    `  cascade       $${formatUsd(found.base.costNanoUsd)}  right ${percent(cascade, answers.length)}  ${saved(found.head.costNanoUsd, found.base.costNanoUsd)} cheaper, ${found.base.fallbacks} of ${answers.length} went on`,
  );
}

/** Subjects go to the weak model, those that it is best at first, as long as the training half keeps 95 % of the strong model's right answers; the other half is what is told. */
async function mmlu(): Promise<void> {
  const folder = join(data ?? '', 'routing/mmlu');
  if (!existsSync(folder)) return;
  const subjects = readdirSync(folder)
    .filter((name) => name.endsWith('.csv'))
    .sort()
    .map((name) => {
      const all = rows(join(folder, name)).map((row) => ({
        input: tokens((row['prompt'] ?? '').length),
        weak: isRight(row['mistralai/Mixtral-8x7B-Instruct-v0.1']),
        strong: isRight(row['gpt-4-1106-preview']),
      }));
      const half = (odd: number) => all.filter((_row, at) => at % 2 === odd);
      return { task: name.replace(/\.csv$/, '').replaceAll('_', '-'), train: half(0), test: half(1) };
    });
  type Row = (typeof subjects)[number]['train'][number];
  const count = (list: readonly Row[], by: (row: Row) => boolean): number => list.filter(by).length;
  const byWeak = (list: readonly Row[]): number => count(list, ({ weak }) => weak);
  const byStrong = (list: readonly Row[]): number => count(list, ({ strong }) => strong);
  const lost = ({ train }: (typeof subjects)[number]): number => byStrong(train) - byWeak(train);
  const needed = 0.95 * subjects.reduce((sum, { train }) => sum + byStrong(train), 0);
  let right = subjects.reduce((sum, { train }) => sum + byStrong(train), 0);
  const toWeak = new Set<string>();
  for (const subject of subjects.toSorted((a, b) => lost(a) / a.train.length - lost(b) / b.train.length)) {
    if (right - lost(subject) < needed) continue;
    right -= lost(subject);
    toWeak.add(subject.task);
  }
  const tasks = (weak: ReadonlySet<string>) =>
    Object.fromEntries(
      subjects.map(({ task }) => [
        task,
        { from: [weak.has(task) ? ('weak' as const) : ('strong' as const)], isChecked: false },
      ]),
    );
  let at = 0;
  const runs = subjects.flatMap(({ task, test }) =>
    test.map(({ input }) => ({
      atMs: START_MS + (at += 200),
      task,
      steps: step(attempt('strong', input, 1, true), attempt('weak', input, 1, true)),
    })),
  );
  const found = await replay({
    base: await plan(tasks(new Set())),
    head: await plan(tasks(toWeak)),
    traffic: traffic(runs),
  });
  const weakAlone = await replay({
    base: await plan(tasks(new Set())),
    head: await plan(tasks(new Set(subjects.map(({ task }) => task)))),
    traffic: traffic(runs),
  });
  const total = (by: (list: readonly Row[]) => number): number =>
    subjects.reduce((sum, { test }) => sum + by(test), 0);
  const [strongRight, weakRight] = [total(byStrong), total(byWeak)];
  const routed = subjects.reduce(
    (sum, { task, test }) => sum + (toWeak.has(task) ? byWeak(test) : byStrong(test)),
    0,
  );
  // Mixed at random, the same right answers need so much of the strong model.
  const share = (routed - weakRight) / (strongRight - weakRight);
  const [strong, weak] = [Number(found.base.costNanoUsd), Number(weakAlone.head.costNanoUsd)];
  const mixed = share * strong + (1 - share) * weak;
  out(
    `MMLU, ${runs.length} questions of ${subjects.length} subjects (the half that was not learnt from): by subject`,
  );
  out(`  strong alone   $${formatUsd(found.base.costNanoUsd)}  right ${percent(strongRight, runs.length)}`);
  out(
    `  by subject     $${formatUsd(found.head.costNanoUsd)}  right ${percent(routed, runs.length)} (${percent(routed, strongRight)} of the strong model's)  ${saved(found.base.costNanoUsd, found.head.costNanoUsd)} cheaper`,
  );
  out(
    `  random mixing  $${(mixed / 1e9).toFixed(6)} for as many right answers: ${percent(strong - mixed, strong)} cheaper`,
  );
}

const isRight = (value: string | undefined): boolean => /^(1|1\.0|true)$/i.test(value ?? '');

/** Recorded arrivals of two services, under a bulkhead and a budget by the minute. */
async function azure(): Promise<void> {
  for (const name of ['code', 'conv'] as const) {
    const file = join(data ?? '', `traces/azure-2023-${name}.first1500.csv`);
    if (!existsSync(file)) continue;
    const calls = rows(file);
    const first = Date.parse(`${(calls[0]?.['TIMESTAMP'] ?? '').slice(0, 23)}Z`);
    const runs = calls.map((row) => {
      const output = Number(row['GeneratedTokens']);
      const one = attempt('strong', Number(row['ContextTokens']), output, true);
      return {
        atMs: START_MS + Math.max(0, Date.parse(`${(row['TIMESTAMP'] ?? '').slice(0, 23)}Z`) - first),
        task: name,
        // Half a second to the first token, and 30 ms for each after it.
        steps: step({ ...one, latencyMs: 500 + output * 30 }),
      };
    });
    const tasks = { [name]: { from: ['strong' as const], isChecked: false } };
    const found = await replay({
      base: await plan(tasks, {}, { bulkhead: { concurrent: 1_000 } }),
      head: await plan(
        tasks,
        { budgets: { minute: { limit: '$10', per: 'minute', then: 'reject' } } },
        { bulkhead: { concurrent: 8, queue: 64 } },
      ),
      traffic: traffic(runs),
    });
    const seconds = Math.round(((runs.at(-1)?.atMs ?? 0) - START_MS) / 1_000);
    out(
      `Azure ${name}, ${runs.length} arrivals in ${seconds} s, under a bulkhead of 8 with a queue of 64 and a cap of $10 a minute`,
    );
    for (const [title, side] of [
      ['without', found.base],
      ['with', found.head],
    ] as const) {
      const refused = [...side.failures].map(([code, count]) => `${count} ${code}`).join(', ');
      out(
        `  ${title.padEnd(8)} $${formatUsd(side.costNanoUsd)}  p95 ${side.latencyP95Ms} ms  waited ${side.waits}, p95 ${side.waitP95Ms ?? 0} ms  not answered: ${refused === '' ? 'none' : refused}`,
      );
    }
  }
}

/** Of equal deployments, each with a prompt cache of its own, which one a call goes to. */
interface Route {
  readonly title: string;
  readonly deployments: number;
  readonly pick: (call: number, warmBlocks: readonly number[]) => number;
}

const ROUTES: readonly Route[] = [
  { title: 'all to one, as `cheapest` and `first` have it', deployments: 1, pick: () => 0 },
  ...[2, 4].flatMap((deployments): Route[] => [
    {
      title: `in turn over ${deployments}, as \`balanced\` has it`,
      deployments,
      pick: (call) => call % deployments,
    },
    {
      title: `over ${deployments}, to the one that knows most of the beginning`,
      deployments,
      pick: (call, warmBlocks) => {
        const most = Math.max(...warmBlocks);
        return most === 0 ? call % deployments : warmBlocks.indexOf(most);
      },
    },
  ]),
];

/** The trace names each 512 tokens of a prompt by what comes before and in them, so that equal names are equal beginnings. */
const BLOCK_TOKENS = 512;
/** From the last use, as most vendors keep it. */
const CACHE_LIVE_MS = 5 * 60_000;

/** What calls find in prompt caches, by where they are sent: no run of the engine, which has no strategy that looks at caches; it tells what one would be worth. */
function mooncake(): void {
  const file = join(data ?? '', 'traces/mooncake-conversation_trace.jsonl');
  if (!existsSync(file)) return;
  const calls = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { timestamp: number; input_length: number; hash_ids: number[] });
  out(
    `Mooncake, ${calls.length} calls of conversations in an hour: input that prompt caches of five minutes hold`,
  );
  for (const { title, deployments, pick } of ROUTES) {
    const usedAtMs = Array.from({ length: deployments }, () => new Map<number, number>());
    let [input, warm] = [0, 0];
    for (const [index, { timestamp, input_length, hash_ids }] of calls.entries()) {
      const known = usedAtMs.map((used) => {
        const cold = hash_ids.findIndex((id) => timestamp - (used.get(id) ?? -Infinity) >= CACHE_LIVE_MS);
        return cold === -1 ? hash_ids.length : cold;
      });
      const to = pick(index, known);
      input += input_length;
      warm += Math.min(input_length, (known[to] ?? 0) * BLOCK_TOKENS);
      for (const id of hash_ids) usedAtMs[to]?.set(id, timestamp);
    }
    out(
      `  ${title.padEnd(52)} ${percent(warm, input)}  input ${percent(warm * 0.9, input)} cheaper at a tenth of the price`,
    );
  }
}

await gsm8k();
await mmlu();
await azure();
mooncake();
