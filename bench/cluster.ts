// The ledger in PostgreSQL beside SQLite, and several nodes over it: throughput, CPU, leases, what of a limit can be used, and how soon others know.
//
//   node bench/cluster.ts [tiny|usual|full]
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { removePostgres, startPostgres } from '../src/cli/cluster/postgres.ts';
import { load, post } from './support/http-load.ts';
import type { LoadResult } from './support/http-load.ts';
import { startHeadgate } from './peers/headgate.ts';
import { LOAD_CORE, cpuByThreadOf, startNode } from './support/processes.ts';
import type { Started } from './support/processes.ts';
import { askedSize, give, held, median, sized } from './support/report.ts';
import type { Line } from './support/report.ts';
import { inputText, temporaryFolder, writeWorkflows } from './support/workflows.ts';

const size = askedSize();
const seconds = sized(size, { tiny: 0.5, usual: 16, full: 20 });
const warmUpSeconds = sized(size, { tiny: 0.3, usual: 12, full: 15 });
const loneRuns = sized(size, { tiny: 3, usual: 100, full: 300 });
const looks = sized(size, { tiny: 1, usual: 15, full: 40 });
const SATURATED = 32;
/** Few enough that three nodes have time left, with the database, the model server and the load on the same two cores: what is measured is whether nodes wait for each other. */
const WAITING = sized(size, { tiny: 2, usual: 6, full: 6 });
const NODES = 3;
const ROUNDS = 4;

const TASK = `task: three
input: { text: string }
allowance: { deadline: 45s, attempts: 12, cost: $0.50 }
steps:
  one: { route: bench, prompt: "One. \${{ input.text }}", maxOutputTokens: 60 }
  two: { route: bench, prompt: "Two. \${{ steps.one.text }} \${{ input.text }}", maxOutputTokens: 60 }
  three: { route: bench, prompt: "Three. \${{ steps.two.text }} \${{ input.text }}", maxOutputTokens: 60 }
output: { said: "\${{ steps.three.text }}" }
`;
const RUN =
  'mutation ($text: String!, $options: RunOptions) { runTask(task: { three: { text: $text } }, options: $options) { __typename ... on Run { status cost } ... on BudgetExceeded { code } ... on SpendingPaused { code } } }';

const body = (query: string, variables: object): string => JSON.stringify({ query, variables });
const INTERACTIVE = { asked: (index: number): object => ({ text: inputText(index) }) };
/** With a key of its own: a run that survives its node, whose end is waited for all the same. */
const DURABLE = {
  asked: (index: number, port: number): object => ({
    text: inputText(index),
    options: { idempotencyKey: `${port}-${index}` },
  }),
};

