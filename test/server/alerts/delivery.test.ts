// Alerts reach their sinks at least once, whatever is down meanwhile; the same is not said twice, and a storm comes as a digest.
import { beforeEach, describe, expect, it } from 'vitest';
import type { AlertRecord } from '../../../src/engine/execution/recorder.ts';
import type { PlanAlertSink } from '../../../src/language/plan/types.ts';
import type { Ledger } from '../../../src/ledger/open.ts';
import { createDelivery, type Delivery } from '../../../src/server/alerts/delivery.ts';
import type { Message, SpendReport } from '../../../src/server/alerts/message.ts';
import { SinkFailed } from '../../../src/server/alerts/send.ts';
import { ledgerPath, openTestLedger } from '../../support/ledger-folder.ts';
import { createSimulatedClock, type SimulatedClock } from '../../support/simulated-clock.ts';

const HOUR_MS = 3_600_000;
const sink: PlanAlertSink = {
  name: 'ops',
  target: { kind: 'webhook', url: { kind: 'secret', name: 'HOOK' }, secret: null },
  kinds: null,
  from: 'info',
  dedupeMs: HOUR_MS,
  rate: { amount: 20, perMs: HOUR_MS },
  report: null,
};

let clock: SimulatedClock;
let ledger: Ledger;
let path: string;
let sent: Message[];
let isDown: boolean;
let due: SpendReport | null;
let count = 0;

beforeEach(async () => {
  clock = createSimulatedClock();
  path = ledgerPath();
  ledger = await openTestLedger(path, { clock, writer: 'inline' });
  [sent, isDown, due] = [[], false, null];
});

/** What the ledger was asked and has not answered: it does not follow the clock. */
const asked = new Set<Promise<unknown>>();

function followed<Args extends unknown[], Answer>(
  ask: (...args: Args) => Promise<Answer>,
): (...args: Args) => Promise<Answer> {
  return (...args) => {
    const answer = ask(...args);
    asked.add(answer);
    void answer.finally(() => asked.delete(answer)).catch(() => undefined);
    return answer;
  };
}

/** Time passes, minute by minute, and whatever it sets off comes to its end. */
async function pass(ms: number): Promise<void> {
  for (let rest = ms; rest > 0; rest -= 60_000) {
    await clock.advance(Math.min(rest, 60_000));
    do {
      await Promise.allSettled(asked);
      await clock.flush();
    } while (asked.size > 0);
  }
}

function deliveryOf(): Delivery {
  return createDelivery({
    ledger: {
      onWritten: (listener) => ledger.onWritten(listener),
      keepSinks: followed((...args) => ledger.keepSinks(...args)),
      waitingAlerts: followed((...args) => ledger.waitingAlerts(...args)),
      delivered: followed((...args) => ledger.delivered(...args)),
    },
    clock,
    send: (_sink, message) => {
      if (isDown) return Promise.reject(new SinkFailed('ops', 'it answered 503', 'Wait.'));
      sent.push(message);
      return Promise.resolve();
    },
    report: () => Promise.resolve(due),
    told: () => undefined,
  });
}

function alert(over: Partial<AlertRecord> = {}): AlertRecord {
  count += 1;
  return {
    id: `alr_${String(count).padStart(6, '0')}`,
    kind: 'budget_warn',
    severity: 'warning',
    message: `number ${count}`,
    remedy: 'Look.',
    scope: 'budget:company',
    atMs: clock.nowMs(),
    runId: null,
    details: { share: count },
    ...over,
  };
}

const texts = (): string[] =>
  sent.map((message) =>
    message.kind === 'alerts' ? message.alerts.map((one) => one.message).join() : message.kind,
  );

async function raise(...alerts: readonly AlertRecord[]): Promise<void> {
  await Promise.all(alerts.map((one) => ledger.recordAlert(one)));
}

