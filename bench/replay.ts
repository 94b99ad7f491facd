// Replaying: runs a second on one core, by the engine that serves, and what its memory does over a million of them.
//
//   node bench/replay.ts [tiny|usual|full]
import { once } from 'node:events';
import { createWriteStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { createGzip } from 'node:zlib';
import { seededRandom } from '../src/common/random.ts';
import type { Plan } from '../src/language/plan/types.ts';
import { compileDirectory } from '../src/revisions/compile.ts';
import { replay } from '../src/simulation/replay.ts';
import { openTrafficFile, TrafficWriter } from '../src/simulation/traffic-file.ts';
import { askedSize, give, held, sized } from './support/report.ts';
import { ENV, temporaryFolder, writeWorkflows } from './support/workflows.ts';

const size = askedSize();
const runs = sized(size, { tiny: 300, usual: 200_000, full: 1_000_000 });
/** So few are over before memory has settled. */
const warmUp = Math.min(runs, 100_000);
const FROM_MS = Date.UTC(2026, 9, 1);
const MONTH_MS = 30 * 86_400_000;

/** A month of one task: twenty callers, two models, one call in fifty refused for the moment and made elsewhere. */
async function writeTraffic(plan: Plan, count: number): Promise<string> {
  const random = seededRandom(3);
  const between = (least: number, most: number): number => Math.floor(least + random() * (most - least));
  const task = Object.values(plan.tasks).find(({ steps }) => steps.some(({ kind }) => kind === 'model'));
  const step = task?.steps.find(({ kind }) => kind === 'model');
  if (task === undefined || step?.kind !== 'model')
    throw new Error('the workflows of the bench have no task');
  const rule = step.route.rules.at(-1);
  const [first = '', second = ''] = rule?.candidates.map(({ model }) => model) ?? [];
  const path = join(temporaryFolder(), `${count}.hgt`);
  const file = createWriteStream(path);
  const packed = createGzip();
  packed.pipe(file);
  const writer = new TrafficWriter({ fromMs: FROM_MS, toMs: FROM_MS + MONTH_MS, hashed: false });
  packed.write(writer.header);
  const attempt = (model: string, outcome: 'succeeded' | 'overloaded') => {
    const answered = outcome === 'succeeded';
    const inputTokens = answered ? between(200, 3_200) : 0;
    const outputTokens = answered ? between(1, step.maxOutputTokens) : 0;
    return {
      model,
      rates: 'recorded',
      outcome,
      inputTokens,
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      outputTokens,
      reasoningTokens: 0,
      costNanoUsd: BigInt(inputTokens * 1_000 + outputTokens * 5_000),
      heldTokens: inputTokens * 4 + 600,
      latencyMs: between(300, 4_300),
      firstTokenMs: null,
    };
  };
  for (let made = 0; made < count; made += 1) {
    const failed = random() < 0.02;
    const attempts = failed
      ? [attempt(first, 'overloaded'), attempt(second, 'succeeded')]
      : [attempt(first, 'succeeded')];
    const lines = writer.run({
      atMs: FROM_MS + (made * MONTH_MS) / count,
      task: task.name,
      who: { name: `caller ${between(0, 20)}`, team: 'crew', tier: null, tags: {} },
      input: made,
      outcome: 'succeeded',
      latencyMs: attempts.reduce((sum, { latencyMs }) => sum + latencyMs, 1),
      steps: [{ path: step.key, skipped: false, rule: rule?.name ?? null, attempts }],
    });
    if (!packed.write(lines)) await once(packed, 'drain');
  }
  packed.end();
  await once(file, 'close');
  return path;
}

interface Measured {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly heapMb: number;
}

/** Nothing was changed: one look at the traffic and one pass of the engine, as `headgate replay` makes them. */
async function measure(plan: Plan, path: string, count: number): Promise<Measured> {
  const before = process.cpuUsage();
  const startedMs = performance.now();
  const { base } = await replay({ base: plan, head: plan, traffic: await openTrafficFile(path) });
  const { user, system } = process.cpuUsage(before);
  const wallMs = performance.now() - startedMs;
  if (base.succeeded !== count) throw new Error(`${base.succeeded} of ${count} runs succeeded`);
  return { cpuMs: (user + system) / 1_000, wallMs, heapMb: process.memoryUsage().rss / 2 ** 20 };
}

const { plan } = await compileDirectory(writeWorkflows('http://127.0.0.1:9', 'now'), { env: ENV });
if (plan === null) throw new Error('the workflows of the bench do not compile');
const few = await measure(plan, await writeTraffic(plan, warmUp), warmUp);
const path = await writeTraffic(plan, runs);
const all = await measure(plan, path, runs);
const perSecond = runs / (all.cpuMs / 1_000);
give('replay', size, [
  held(
    'runs replayed a second of CPU, all threads',
    perSecond,
    '/s',
    { atLeast: 20_000 },
    'with reading the file, twice',
  ),
  held('a million runs', (all.wallMs / runs) * 1_000, 's', { atMost: 60 }, `${runs} were replayed`),
  held(
    'memory after them, beside that after the first',
    all.heapMb / few.heapMb,
    '×',
    { atMost: 1.5 },
    `${Math.round(all.heapMb)} MB after ${runs}, ${Math.round(few.heapMb)} MB after ${warmUp}`,
  ),
  held('traffic file of a million runs', ((statSync(path).size / runs) * 1_000_000) / 1e6, 'MB', {
    atMost: 40,
  }),
]);