async function ask(node: Started, query: string, variables: object = {}): Promise<string> {
  const response = await fetch(`${node.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: body(query, variables),
  });
  return response.text();
}

const postgresFolder = temporaryFolder();
const postgres = await startPostgres(postgresFolder, {
  settings: { track_functions: 'all', max_connections: 200 },
});
const sql = new pg.Client(postgres.url);
await sql.connect();
const upstream = await startNode(['bench/support/upstream.ts'], { core: LOAD_CORE });
let schemas = 0;
const freshDatabase = (): string => `${postgres.url}?schema=bench_${(schemas += 1)}`;

function workflows(pace: string, limit = '$1000000'): string {
  const folder = writeWorkflows(upstream.url, pace);
  const project = join(folder, 'headgate.yaml');
  writeFileSync(
    project,
    readFileSync(project, 'utf8').replace('company: { limit: $1000000', `company: { limit: ${limit}`),
  );
  writeFileSync(join(folder, 'three.yaml'), TASK);
  return folder;
}

/** Of all of PostgreSQL's processes, those that have ended included, as their parent has waited for them. */
function postgresMicros(): number {
  const ofParent = (pid: number): boolean => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(postgres.pid);
    } catch {
      return false;
    }
  };
  try {
    const pids = readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && ofParent(pid));
    return [postgres.pid ?? 0, ...pids].reduce((sum, pid) => sum + (cpuByThreadOf(pid).main || 0), 0);
  } catch {
    return Number.NaN;
  }
}

async function nodesOf(
  count: number,
  pace: string,
  database: string | undefined,
  limit?: string,
): Promise<Started[]> {
  const folder = workflows(pace, limit);
  const nodes: Started[] = [];
  for (let index = 0; index < count; index += 1)
    nodes.push(
      await startHeadgate(upstream.url, pace, {
        workflows: folder,
        core: null,
        ...(database === undefined ? {} : { database }),
      }),
    );
  return nodes;
}

/** What they wrote goes too, to the disk and then away: else PostgreSQL does both while the next ones are measured. */
async function stopAll(nodes: readonly Started[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.stop()));
  await sql.query(`drop schema if exists bench_${schemas} cascade`);
  await sql.query('checkpoint');
}
const loadOf = (
  { port }: Started,
  inFlight: number,
  forSeconds: number,
  { asked }: typeof DURABLE = INTERACTIVE,
): Promise<LoadResult> =>
  load({
    port,
    inFlight,
    seconds: forSeconds,
    request: (index) => post('/graphql', body(RUN, asked(index, port))),
    expect: '"status":"SUCCEEDED"',
  });

interface One {
  readonly perSecond: number;
  readonly nodeMicros: number;
  readonly postgresMicros: number;
  readonly leases: number;
  readonly loneMs: number;
}

async function leasesSoFar(): Promise<number> {
  const { rows } = await sql.query(
    "select coalesce(sum(calls), 0)::int as n from pg_stat_user_functions where funcname = 'lease_budget'",
  );
  return (rows[0] as { n: number }).n;
}

/** One node of each store, saturated in turns: what else the machine does is not the same from one minute to the next. Then one run after the other. */
async function stores(): Promise<readonly One[]> {
  const [sqliteNode] = (await nodesOf(1, 'now', undefined)) as [Started];
  const [postgresNode] = (await nodesOf(1, 'now', freshDatabase())) as [Started];
  const sums = [sqliteNode, postgresNode].map((node) => ({
    node,
    perSecond: 0,
    answers: 0,
    nodeMicros: 0,
    postgresMicros: 0,
  }));
  for (const { node } of sums) await loadOf(node, SATURATED, warmUpSeconds);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const sum of sums) {
      const [nodeBefore, postgresBefore] = [sum.node.cpuMicros(), postgresMicros()];
      const { answers, perSecond } = await loadOf(sum.node, SATURATED, seconds / ROUNDS);
      sum.perSecond += perSecond / ROUNDS;
      sum.answers += answers;
      sum.nodeMicros += sum.node.cpuMicros() - nodeBefore;
      sum.postgresMicros += postgresMicros() - postgresBefore;
    }
  // Without turns: a node that is idle for a second gives its slices back. Its statistics are told when a session is idle.
  await wait(1_500);
  const leasesBefore = await leasesSoFar();
  const { answers: ofLeases } = await loadOf(postgresNode, SATURATED, seconds);
  await wait(1_500);
  const leases = ((await leasesSoFar()) - leasesBefore) / ofLeases;
  const lone: number[][] = [[], []];
  for (let run = 0; run < loneRuns; run += 1)
    for (const [index, { node }] of sums.entries()) {
      const began = performance.now();
      await ask(node, RUN, { text: inputText(run) });
      lone[index]?.push(performance.now() - began);
    }
  await stopAll([sqliteNode, postgresNode]);
  return sums.map(({ perSecond, answers, nodeMicros, postgresMicros: ofPostgres }, index) => ({
    perSecond,
    nodeMicros: nodeMicros / answers,
    postgresMicros: ofPostgres / answers,
    leases,
    loneMs: median(lone[index] ?? []),
  }));
}

/** The CPU of node and PostgreSQL for a durable run, beside that for an interactive one of the same node in turns. */
async function durableBeside(): Promise<number> {
  const [node] = (await nodesOf(1, 'now', freshDatabase())) as [Started];
  const sums = [INTERACTIVE, DURABLE].map((kind) => ({ kind, micros: 0, runs: 0 }));
  for (const { kind } of sums) await loadOf(node, SATURATED, warmUpSeconds / 2, kind);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const sum of sums) {
      const before = node.cpuMicros() + postgresMicros();
      const { answers } = await loadOf(node, SATURATED, seconds / ROUNDS, sum.kind);
      sum.micros += node.cpuMicros() + postgresMicros() - before;
      sum.runs += answers;
    }
  await stopAll([node]);
  const [interactive = 0, durable = 0] = sums.map(({ micros, runs }) => micros / runs);
  return durable / interactive;
}

/** Runs a second of one, two and three nodes, in turns, each as busy as it is alone. */
async function waiting(kind?: typeof DURABLE): Promise<readonly [one: number, two: number, three: number]> {
  const nodes = await nodesOf(NODES, 'tenth', freshDatabase());
  // A node whose code is compiled as it runs takes twice the CPU, and three of them leave nothing of two cores.
  await Promise.all(nodes.map((node) => loadOf(node, SATURATED, warmUpSeconds * NODES, kind)));
  const sums: [number, number, number] = [0, 0, 0];
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [index] of sums.entries()) {
      const busy = nodes.slice(0, index + 1);
      const results = await Promise.all(busy.map((node) => loadOf(node, WAITING, seconds / 2, kind)));
      for (const { perSecond } of results) sums[index] = (sums[index] ?? 0) + perSecond / ROUNDS;
    }
  await stopAll(nodes);
  return sums;
}

/** The share of a limit that is spent when every node refuses. */
async function usable(): Promise<number> {
  const database = freshDatabase();
  const limit = sized(size, { tiny: 0.01, usual: 0.5, full: 2 });
  const nodes = await nodesOf(NODES, 'now', database, `$${limit}`);
  await Promise.all(
    Array.from({ length: 24 }, async (_, lane) => {
      const node = nodes[lane % NODES] as Started;
      for (let refused = 0, run = 0; refused < 3; run += 1)
        if ((await ask(node, RUN, { text: inputText(lane * 1e6 + run) })).includes('BudgetExceeded'))
          refused += 1;
    }),
  );
  const { rows } = await sql.query(
    `select coalesce(sum(spent_nano_usd), 0)::text as spent from bench_${schemas}.budget_windows where budget_id like 'company%'`,
  );
  await stopAll(nodes);
  return Number((rows[0] as { spent: string }).spent) / (limit * 1e9);
}

interface Told {
  readonly switchMs: number;
  readonly deltaMs: number;
}

async function told(): Promise<Told> {
  const nodes = (await nodesOf(NODES, 'now', freshDatabase())) as [Started, Started, Started];
  const [first, ...others] = nodes;
  const switches: number[] = [];
  for (let look = 0; look < looks; look += 1) {
    const began = performance.now();
    await ask(first, 'mutation { pauseSpending(scope: { all: true }, reason: "bench") { scope } }');
    await Promise.all(
      others.map(async (node) => {
        while (!(await ask(node, RUN, { text: inputText(look) })).includes('SpendingPaused')) await wait(2);
      }),
    );
    switches.push(performance.now() - began);
    await ask(first, 'mutation { resumeSpending(scope: { all: true }) { scope } }');
    await wait(300);
  }
  const deltas: number[] = [];
  let runs = 0;
  let heard: ((count: number) => void) | undefined;
  const stop = new AbortController();
  const follow = follows(others[0], stop.signal, (count) => heard?.(count));
  await wait(1_000);
  for (let look = 0; look < looks; look += 1) {
    const seen = Promise.withResolvers<void>();
    await wait(400);
    heard = (count) => {
      if (count > runs) {
        runs = count;
        seen.resolve();
      }
    };
    await ask(first, RUN, { text: `${inputText(look)} once` });
    const began = performance.now();
    await seen.promise;
    deltas.push(performance.now() - began);
  }
  stop.abort();
  await follow;
  await stopAll(nodes);
  return { switchMs: Math.max(...switches), deltaMs: median(deltas) };
}

/** The runs of the day, as the node tells of them. */
async function follows(node: Started, signal: AbortSignal, onRuns: (count: number) => void): Promise<void> {
  const query = 'subscription { costStats(window: DAY, everyMs: 50) { total { runs } } }';
  const response = await fetch(`${node.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: body(query, {}),
    signal,
  });
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? [])
      for (const [, runs] of decoder.decode(chunk).matchAll(/"runs":(\d+)/g)) onRuns(Number(runs));
  } catch {
    // It was told to stop.
  }
}