describe('what a sink is told', () => {
  it('is each alert that it takes, once, within seconds', async () => {
    const delivery = deliveryOf();
    await delivery.configure([{ ...sink, kinds: ['budget'], from: 'warning' }], 0);
    const [wanted, other] = [alert(), alert({ kind: 'loop' })];
    await raise(wanted, other, alert({ severity: 'info' }));
    await pass(5_000);
    expect(texts()).toEqual([wanted.message]);
    await pass(HOUR_MS);
    expect(texts()).toEqual([wanted.message]);
    expect((await ledger.waitingAlerts('ops', 10)).waiting).toEqual([]);
    await delivery.close();
  });

  it('is not the same within the time of `dedupe`, and again after it', async () => {
    const delivery = deliveryOf();
    await delivery.configure([sink], 0);
    const same = { details: { share: 0.8, account: '' } };
    for (const minutes of [0, 50, 20]) {
      await pass(minutes * 60_000);
      await raise(alert(same));
      await pass(5_000);
    }
    expect(sent).toHaveLength(2);
    await raise(alert({ details: { share: 1, account: '' } }));
    await pass(5_000);
    expect(sent).toHaveLength(3);
    await delivery.close();
  });

  it('a pause, what follows it, and the next pause are all told', async () => {
    const delivery = deliveryOf();
    await delivery.configure([sink], 0);
    for (const kind of ['paused', 'resumed', 'paused'] as const) {
      await raise(alert({ kind, scope: 'all', details: {} }));
      await pass(5_000);
    }
    expect(sent).toHaveLength(3);
    await delivery.close();
  });

  it('a storm is one digest, the most serious first, and loses nothing', async () => {
    const delivery = deliveryOf();
    await delivery.configure([sink], 0);
    const storm = Array.from({ length: 500 }, () => alert());
    const worst = alert({ severity: 'critical' });
    await raise(...storm, worst);
    await pass(5_000);
    expect(sent).toHaveLength(1);
    const [digest] = sent;
    if (digest?.kind !== 'alerts') throw new Error('no digest');
    expect(digest.alerts[0]?.id).toBe(worst.id);
    expect(new Set(digest.alerts.map(({ id }) => id)).size).toBe(501);
    await delivery.close();
  });

  it('is no more than its rate; what is beyond it comes together when there is room', async () => {
    const delivery = deliveryOf();
    await delivery.configure([{ ...sink, rate: { amount: 2, perMs: HOUR_MS } }], 0);
    const all = Array.from({ length: 6 }, () => alert());
    for (const one of all) {
      await raise({ ...one, atMs: clock.nowMs() });
      await pass(60_000);
    }
    expect(sent).toHaveLength(2);
    await pass(HOUR_MS);
    const told = sent.flatMap((message) =>
      message.kind === 'alerts' ? message.alerts.map(({ id }) => id) : [],
    );
    expect(told.toSorted()).toEqual(all.map(({ id }) => id));
    expect(sent.length).toBeLessThanOrEqual(4);
    await delivery.close();
  });
});

describe('what does not come through', () => {
  it('waits for a sink that is down for an hour, and is told then, all of it', async () => {
    const delivery = deliveryOf();
    await delivery.configure([sink], 0);
    isDown = true;
    const first = alert();
    await raise(first);
    await pass(HOUR_MS / 2);
    const second = alert();
    await raise(second);
    await pass(HOUR_MS / 2);
    expect(sent).toEqual([]);
    isDown = false;
    await pass(16 * 60_000);
    expect(texts()).toEqual([first.message, second.message]);
    await delivery.close();
  });

  it('is told by the next process, where this one dies before the delivery', async () => {
    const delivery = deliveryOf();
    await delivery.configure([sink], 0);
    isDown = true;
    const one = alert();
    await raise(one);
    await pass(5_000);
    await delivery.close();
    await ledger.close();

    isDown = false;
    ledger = await openTestLedger(path, { clock, writer: 'inline' });
    const next = deliveryOf();
    await next.configure([sink], clock.nowMs());
    await pass(5_000);
    expect(texts()).toEqual([one.message]);
    await next.close();
  });

  it('a sink that is new hears of what the start itself found, and of nothing older', async () => {
    await raise(alert());
    await pass(1_000);
    const startMs = clock.nowMs();
    const found = alert();
    await raise(found);
    const delivery = deliveryOf();
    await delivery.configure([sink], startMs);
    await pass(5_000);
    expect(texts()).toEqual([found.message]);
    await delivery.close();
  });

  it('what waited for a sink that is gone is dropped', async () => {
    const delivery = deliveryOf();
    await delivery.configure([sink], 0);
    isDown = true;
    await raise(alert());
    await pass(5_000);
    await delivery.configure([], clock.nowMs());
    expect((await ledger.waitingAlerts('ops', 10)).waiting).toEqual([]);
    await delivery.close();
  });
});

describe('a report', () => {
  const spent = (toMs: number): SpendReport => ({
    every: 'day',
    by: 'team',
    timeZone: 'UTC',
    fromMs: toMs - 24 * HOUR_MS,
    toMs,
    costNanoUsd: 1n,
    beforeNanoUsd: 0n,
    savedNanoUsd: 0n,
    runs: 1,
    groups: [],
  });
  const reported: PlanAlertSink = { ...sink, report: { every: 'day', by: 'team', timeZone: 'UTC' } };

  it('is sent once for each day that ends, and the first when the first whole day is over', async () => {
    const delivery = deliveryOf();
    await delivery.configure([reported], 0);
    const midnight = clock.nowMs();
    due = spent(midnight);
    await delivery.reports();
    expect(sent).toEqual([]);
    due = spent(midnight + 24 * HOUR_MS);
    for (let times = 0; times < 3; times += 1) await delivery.reports();
    expect(sent.map(({ kind }) => kind)).toEqual(['report']);
    await delivery.close();
  });

  it('takes no alert with it that waits', async () => {
    const delivery = deliveryOf();
    await delivery.configure([reported], 0);
    due = spent(clock.nowMs());
    await delivery.reports();
    isDown = true;
    const waiting = alert();
    await raise(waiting);
    await pass(2_000);
    isDown = false;
    due = spent(clock.nowMs() + 24 * HOUR_MS);
    await pass(20_000);
    await delivery.reports();
    expect(texts().toSorted()).toEqual([waiting.message, 'report'].toSorted());
    await delivery.close();
  });
});
