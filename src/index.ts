// The library: the same engine in a program of one's own, without a server.
import type { App } from './app.ts';
import type { JsonObject } from './common/json.ts';
import { HeadgateError } from './errors/headgate-error.ts';
import type { Problem } from './errors/problem.ts';
import type { DryRun, RunEvent, RunOptions, RunResult, StreamedTexts } from './engine/execution/port.ts';
import { LOCAL_CALLER } from './engine/execution/local-caller.ts';
import type { Caller } from './engine/budget/port.ts';
import type { Plan } from './language/plan/types.ts';
import type { CostStats, StatsDimension, StatsWindow } from './ledger/stats/port.ts';

export { formatUsd, parseUsd, type NanoUsd } from './common/money.ts';
export type { Json, JsonObject } from './common/json.ts';
export { HeadgateError } from './errors/headgate-error.ts';
export type { Problem } from './errors/problem.ts';
export type {
  DryRun,
  InputProblem,
  RunEvent,
  RunOptions,
  RunResult,
  RunSnapshot,
  StreamedTexts,
} from './engine/execution/port.ts';
export type { AttemptRecord, RunError, RunRecord, StepRecord } from './engine/execution/records.ts';
export type { Caller } from './engine/budget/port.ts';
export type { Plan, PlanTask } from './language/plan/types.ts';
export type { CostBucket, CostStats, StatsDimension, StatsWindow } from './ledger/stats/port.ts';
export { version } from './cli/version.ts';

export interface LoadedWorkflows {
  /** null when a problem is an error. */
  readonly plan: Plan | null;
  readonly problems: readonly Problem[];
}

/** Compiles a folder of workflows, as `headgate check` does. Throws a HeadgateError when there is nothing to read. */
export async function loadWorkflows(
  directory: string,
  options: { readonly env?: Environment } = {},
): Promise<LoadedWorkflows> {
  requireNode();
  const { compileDirectory } = await import('./revisions/compile.ts');
  const { plan, problems } = await compileDirectory(directory, { env: options.env ?? process.env });
  return { plan, problems };
}

/** The same as `engines` in package.json. */
const OLDEST_NODE = 24;

/** What is loaded before this is asked runs on any Node; what is loaded after it would end with an error of the loader's. */
function requireNode(): void {
  if (Number.parseInt(process.versions.node, 10) >= OLDEST_NODE) return;
  throw new HeadgateError(
    'NODE_TOO_OLD',
    `Headgate needs Node ${OLDEST_NODE} or newer, and this is ${process.version}.`,
    'Run the program with a newer Node; or start "npx headgate serve", which brings one, and ask it over GraphQL.',
  );
}

type Environment = { readonly [name: string]: string | undefined };

/** What each task takes and gives, for callers that want both typed: `createEngine<{ summarize: { input: …; output: … } }>()`. */
export interface TaskTypes {
  readonly [task: string]: { readonly input: object; readonly output: unknown };
}

export interface EngineOptions {
  /** The folder that holds headgate.yaml. Default `workflows`. */
  readonly workflows?: string;
  /** The folder of the database. Default `.headgate`. One process at a time may have it open. */
  readonly dataDirectory?: string;
  /** Where `env` and `secrets` in workflows are read. Default: the process's. */
  readonly env?: Environment;
  /** Default `full`: what is written survives a power cut. `normal`: it survives a killed process. */
  readonly synchronous?: 'full' | 'normal';
  /** Load the workflows again when they change. Default false. */
  readonly watch?: boolean;
}

export interface RunSettings extends Omit<RunOptions, 'dryRun'> {
  /** Who runs it, for budgets and statistics. Default: a caller named `local` that may do everything. */
  readonly caller?: Caller;
  /** Aborts the run; what is under way is settled. */
  readonly signal?: AbortSignal;
  /** Told of each step, attempt and settlement; of text as it comes too, with `stream`. */
  readonly onEvent?: (event: RunEvent) => void;
  readonly stream?: boolean;
  /** With `stream`: the text of the steps that the output reads (default `output`), or of `all`. */
  readonly texts?: StreamedTexts;
}

/** A run as the library gives it: the output is typed where the engine was given task types. */
export type TaskResult<Output> =
  | {
      readonly ok: true;
      readonly output: Output;
      /** The run with its steps and attempts; costs in nano-dollars. */
      readonly result: Extract<RunResult, { kind: 'run' }>;
    }
  | {
      readonly ok: false;
      readonly error: { readonly code: string; readonly message: string; readonly remedy: string };
      readonly result: RunResult;
    };

