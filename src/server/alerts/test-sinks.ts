// Sends a test message to sinks, and says of each what came of it.
import type { Clock } from '../../common/clock.ts';
import type { PlanAlertSink } from '../../language/plan/types.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { createSend, type Env } from './send.ts';

export interface TestedSink {
  readonly name: string;
  readonly kind: PlanAlertSink['target']['kind'];
  /** null: it took the message. */
  readonly failure: string | null;
}

export async function testSinks(
  sinks: readonly PlanAlertSink[],
  env: Env,
  clock: Clock,
): Promise<readonly TestedSink[]> {
  const send = createSend(env, () => clock.nowMs());
  const atMs = clock.nowMs();
  return Promise.all(
    sinks.map(async (sink) => {
      const of = { name: sink.name, kind: sink.target.kind };
      try {
        await send(sink, { kind: 'test', id: `msg_test_${sink.name}_${atMs}`, atMs });
        return { ...of, failure: null };
      } catch (error) {
        if (!(error instanceof HeadgateError)) throw error;
        return { ...of, failure: `${error.message}. ${error.remedy}` };
      }
    }),
  );
}
