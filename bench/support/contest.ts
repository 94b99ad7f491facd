// A contest: several processes of each contender on one core take turns under the same load, so that what cannot be told from chance is not told.
import type { LoadResult } from './http-load.ts';
import { load } from './http-load.ts';
import type { Started, ThreadGroup } from './processes.ts';
import { held, median } from './report.ts';
import type { Line } from './report.ts';

export interface Contender {
  readonly name: string;
  /** Identical ones: what they differ by among themselves is what two contenders may differ by and be equal. */
  readonly servers: readonly Started[];
  /** The n-th request. */
  readonly request: (index: number) => string;
  /** Stands in every good answer. */
  readonly expect: string;
}

export interface ContestOptions {
  readonly inFlight: number;
  readonly rounds: number;
  readonly warmUpSeconds: number;
  readonly roundSeconds: number;
}

export interface Standing {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of all threads, for an answer. */
  readonly cpuMicros: number;
  readonly byThread: { readonly [group in ThreadGroup]: number };
  readonly residentMb: number;
  readonly processes: number;
  /** The dearest of its processes beside the cheapest, by the median of their rounds; 1 of a single one. */
  readonly spread: number;
}

/** Identical processes, one after the other; fewer where one cannot be had. */
export async function several(
  count: number,
  start: () => Promise<Started | undefined>,
): Promise<readonly Started[]> {
  const started: Started[] = [];
  for (let index = 0; index < count; index += 1) {
    const server = await start();
    if (server !== undefined) started.push(server);
  }
  return started;
}

interface Turn {
  readonly result: LoadResult;
  readonly cpuMicros: number;
  readonly byThread: { readonly [group in ThreadGroup]: number };
}

async function turn(
  { request, expect }: Contender,
  server: Started,
  inFlight: number,
  seconds: number,
): Promise<Turn> {
  const before = server.cpuByThread();
  const result = await load({ port: server.port, inFlight, seconds, request, expect });
  const after = server.cpuByThread();
  const each = (group: ThreadGroup): number => (after[group] - before[group]) / result.answers;
  const byThread = { main: each('main'), workers: each('workers'), v8: each('v8'), other: each('other') };
  return { result, byThread, cpuMicros: byThread.main + byThread.workers + byThread.v8 + byThread.other };
}

/** In each round every process has a turn, every second time in the other direction; the first round warms up. */
export async function contest(
  contenders: readonly Contender[],
  { inFlight, rounds, warmUpSeconds, roundSeconds }: ContestOptions,
): Promise<ReadonlyMap<string, Standing>> {
  const most = Math.max(...contenders.map(({ servers }) => servers.length));
  const order = Array.from({ length: most }, (_, index) =>
    contenders.flatMap((contender) => {
      const server = contender.servers[index];
      return server === undefined ? [] : [{ contender, server, turns: [] as Turn[] }];
    }),
  ).flat();
  for (const { contender, server } of order) await turn(contender, server, inFlight, warmUpSeconds);
  for (let round = 0; round < rounds; round += 1)
    for (const entry of round % 2 === 0 ? order : order.toReversed())
      entry.turns.push(await turn(entry.contender, entry.server, inFlight, roundSeconds));
  return new Map(
    contenders.map((contender) => {
      const own = order.filter((entry) => entry.contender === contender);
      return [contender.name, standing(own)];
    }),
  );
}

function standing(own: readonly { readonly server: Started; readonly turns: readonly Turn[] }[]): Standing {
  const all = own.flatMap(({ turns }) => turns);
  const of = (what: (turn: Turn) => number): number => median(all.map(what));
  const medians = own.map(({ turns }) => median(turns.map(({ cpuMicros }) => cpuMicros)));
  return {
    perSecond: of(({ result }) => result.perSecond),
    p50Ms: of(({ result }) => result.p50Ms),
    p99Ms: of(({ result }) => result.p99Ms),
    cpuMicros: of(({ cpuMicros }) => cpuMicros),
    byThread: {
      main: of(({ byThread }) => byThread.main),
      workers: of(({ byThread }) => byThread.workers),
      v8: of(({ byThread }) => byThread.v8),
      other: of(({ byThread }) => byThread.other),
    },
    residentMb: median(own.map(({ server }) => server.residentMb())),
    processes: own.length,
    spread: Math.max(...medians) / Math.min(...medians),
  };
}

/** What stands beside a ratio: whether it is more than identical processes differ by. */
export function toldBy(ratio: number, one: Standing, other: Standing): string {
  const spread = Math.max(one.spread, other.spread);
  if (one.processes < 2 && other.processes < 2)
    return 'one process of each: what identical ones differ by is not known';
  const differs = Math.max(ratio, 1 / ratio);
  const identical = `identical processes differ by up to ${spread.toFixed(2)} ×`;
  return differs <= spread ? `cannot be told: ${identical}` : identical;
}

/** `whose`: what is ours in it, as "a run". */
export function besidePortkey(
  ours: Standing,
  portkey: Standing | undefined,
  whose: string,
  atLeast: number,
): readonly Line[] {
  if (portkey === undefined)
    return [
      { what: 'portkey', value: Number.NaN, unit: '×', note: 'not measured: npm could not install it' },
    ];
  const ratio = portkey.cpuMicros / ours.cpuMicros;
  return [
    held(`portkey's CPU a call beside ${whose}'s`, ratio, '×', { atLeast }, toldBy(ratio, ours, portkey)),
    held("p99 beside portkey's median", ours.p99Ms / portkey.p50Ms, '×', { atMost: 1 }),
  ];
}

export function standingText({ p50Ms, p99Ms, cpuMicros, byThread, residentMb }: Standing): string {
  const threads = `main ${byThread.main.toFixed(0)}, workers ${byThread.workers.toFixed(0)}, V8 ${byThread.v8.toFixed(0)}`;
  return `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, CPU ${cpuMicros.toFixed(0)} µs (${threads}), resident ${residentMb.toFixed(0)} MB`;
}