export interface HeadgateEngine<Tasks extends TaskTypes> {
  /** Runs a task to its end. Expected failures are values: see `ok`. Throws a HeadgateError when the engine cannot start. */
  run<Name extends keyof Tasks & string>(
    task: Name,
    input: Tasks[Name]['input'],
    settings?: RunSettings,
  ): Promise<TaskResult<Tasks[Name]['output']>>;
  /** What would happen: nobody is called, nothing is held. */
  dryRun<Name extends keyof Tasks & string>(
    task: Name,
    input: Tasks[Name]['input'],
    settings?: RunSettings,
  ): Promise<DryRun | Exclude<RunResult, { kind: 'run' }>>;
  costStats(window: StatsWindow, by?: readonly StatsDimension[]): Promise<CostStats>;
  /** The plan in force. */
  plan(): Promise<Plan>;
  /** Loads the workflows again; with an error among the problems, the last good revision stays. */
  reload(): Promise<readonly Problem[]>;
  /** Runs in flight end within `drainMs` (default 10 s), or are recorded as cancelled; then the database is let go of. */
  close(drainMs?: number): Promise<void>;
}

/**
 * An engine over a folder of workflows. It opens at the first call; `close` it, or the process stays alive for its open database. Throws NODE_TOO_OLD.
 *
 * ```ts
 * const engine = createEngine({ workflows: 'workflows' });
 * const answer = await engine.run('summarize', { text });
 * if (answer.ok) console.log(answer.output);
 * await engine.close();
 * ```
 */
export function createEngine<Tasks extends TaskTypes = TaskTypes>(
  options: EngineOptions = {},
): HeadgateEngine<Tasks> {
  requireNode();
  let opened: Promise<App> | undefined;
  let closed = false;

  async function open(): Promise<App> {
    if (closed) throw new HeadgateError('ENGINE_CLOSED', 'this engine is closed', 'Create another one.');
    opened ??= import('./app.ts')
      .then(({ openApp }) =>
        openApp({
          workflows: options.workflows ?? 'workflows',
          dataDirectory: options.dataDirectory ?? '.headgate',
          env: options.env ?? process.env,
          synchronous: options.synchronous ?? 'full',
        }),
      )
      .then(async (app) => {
        if (options.watch === true) await app.revisions.watch(() => undefined);
        return app;
      });
    try {
      return await opened;
    } catch (error) {
      // The next call tries again: a folder may have been made, another process may have ended.
      opened = undefined;
      throw error;
    }
  }

  return {
    async run(task, input, settings = {}) {
      const { engine } = await open();
      const { caller = LOCAL_CALLER, signal, onEvent, stream, texts, ...runOptions } = settings;
      const result = await engine.run({
        task,
        input: input as JsonObject,
        caller,
        options: runOptions,
        ...(signal ? { signal } : {}),
        ...(onEvent ? { onEvent } : {}),
        ...(stream === undefined ? {} : { stream }),
        ...(texts === undefined ? {} : { texts }),
      });
      return taskResult(result);
    },
    async dryRun(task, input, settings = {}) {
      const { engine } = await open();
      const {
        caller = LOCAL_CALLER,
        signal: _signal,
        onEvent: _onEvent,
        stream: _stream,
        texts: _texts,
        ...runOptions
      } = settings;
      const result = await engine.dryRun({ task, input: input as JsonObject, caller, options: runOptions });
      return result.kind === 'dry_run' ? result.dryRun : result;
    },
    async costStats(window, by) {
      const { stats } = await open();
      return stats.costStats({ window, ...(by ? { by } : {}) });
    },
    async plan() {
      return (await open()).revisions.active().plan;
    },
    async reload() {
      const result = await (await open()).revisions.reload();
      return result.kind === 'refused' ? result.record.problems : [];
    },
    async close(drainMs) {
      closed = true;
      const app = await opened?.catch(() => undefined);
      await app?.close(drainMs);
    },
  };
}

function taskResult<Output>(result: RunResult): TaskResult<Output> {
  if (result.kind !== 'run') {
    const { code, message, remedy } = result;
    return { ok: false, error: { code, message, remedy }, result };
  }
  const { run } = result.snapshot;
  if (run.error) return { ok: false, error: run.error, result };
  // The output was checked against the task's schema; that `Output` says the same is the caller's word.
  return { ok: true, output: run.output as Output, result };
}