const [sqlite, one] = (await stores()) as [One, One];
const [alone, two, three] = await waiting();
const durable = await durableBeside();
const [aloneDurable, twoDurable, threeDurable] = await waiting(DURABLE);
const share = await usable();
const { switchMs, deltaMs } = await told();
await upstream.stop();
await sql.end();
await removePostgres(postgresFolder);

const lines: readonly Line[] = [
  { what: 'SQLite, one node, saturated', value: sqlite.perSecond, unit: 'runs/s', note: 'three steps a run' },
  {
    what: 'PostgreSQL, one node, saturated',
    value: one.perSecond,
    unit: 'runs/s',
    note: 'it and the node on the same cores',
  },
  held('PostgreSQL beside SQLite, saturated', one.perSecond / sqlite.perSecond, '×', { atLeast: 0.6 }),
  { what: "SQLite: the node's CPU a run", value: sqlite.nodeMicros / 1_000, unit: 'ms' },
  { what: "PostgreSQL: the node's CPU a run", value: one.nodeMicros / 1_000, unit: 'ms' },
  held("PostgreSQL's own CPU a run, under load", one.postgresMicros / 1_000, 'ms', { atMost: 1 }),
  held(
    'a lone run, beyond one on SQLite',
    one.loneMs - sqlite.loneMs,
    'ms',
    { atMost: 12 },
    `${one.loneMs.toFixed(1)} and ${sqlite.loneMs.toFixed(1)} ms`,
  ),
  held('leases a run', one.leases, '', { atMost: 0.02 }),
  {
    what: 'one node, calls of 100 ms',
    value: alone,
    unit: 'runs/s',
    note: `${WAITING} in flight at each node`,
  },
  held('two nodes', two / alone, '×', { atLeast: 1.9 }),
  held('three nodes', three / alone, '×', { atLeast: 2.8 }),
  held('a durable run beside an interactive one, CPU of node and PostgreSQL', durable, '×', { atMost: 2.6 }),
  { what: 'one node, durable runs, calls of 100 ms', value: aloneDurable, unit: 'runs/s' },
  held('two nodes, durable runs', twoDurable / aloneDurable, '×', { atLeast: 1.9 }),
  held('three nodes, durable runs', threeDurable / aloneDurable, '×', { atLeast: 2.8 }),
  held('of a limit, used by three nodes', share * 100, '%', { atLeast: 99 }),
  held('a switch, in force at all nodes, longest', switchMs, 'ms', { atMost: 1_000 }),
  held('a live delta at another node', deltaMs, 'ms', { atMost: 250 }),
];
give('cluster', size, lines);
