// Work on large texts and inputs off the thread that answers: one worker, started when it is needed and ended when it was idle for a while.
import { Worker } from 'node:worker_threads';
import type { ValidateFunction } from 'ajv';
import type { Clock } from '../../../common/clock.ts';
import type { Json } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { Outcome } from '../../../common/outcome.ts';
import { formatDuration } from '../../../common/units.ts';
import { chunkText } from '../steps/chunk.ts';
import { countTokens, loadTokenizer, sampledTokens } from '../tokens.ts';
import { identify, parse } from './jobs.ts';
import type { ChunkJob, InputIdentity, IdentifyJob, Job, ParseJob } from './jobs.ts';
import { isLarge, LARGE_CHARACTERS } from './large.ts';

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
  identify(job: Omit<IdentifyJob, 'kind'>): InputIdentity | Promise<InputIdentity>;
  /** As `parse`. */
  chunk(job: Omit<ChunkJob, 'kind'>, signal?: AbortSignal): Promise<Outcome<Json, string>>;
  /** Tokens of each text, by `countTokens`. Not a promise where all are small. */
  countTokens(texts: readonly string[], signal?: AbortSignal): readonly number[] | Promise<readonly number[]>;
  close(): void;
}

interface Waiting {
  readonly job: Job;
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
    try {
      worker.postMessage(current.job);
    } catch (error) {
      // What cannot be handed over, such as a value that nests too deep to be copied, is the fault of that job alone.
      drop(error);
    }
  }

  function ask(job: Job, signal?: AbortSignal): Promise<unknown> {
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

  async function valueOf(job: Job, signal?: AbortSignal): Promise<Outcome<Json, string>> {
    try {
      const answer = (await ask(job, signal)) as Outcome<never, string> & { readonly text?: string };
      return answer.text === undefined ? answer : succeed(JSON.parse(answer.text) as Json);
    } catch (error) {
      if (error instanceof Overtaxed) return fail(error.message);
      throw error;
    }
  }

  async function counted(texts: readonly string[], signal?: AbortSignal): Promise<readonly number[]> {
    try {
      return (await ask({ kind: 'count', texts }, signal)) as readonly number[];
    } catch (error) {
      if (error instanceof Overtaxed) return texts.map(sampledTokens);
      throw error;
    }
  }

  /** What is too much for the thread is compared as it is, word for word. */
  async function identified(job: Omit<IdentifyJob, 'kind'>): Promise<InputIdentity> {
    try {
      return (await ask({ kind: 'identify', ...job })) as InputIdentity;
    } catch (error) {
      if (!(error instanceof Overtaxed)) throw error;
      const { inputHash } = identify({ input: job.input, loops: null });
      const trace = { key: inputHash, exact: inputHash };
      return { inputHash, loopTraces: (job.loops?.guards ?? []).map(() => trace) };
    }
  }

  return {
    async parse(job, validate, signal) {
      if (job.text.length <= LARGE_CHARACTERS) return parse(job, validate);
      return valueOf({ kind: 'parse', ...job }, signal);
    },
    identify(job) {
      return isLarge(job.input) ? identified(job) : identify(job);
    },
    async chunk(job, signal) {
      if (job.text.length > LARGE_CHARACTERS) return valueOf({ kind: 'chunk', ...job }, signal);
      await loadTokenizer();
      return chunkText(job.text, job);
    },
    countTokens(texts, signal) {
      const large = texts.filter(({ length }) => length > LARGE_CHARACTERS);
      if (large.length === 0) return texts.map(countTokens);
      return counted(large, signal).then((counts) => {
        const left = counts[Symbol.iterator]();
        return texts.map((text) =>
          text.length > LARGE_CHARACTERS ? (left.next().value ?? 0) : countTokens(text),
        );
      });
    },
    close() {
      stopTimer();
      void worker?.terminate();
      worker = undefined;
    },
  };
}
