// A served child process: starts `headgate serve` on a free port with a database of its own, and stops it by its process id.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtMain } from './built.ts';
import { repositoryRoot } from './repository.ts';

export interface Served {
  readonly url: string;
  readonly pid: number;
  readonly dataDirectory: string;
  /** What it printed until now. */
  output(): string;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

export interface ServeOptions {
  /** Default: this Node, running the built package. */
  readonly command?: readonly string[];
  readonly flags?: readonly string[];
  readonly env?: { readonly [name: string]: string | undefined };
  /** Kept when the child ends; default: a new one, removed at the end. */
  readonly dataDirectory?: string;
  /** As soon as there is a process: for tests that kill it before it is ready. */
  readonly onSpawn?: (pid: number) => void;
}

const READY = /http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+/;

/** The environment without what would lead a test to a real provider. */
export function closedEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of Object.keys(env))
    if (/_API_KEY$|_BASE_URL$|^HEADGATE_|^OTEL_/.test(name)) delete env[name];
  return env;
}

export async function serve(options: ServeOptions = {}): Promise<Served> {
  const own = options.dataDirectory === undefined;
  const dataDirectory = options.dataDirectory ?? mkdtempSync(join(tmpdir(), 'headgate-served-'));
  const [program = process.execPath, ...args] = options.command ?? [process.execPath, builtMain(), 'serve'];
  const child = spawn(program, [...args, ...(options.flags ?? [])], {
    cwd: repositoryRoot,
    env: { ...closedEnvironment(), HEADGATE_DATA: dataDirectory, HEADGATE_PORT: '0', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.pid !== undefined) options.onSpawn?.(child.pid);
  const output: string[] = [];
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const url = await readyUrl(child, output, ended);
  const finish = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    const code = await ended;
    if (own) rmSync(dataDirectory, { recursive: true, force: true });
    return code;
  };
  return {
    url,
    pid: child.pid ?? 0,
    dataDirectory,
    output: () => output.join(''),
    stop: () => finish('SIGTERM'),
    kill: async () => void (await finish('SIGKILL')),
  };
}

function readyUrl(child: ChildProcess, output: string[], ended: Promise<number | null>): Promise<string> {
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output.push(chunk.toString('utf8'));
      const found = READY.exec(output.join(''));
      if (found) resolve(found[0]);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    void ended.then((code) =>
      reject(new Error(`the server ended with ${code} before it was ready:\n${output.join('')}`)),
    );
  });
}
