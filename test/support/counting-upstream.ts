// A model server outside the served process that counts: which requests it answered, for whom, and what it would bill for them.
//
//   const upstream = await startCountingUpstream({ random: seededRandom(7) });
//   upstream.otherwise((call) => …)            // as the fault server; default: a good answer after a few milliseconds
//   upstream.billed()                          // what is on the invoice, by the mark in the prompt: `[trail-12:two]`
//
// The prompts of the workflows in test/faults/system begin with a mark, `[RUN:STEP]`, so that a call can be told from another's retry
// whatever became of the process that sent it.
import type { Random } from '../../src/common/random.ts';
import { startFaultServer } from './fault-server.ts';
import type { Behaviour, FaultCall, FaultServer } from './fault-server.ts';

/** Nano-dollars per token: $1 and $4 per million. */
export const INPUT_RATE = 1_000n;
export const OUTPUT_RATE = 4_000n;

export interface Billed {
  readonly calls: number;
  readonly nanoUsd: bigint;
}

export interface CountingUpstream extends FaultServer {
  /** Calls that an invoice would show, by mark. */
  billed(): ReadonlyMap<string, Billed>;
  billedNanoUsd(): bigint;
  /** All requests received, by mark. */
  requests(): ReadonlyMap<string, readonly FaultCall[]>;
}

export interface CountingOptions {
  readonly random: Random;
}

/** The longest that a good answer takes. */
const WITHIN_MS = 40;

const MARK = /\[([\w-]+:[\w-]+)\]/;

export function markOf(call: FaultCall): string {
  return MARK.exec(JSON.stringify(call.body))?.[1] ?? '';
}

export function costOfCall({ billed }: FaultCall): bigint {
  if (billed === null) return 0n;
  return BigInt(billed.inputTokens) * INPUT_RATE + BigInt(billed.outputTokens) * OUTPUT_RATE;
}

export async function startCountingUpstream({ random }: CountingOptions): Promise<CountingUpstream> {
  const server = await startFaultServer();
  server.otherwise((): Behaviour => ({ tokens: 10, firstTokenAfterMs: Math.floor(random() * WITHIN_MS) }));
  const grouped = (): Map<string, FaultCall[]> => {
    const byMark = new Map<string, FaultCall[]>();
    for (const call of server.calls) {
      const mark = markOf(call);
      const known = byMark.get(mark);
      if (known === undefined) byMark.set(mark, [call]);
      else known.push(call);
    }
    return byMark;
  };
  return Object.assign(server, {
    requests: grouped,
    billed: () =>
      new Map(
        [...grouped()].map(([mark, calls]): [string, Billed] => {
          const paid = calls.filter(({ billed }) => billed !== null);
          return [
            mark,
            { calls: paid.length, nanoUsd: paid.reduce((sum, call) => sum + costOfCall(call), 0n) },
          ];
        }),
      ),
    billedNanoUsd: () => server.calls.reduce((sum, call) => sum + costOfCall(call), 0n),
  });
}
