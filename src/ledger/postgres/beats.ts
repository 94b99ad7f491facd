// Starts the thread that gives a node's signs of life, and tells it that this one goes on.
import { Worker } from 'node:worker_threads';
import type { DatabaseAddress } from './connection.ts';

export const BEAT_MS = 500;

export interface BeatOptions {
  readonly address: DatabaseAddress;
  readonly node: number;
}

export interface Beats {
  /** It has given one, and has not ended since. */
  isBeating(): boolean;
  /** This thread is not stuck. */
  goOn(): void;
  stop(): Promise<void>;
}

export function startBeats(options: BeatOptions): Beats {
  const worker = new Worker(new URL('./beat-worker.ts', import.meta.url), {
    workerData: options,
    // What it makes is a statement twice a second: V8 would let it grow for minutes.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
  worker.unref();
  let isBeating = false;
  worker.on('message', () => {
    isBeating = true;
  });
  worker.on('error', () => undefined);
  worker.on('exit', () => {
    isBeating = false;
  });
  return {
    isBeating: () => isBeating,
    goOn: () => worker.postMessage(null),
    async stop() {
      await worker.terminate();
    },
  };
}
