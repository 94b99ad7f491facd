// What guards tell those of other nodes: tries that repeat, and what was spent, added up for a moment.
import type { Clock } from '../../../common/clock.ts';
import type { SharedTry } from './loop.ts';
import type { SpendEvent } from './surge.ts';

/** JSON-safe; an amount is its digits. */
export type GuardNews =
  | SharedTry
  | { readonly kind: 'spent'; readonly task: string; readonly caller: string; readonly nanoUsd: string };

const TELL_EVERY_MS = 200;
/** Of one moment; what is beyond is told of no try, and of no caller more. */
const MOST_TOLD = 500;

export interface GuardTeller {
  readonly tried: (tries: SharedTry) => void;
  readonly spent: (spend: SpendEvent) => void;
}

export function createTeller(clock: Clock, tell: (news: readonly GuardNews[]) => void): GuardTeller {
  let tries: SharedTry[] = [];
  let spent = new Map<string, { readonly task: string; readonly caller: string; nanoUsd: bigint }>();
  let isWaiting = false;
  const flush = (): void => {
    isWaiting = false;
    const sums = [...spent.values()].map((sum) => ({
      ...sum,
      kind: 'spent' as const,
      nanoUsd: String(sum.nanoUsd),
    }));
    const news = [...tries, ...sums];
    tries = [];
    spent = new Map();
    tell(news);
  };
  const wait = (): void => {
    if (isWaiting) return;
    isWaiting = true;
    clock.after(TELL_EVERY_MS, flush);
  };
  return {
    tried(one) {
      if (tries.length < MOST_TOLD) tries.push(one);
      wait();
    },
    spent({ task, caller, costNanoUsd }) {
      const name = JSON.stringify([task, caller]);
      const sum = spent.get(name);
      if (sum !== undefined) sum.nanoUsd += costNanoUsd;
      else if (spent.size < MOST_TOLD) spent.set(name, { task, caller, nanoUsd: costNanoUsd });
      wait();
    },
  };
}
