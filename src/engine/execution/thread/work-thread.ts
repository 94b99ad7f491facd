// Work on large texts and inputs off the thread that answers: one worker, started when it is needed and ended when it was idle for a while.
import { Worker } from 'node:worker_threads';
import type { ValidateFunction } from 'ajv';
import type { Clock } from '../../../common/clock.ts';
import type { Json, JsonObject } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { Outcome } from '../../../common/outcome.ts';
import { formatDuration } from '../../../common/units.ts';
import { identify, parse } from './jobs.ts';
import type { Identity, IdentifyJob, ParseJob } from './jobs.ts';

/** Above so many characters nothing is parsed, hashed or compared on the thread that answers: it would be held for more than some milliseconds. */
export const LARGE_CHARACTERS = 64 * 1024;
/** One text may not keep the others waiting for longer, whatever its run's deadline. */
const LONGEST_JOB_MS = 15_000;
/** To start it costs 50 ms of another core; to keep it, 20 MB. */
const IDLE_MS = 10_000;
/** An e-mail of 10 MB takes a quarter of it. */
const MEMORY_MB = 512;

export interface WorkThread {
  /** Fails with the reason, for people. `validate`: of the job's schema, for a small text. Rejects with the signal's reason when it is aborted: what is under way is ended with its worker. */
  parse(
    job: Omit<ParseJob, 'kind'>,
    validate: ValidateFunction | null,
    signal?: AbortSignal,
  ): Promise<Outcome<Json, string>>;
  /** Not a promise for a small input: between a look at what is there and an entry nothing is to be awaited. */
  identify(job: Omit<IdentifyJob, 'kind'>): Identity | Promise<Identity>;
  close(): void;
}

interface Waiting {
  readonly job: ParseJob | IdentifyJob;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

class Overtaxed extends Error {}

export function createWorkThread(clock: Clock): WorkThread {
  const queue: Waiting[] = [];
  let current: Waiting | undefined;
  let worker: Worker | undefined;
  let stopTimer: () => void = () => undefined;

  function start(): Worker {
    const started = new Worker(new URL('./worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    });
    started.unref();
    started.on('message', (answer: unknown) => {
      if (started !== worker) return;
      const done = current;
      current = undefined;
      done?.resolve(answer);
      next();
    });
    started.on('error', (error: NodeJS.ErrnoException) => {
      if (started !== worker) return;
      const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      drop(isMemory ? new Overtaxed(`it takes more than ${MEMORY_MB} MB to work on`) : error);
    });
    return started;
  }

  /** Ends the worker and what it works on; the others go on with a new one. */
  function drop(reason: unknown): void {
    const [lost, done] = [worker, current];
    worker = undefined;
    current = undefined;
    void lost?.terminate();
    done?.reject(reason);
    next();
  }

  function next(): void {
    stopTimer();
    if (current !== undefined) return;
    current = queue.shift();
    if (current === undefined) {
      stopTimer = clock.after(IDLE_MS, () => {
        void worker?.terminate();
        worker = undefined;
      });
      return;
    }
    worker ??= start();
    stopTimer = clock.after(LONGEST_JOB_MS, () =>
      drop(new Overtaxed(`it takes longer than ${formatDuration(LONGEST_JOB_MS)} to work on`)),
    );
    worker.postMessage(current.job);
  }

  function ask(job: ParseJob | IdentifyJob, signal?: AbortSignal): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const waiting: Waiting = { job, resolve, reject };
    const leave = (): void => {
      if (current === waiting) drop(signal?.reason);
      else {
        const at = queue.indexOf(waiting);
        if (at !== -1) queue.splice(at, 1);
        reject(signal?.reason as Error);
      }
    };
    signal?.addEventListener('abort', leave, { once: true });
    queue.push(waiting);
    if (current === undefined) next();
    return promise.finally(() => signal?.removeEventListener('abort', leave));
  }

  return {
    async parse(job, validate, signal) {
      if (job.text.length <= LARGE_CHARACTERS) return parse(job, validate);
      try {
        const answer = (await ask({ kind: 'parse', ...job }, signal)) as Outcome<never, string> & {
          readonly text?: string;
        };
        return answer.text === undefined ? answer : succeed(JSON.parse(answer.text) as Json);
      } catch (error) {
        if (error instanceof Overtaxed) return fail(error.message);
        throw error;
      }
    },
    identify(job) {
      return isLarge(job.input) ? (ask({ kind: 'identify', ...job }) as Promise<Identity>) : identify(job);
    },
    close() {
      stopTimer();
      void worker?.terminate();
      worker = undefined;
    },
  };
}

/** Whether its texts, names and values come to more than a small input has; looks no further than that. */
function isLarge(input: JsonObject): boolean {
  let left = LARGE_CHARACTERS;
  const rest: Json[] = [input];
  for (let value = rest.pop(); value !== undefined; value = rest.pop()) {
    left -= 8;
    if (typeof value === 'string') left -= value.length;
    else if (Array.isArray(value)) {
      if (value.length * 8 > left) return true;
      rest.push(...(value as readonly Json[]));
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value as JsonObject)) {
        left -= name.length;
        rest.push(member);
        if (left < rest.length * 8) return true;
      }
    }
    if (left < 0) return true;
  }
  return false;
}
