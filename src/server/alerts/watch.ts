// What nobody raises by itself: old prices, a ledger that cannot write, and reports that are due.
import type { Clock } from '../../common/clock.ts';
import type { Random } from '../../common/random.ts';
import { alertRecord } from '../../engine/execution/alert-records.ts';
import type { Recorder } from '../../engine/execution/recorder.ts';
import type { Plan, PlanAlertSink } from '../../language/plan/types.ts';
import type { AlertOutbox, LedgerHealth, LedgerReader, WrittenFeed } from '../../ledger/port.ts';
import type { SpanStats } from '../../ledger/stats/port.ts';
import { createDelivery } from './delivery.ts';
import type { SpendReport } from './message.ts';
import { createSend, type Env } from './send.ts';

export interface WatchOptions {
  readonly ledger: AlertOutbox &
    WrittenFeed &
    Pick<LedgerReader, 'alerts'> &
    Pick<Recorder, 'recordAlert'> & { health(): LedgerHealth };
  readonly stats: SpanStats;
  readonly plan: () => Plan;
  /** When the price catalogue that is installed was published. */
  readonly pricesAtMs: number;
  readonly env: Env;
  readonly clock: Clock;
  readonly random: Random;
  readonly told: (sink: string, result: 'delivered' | 'failed', error: Error | null) => void;
}

export interface AlertWatch {
  /** The plan has changed. */
  configure(): Promise<void>;
  close(): Promise<void>;
}

const LOOK_EVERY_MS = 60_000;
const DAY_MS = 86_400_000;
const PRICES_OLD_AFTER_MS = 30 * DAY_MS;
const PRICES_AGAIN_AFTER_MS = 7 * DAY_MS;
/** Alerts that are read at the start, so that a restart does not say again what was said. */
const REMEMBERED = 500;

/** `sinceMs`: when this process began to open the ledger. */
export async function watchAlerts(options: WatchOptions, sinceMs: number): Promise<AlertWatch> {
  const { ledger, stats, plan, clock, random } = options;
  const delivery = createDelivery({
    ledger,
    clock,
    send: createSend(options.env, () => clock.nowMs()),
    report: (sink) => reportOf(stats, sink),
    told: options.told,
  });
  const record = (text: Parameters<typeof alertRecord>[0]): void => {
    ledger.recordAlert(alertRecord(text, clock, random)).catch(() => undefined);
  };
  const { rows } = await ledger.alerts({ limit: REMEMBERED });
  let pricesToldMs = rows.find(({ kind }) => kind === 'prices_old')?.atMs ?? 0;
  let failing = false;

  const lookAtPrices = (): void => {
    const nowMs = clock.nowMs();
    const days = Math.floor((nowMs - options.pricesAtMs) / DAY_MS);
    if (days * DAY_MS < PRICES_OLD_AFTER_MS || nowMs - pricesToldMs < PRICES_AGAIN_AFTER_MS) return;
    const models = Object.values(plan().models).filter(
      ({ price }) => price.kind === 'rates' && price.source !== 'yaml',
    );
    if (models.length === 0) return;
    pricesToldMs = nowMs;
    record({
      kind: 'prices_old',
      severity: 'warning',
      scope: 'all',
      message: `The price catalogue is ${days} days old; ${models.length} models are billed by it.`,
      remedy:
        'Install a newer Headgate, and see what it changes with "headgate prices diff"; or write the prices into headgate.yaml.',
      details: { days, models: models.slice(0, 20).map(({ key }) => key) },
    });
  };

  const lookAtLedger = async (): Promise<void> => {
    const { failure } = ledger.health();
    if (failure === null) {
      failing = false;
      return;
    }
    if (failing) return;
    failing = true;
    // It cannot be written down, so it is told past the ledger.
    await delivery.tellNow(
      alertRecord(
        {
          kind: 'ledger_failing',
          severity: 'critical',
          scope: 'all',
          message: `The ledger cannot write, so runs are refused: ${failure.message}`,
          remedy: failure.remedy,
          details: { code: failure.code },
        },
        clock,
        random,
      ),
    );
  };

  const look = async (): Promise<void> => {
    await lookAtLedger();
    if (failing) return;
    lookAtPrices();
    await delivery.reports();
  };

  let cancel = (): void => undefined;
  let looking: Promise<void> = Promise.resolve();
  let isClosed = false;
  const next = (): void => {
    cancel = clock.after(LOOK_EVERY_MS, () => {
      looking = look()
        .catch(() => undefined)
        .finally(() => {
          if (!isClosed) next();
        });
    });
  };
  const configure = (fromMs: number): Promise<void> =>
    delivery.configure(Object.values(plan().alerts ?? {}), fromMs);
  await configure(sinceMs);
  lookAtPrices();
  looking = delivery.reports().catch(() => undefined);
  next();
  return {
    configure: () => configure(clock.nowMs()),
    async close() {
      isClosed = true;
      cancel();
      await looking;
      await delivery.close();
    },
  };
}

/** Of the day or week that ended last. */
async function reportOf(stats: SpanStats, { report }: PlanAlertSink): Promise<SpendReport | null> {
  if (report === null) return null;
  const { every, by, timeZone } = report;
  const dimension = BY[by];
  const [last, before] = await Promise.all(
    [1, 2].map((ago) => stats.spend({ span: { calendar: every, ago, timeZone }, by: [dimension] })),
  );
  if (last === undefined || before === undefined) return null;
  const costBefore = new Map(
    before.groups.map(({ keys, bucket }) => [keys[0]?.value ?? '', bucket.costNanoUsd]),
  );
  return {
    ...report,
    fromMs: last.fromMs,
    toMs: last.toMs,
    costNanoUsd: last.total.costNanoUsd,
    beforeNanoUsd: before.total.costNanoUsd,
    savedNanoUsd: last.total.savedNanoUsd,
    runs: last.total.runs,
    groups: last.groups.map(({ keys, bucket }) => {
      const value = keys[0]?.value ?? '';
      return {
        value,
        costNanoUsd: bucket.costNanoUsd,
        beforeNanoUsd: costBefore.get(value) ?? 0n,
        runs: bucket.runs,
      };
    }),
  };
}

const BY = { team: 'TEAM', task: 'TASK', caller: 'CALLER', provider: 'PROVIDER', model: 'MODEL' } as const;
