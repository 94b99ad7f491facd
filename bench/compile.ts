// Compiling: 10, 100 and 1,000 task files, the schema of their plan, and a swap while the server serves.
//
//   node bench/compile.ts [tiny|usual|full]
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openApp } from '../src/app.ts';
import { buildSchema } from '../src/server/graphql/schema.ts';
import { compileDirectory } from '../src/revisions/compile.ts';
import { askedSize, give, held, median, sized } from './support/report.ts';
import type { Line } from './support/report.ts';
import { ENV, temporaryFolder, writeTask, writeWorkflows } from './support/workflows.ts';

const size = askedSize();
const sizes = sized(size, { tiny: [2, 4, 8], usual: [10, 100, 1_000], full: [10, 100, 1_000] });
const rounds = sized(size, { tiny: 1, usual: 7, full: 15 });
const SETTLED_MS = 400;
/** Nothing is called here. */
const NOWHERE = 'http://127.0.0.1:9';

const lines: Line[] = [];
const perTask: number[] = [];
for (const tasks of sizes) {
  const compileMs: number[] = [];
  const schemaMs: number[] = [];
  for (let round = 0; round <= Math.min(rounds, tasks > 500 ? 3 : rounds); round += 1) {
    // Another folder each time: files that are known already are not parsed again.
    const folder = writeWorkflows(NOWHERE, 'now', tasks);
    const startedMs = performance.now();
    const { plan } = await compileDirectory(folder, { env: ENV });
    const compiledMs = performance.now();
    if (plan === null) throw new Error('the workflows of the bench do not compile');
    buildSchema({ plan });
    if (round === 0) continue;
    compileMs.push(compiledMs - startedMs);
    schemaMs.push(performance.now() - compiledMs);
  }
  perTask.push(median(compileMs) / tasks);
  lines.push(
    {
      what: `compile ${tasks} task files`,
      value: median(compileMs),
      unit: 'ms',
      note: `${((median(compileMs) / tasks) * 1000).toFixed(0)} µs a file`,
    },
    { what: `schema of ${tasks} tasks`, value: median(schemaMs), unit: 'ms' },
  );
}
lines.push(
  held(
    'time a file, the most files beside the fewest',
    (perTask.at(-1) ?? 0) / (perTask[0] ?? 1),
    '×',
    { atMost: 1.3 },
    'linear',
  ),
);

const tasks = sizes[1] ?? 1;
const folder = writeWorkflows(NOWHERE, 'now', tasks);
const app = await openApp({ workflows: folder, dataDirectory: temporaryFolder(), env: ENV });
app.revisions.onChange((change) => {
  if (change.kind === 'activated') buildSchema({ plan: change.revision.plan });
});
const swapMs: number[] = [];
const stalledMs: number[] = [];
for (let round = 0; round <= rounds; round += 1) {
  writeTask(folder, round % tasks, `Answer in ${round + 3} sentences.`);
  // A file that was changed a moment ago may be half-written, so a reload waits for it: that is not the swap's time.
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const startedMs = performance.now();
  const { kind } = await app.revisions.reload();
  const tookMs = performance.now() - startedMs;
  await new Promise((resolve) => setTimeout(resolve, 5));
  delay.disable();
  if (kind !== 'activated') throw new Error(`the reload is ${kind}`);
  if (round === 0) continue;
  swapMs.push(tookMs);
  stalledMs.push(delay.max / 1e6);
}
await app.close();
lines.push(
  held(
    `hot swap with ${tasks} task files`,
    median(swapMs),
    'ms',
    { atMost: 50 },
    'read, compiled, recorded, schema built',
  ),
  { what: 'longest stall of the event loop meanwhile', value: median(stalledMs), unit: 'ms' },
);
give('compile', size, lines);
