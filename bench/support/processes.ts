// Processes of a bench: pinned to a core where the machine can, ready when they say so, ended by their id.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

/** What is measured runs alone on its core; what loads it and what it calls share the other. */
export const SERVER_CORE = 1;
export const LOAD_CORE = 0;

export const root = fileURLToPath(new URL('../../', import.meta.url));

let pinnable: boolean | undefined;

/** Not where the benches themselves are tested, several at once: `HEADGATE_BENCH_PINNED=no`. */
export function canPin(): boolean {
  return (pinnable ??=
    process.env['HEADGATE_BENCH_PINNED'] !== 'no' &&
    availableParallelism() > 1 &&
    spawnSync('taskset', ['-V']).status === 0);
}

export function pinned(core: number | null, command: readonly string[]): readonly string[] {
  return core !== null && canPin() ? ['taskset', '-c', String(core), ...command] : command;
}

/** The thread that answers, threads of JavaScript beside it (the ledger's), V8's own, and those of the system's calls. */
export type ThreadGroup = 'main' | 'workers' | 'v8' | 'other';

export interface Started {
  readonly pid: number;
  /** Where it serves. */
  readonly url: string;
  readonly port: number;
  /** CPU time of all its threads in microseconds; NaN where the system does not tell. */
  cpuMicros(): number;
  /** The same by the kind of thread. */
  cpuByThread(): { readonly [group in ThreadGroup]: number };
  /** Resident memory in MB; NaN where the system does not tell. */
  residentMb(): number;
  /** Killed where it takes longer than this; default 2 s. */
  stop(withinMs?: number): Promise<void>;
}

/** Starts `node args…`; ready when it prints an address. */
export async function startNode(
  args: readonly string[],
  options: {
    readonly core: number | null;
    readonly cwd?: string;
    readonly env?: { readonly [name: string]: string };
    /** Where it does not print its address. */
    readonly url?: string;
  },
): Promise<Started> {
  const [program = process.execPath, ...rest] = pinned(options.core, [process.execPath, ...args]);
  const child = spawn(program, rest, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Nothing that a bench started outlives it, however it ends.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  void ended.then(() => process.off('exit', kill));
  const url = await address(child, ended, options.url);
  const pid = child.pid ?? 0;
  return {
    pid,
    url,
    port: Number(new URL(url).port),
    cpuMicros() {
      const { main, workers, v8, other } = cpuByThreadOf(pid);
      return main + workers + v8 + other;
    },
    cpuByThread: () => cpuByThreadOf(pid),
    residentMb: () => residentMbOf(pid),
    async stop(withinMs = 2_000) {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), withinMs);
      await ended;
      clearTimeout(late);
    },
  };
}

async function address(
  child: ChildProcess,
  ended: Promise<number | null>,
  known: string | undefined,
): Promise<string> {
  let output = '';
  const printed = new Promise<string>((resolve) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output);
      if (found !== null) resolve(found[0]);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
  });
  const failed = ended.then((code): never => {
    throw new Error(`a process of the bench ended with ${code} before it was ready:\n${output}`);
  });
  failed.catch(() => undefined);
  return Promise.race([known === undefined ? printed : answering(known), failed]);
}

async function answering(url: string): Promise<string> {
  for (;;) {
    try {
      await (await fetch(url)).arrayBuffer();
      return url;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Of the threads that live; NaN where the system does not tell. */
export function cpuByThreadOf(pid: number): { [group in ThreadGroup]: number } {
  const micros = { main: 0, workers: 0, v8: 0, other: 0 };
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const [nanos] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
      const name = readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8');
      const group: ThreadGroup =
        thread === String(pid)
          ? 'main'
          : name.startsWith('WorkerThread')
            ? 'workers'
            : name.includes('V8')
              ? 'v8'
              : 'other';
      micros[group] += Number(nanos) / 1000;
    }
    return micros;
  } catch {
    return { main: Number.NaN, workers: Number.NaN, v8: Number.NaN, other: Number.NaN };
  }
}

function residentMbOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

/** Runs `node args…` to its end with its output on stderr; rejects when it fails. */
export async function runNode(
  args: readonly string[],
  options: { readonly core: number | null; readonly env?: { readonly [name: string]: string } },
): Promise<void> {
  const [program = process.execPath, ...rest] = pinned(options.core, [process.execPath, ...args]);
  const child = spawn(program, rest, {
    cwd: root,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const code = await new Promise((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${String(code)}`);
}
