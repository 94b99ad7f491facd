// Soak: many runs with mixed faults in one process; memory and handles must not grow.
//
//   node bench/soak.ts [tiny|usual|full]        usual: 50,000 runs; full: a million
import { openApp } from '../src/app.ts';
import { setServingFlags } from '../src/cli/v8-flags.ts';
import { LOCAL_CALLER } from '../src/engine/execution/local-caller.ts';
import { LOAD_CORE, startNode } from './support/processes.ts';
import { askedSize, give, held, median, sized } from './support/report.ts';
import { ENV, inputText, temporaryFolder, writeWorkflows } from './support/workflows.ts';

const IN_FLIGHT = 64;
const size = askedSize();
const runs = sized(size, { tiny: 80, usual: 50_000, full: 1_000_000 });
const SAMPLES = 40;

const upstream = await startNode(['bench/support/upstream.ts'], { core: LOAD_CORE });
const app = await openApp({
  workflows: writeWorkflows(upstream.url, 'faulty'),
  dataDirectory: temporaryFolder(),
  env: ENV,
  synchronous: 'normal',
});

// As the server runs.
setServingFlags();

interface Sample {
  readonly residentMb: number;
  readonly heapMb: number;
  readonly handles: number;
}

const samples: Sample[] = [];
const sample = (): void => {
  const { rss, heapUsed } = process.memoryUsage();
  samples.push({
    residentMb: rss / 2 ** 20,
    heapMb: heapUsed / 2 ** 20,
    handles: process.getActiveResourcesInfo().filter((name) => name !== 'Immediate').length,
  });
};

const ends = new Map<string, number>();
let next = 0;
const every = Math.floor(runs / SAMPLES);
const startedMs = performance.now();
await Promise.all(
  Array.from({ length: IN_FLIGHT }, async () => {
    while (next < runs) {
      const index = (next += 1);
      if (index % every === 0) sample();
      // As many callers as a company has people: what is kept for each must have an end (INV-14).
      const caller = { ...LOCAL_CALLER, name: `caller-${index % 500}`, team: `team-${index % 20}` };
      // One in fifty goes away before its answer comes.
      const signal = index % 50 === 0 ? AbortSignal.timeout(1) : undefined;
      const result = await app.engine.run({
        task: 'answer',
        input: { text: inputText(index) },
        caller,
        ...(signal === undefined ? {} : { signal }),
        stream: index % 10 === 0,
      });
      const end = result.kind === 'run' ? result.snapshot.run.status : result.kind;
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
  }),
);
const seconds = (performance.now() - startedMs) / 1000;
await app.close();
await upstream.stop();

const tenth = Math.ceil(samples.length / 10);
const of = (part: readonly Sample[], what: keyof Sample): number => median(part.map((one) => one[what]));
const half = Math.floor(samples.length / 2);
const early = samples.slice(tenth, 3 * tenth);
const late = samples.slice(-2 * tenth);
give('soak', size, [
  {
    what: 'runs with mixed faults',
    value: runs,
    unit: 'runs',
    note: [...ends].map(([end, count]) => `${count} ${end}`).join(', '),
  },
  { what: 'runs a second', value: runs / seconds, unit: '/s' },
  held('resident memory, the most', Math.max(...samples.map(({ residentMb }) => residentMb)), 'MB', {
    atMost: 200,
  }),
  held(
    'resident memory at the end beside after the first tenth',
    of(late, 'residentMb') / of(early, 'residentMb'),
    '×',
    { atMost: 1.1 },
  ),
  {
    what: 'heap at the end',
    value: of(late, 'heapMb'),
    unit: 'MB',
    note: `after the first tenth ${of(early, 'heapMb').toFixed(1)} MB`,
  },
  held(
    'open handles in the second half beside the first',
    of(samples.slice(half), 'handles') / of(samples.slice(tenth, half), 'handles'),
    '×',
    { atMost: 1.1 },
    `${Math.max(...samples.map(({ handles }) => handles))} at the most: sockets of the pools, timers`,
  ),
]);
