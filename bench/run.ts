// npm run bench: every bench in a process of its own (at the tiny size in one), docs/performance.md with a table of all, and bench/results.json with the machine and the versions.
//
//   npm run bench                                 all, at the usual size
//   npm run bench -- --size full                  with a soak of a million runs
//   npm run bench -- --only engine,graphql        some of them; the others' results are kept
//   npm run bench -- --page                       none of them: the page alone, from the results that there are
//   npm run bench -- --against REF                the working tree beside a commit, both built: see against.ts
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PORTKEY_VERSION } from './peers/portkey.ts';
import { canPin, LOAD_CORE, root, runNode, SERVER_CORE } from './support/processes.ts';
import { performancePage } from './support/page.ts';
import type { Results } from './support/page.ts';
import { tableOf } from './support/report.ts';
import type { Report } from './support/report.ts';
import { temporaryFolder } from './support/workflows.ts';

/** Where the bench's own process runs: it is what is measured, or it is the load. null: its threads are the point. */
const BENCHES: { readonly [name: string]: number | null } = {
  engine: SERVER_CORE,
  graphql: LOAD_CORE,
  door: LOAD_CORE,
  large: null,
  where: LOAD_CORE,
  sdk: SERVER_CORE,
  streaming: LOAD_CORE,
  ledger: null,
  cluster: LOAD_CORE,
  subscriptions: LOAD_CORE,
  compile: SERVER_CORE,
  soak: null,
  replay: SERVER_CORE,
  start: null,
};

const RESULTS = join(root, 'bench', 'results.json');
const PAGE = join(root, 'docs', 'performance.md');

if (process.argv.includes('--against')) {
  await runNode(['bench/against.ts', ...process.argv.slice(2)], { core: LOAD_CORE });
  process.exit();
}

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'usual' },
    only: { type: 'string' },
    page: { type: 'boolean', default: false },
    out: { type: 'string', default: RESULTS },
  },
});
const chosen = values.page ? [] : (values.only?.split(',') ?? Object.keys(BENCHES));
const unknown = chosen.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0)
  throw new Error(`there is no bench ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);

const known: Results['reports'] = values.only === undefined && !values.page ? [] : earlier();
const reports = new Map(known.map((report) => [report.bench, report]));
for (const name of chosen) {
  const file = join(temporaryFolder(), 'report.json');
  // What else the machine was doing: a figure taken on a busy one is worth less.
  const loadAverage = loadavg()[0] ?? 0;
  console.error(`bench: ${name}`);
  await bench(name, file);
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  rmSync(file);
  console.error(tableOf([report]));
  reports.set(name, { ...report, measuredAt: new Date().toISOString(), loadAverage });
}

const ordered = Object.keys(BENCHES).flatMap((name) => reports.get(name) ?? []);
const results: Results = { machine: machine(), versions: versions(), reports: ordered };
writeFileSync(values.out, `${JSON.stringify(results, null, 2)}\n`);
if (values.out === RESULTS) writeFileSync(PAGE, performancePage(results));
if (chosen.length > 1) console.log(tableOf(ordered));

async function bench(name: string, report: string): Promise<void> {
  const env = { HEADGATE_BENCH_REPORT: report };
  if (values.size !== 'tiny')
    return runNode([join('bench', `${name}.ts`), values.size], { core: BENCHES[name] ?? null, env });
  // That it works is all that is looked for: in this process, which reads the sources once for all benches.
  Object.assign(process.env, env);
  process.argv[2] = values.size;
  await import(`./${name}.ts`);
}

function earlier(): Results['reports'] {
  try {
    return (JSON.parse(readFileSync(values.out, 'utf8')) as Results).reports;
  } catch {
    return [];
  }
}

function machine(): object {
  const all = cpus();
  return {
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    pinned: canPin(),
  };
}

function versions(): object {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: { readonly [name: string]: string };
  };
  const named = ['openai', 'undici', 'cockatiel', 'graphql', 'graphql-yoga', 'drizzle-orm'];
  return {
    node: process.version,
    sqlite: process.versions.sqlite,
    ...Object.fromEntries(named.map((name) => [name, dependencies[name]])),
    '@portkey-ai/gateway': PORTKEY_VERSION,
  };
}
