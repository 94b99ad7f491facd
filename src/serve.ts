// The app behind HTTP: the GraphQL schema over its plan, keys, what goes on after a restart, and what is done every hour.
import { DEFAULT_DRAIN_MS } from './app.ts';
import type { App } from './app.ts';
import { alertRecord, forecastAlert } from './engine/execution/alert-records.ts';
import { createForecastAlerts, windowOf } from './ledger/stats/forecast-alerts.ts';
import { CATALOGUE_PUBLISHED_MS } from './language/plan/catalogue.ts';
import { storageWords } from './errors/storage-words.ts';
import { logRevisions } from './revisions/alerts.ts';
import type { ServerOptions } from './server/options.ts';

export interface ServeOptions extends Pick<
  ServerOptions,
  | 'host'
  | 'port'
  | 'mode'
  | 'introspection'
  | 'graphiql'
  | 'corsOrigins'
  | 'allowedHosts'
  | 'persistedOperations'
  | 'limits'
  | 'staticDir'
  | 'trustProxy'
  | 'webhookSecret'
  | 'log'
  | 'tracer'
> {
  /** Load the workflows again when they change. Default true. */
  readonly watch?: boolean;
}

/** Puts the app behind GraphQL. `close` takes no more requests and lets those under way end within `drainMs`; the app itself is closed after it. */
export async function serveApp(
  app: App,
  options: ServeOptions,
): Promise<{ readonly url: string; readonly open: boolean; close(drainMs?: number): Promise<void> }> {
  const { watch = true, ...serverOptions } = options;
  // A run from the command line needs none of this, so it is loaded here.
  const [{ buildSchema }, services, { createServer }, { logRecovered }, { watchAlerts }] = await Promise.all([
    import('./server/graphql/schema.ts'),
    servicesOf(app),
    import('./server/server.ts'),
    import('./server/observe/run-log.ts'),
    import('./server/alerts/watch.ts'),
  ]);
  const { engine, ledger, stats, revisions, clock } = app;
  if (options.log) logRecovered(ledger, options.log);
  const server = await createServer({
    ...serverOptions,
    services,
    schemaFor: (plan) => buildSchema({ plan }),
    exchangerOf: (plan, provider) => app.providers.get(plan, provider).exchanger,
    ledgerHealth: async () => {
      const { ok, failure } = ledger.health();
      // Asked without a key: the driver's words and where its files lie are for the log alone.
      return { ok, detail: failure === null ? 'writable' : storageWords(failure) };
    },
  });
  try {
    // What a crash or a restart cut off goes on from its last receipt (INV-5).
    const resumed = await engine.resume();
    if (resumed > 0) options.log?.info({ resumed }, 'runs go on after a restart');
    const stopTaking = takeWaiting(app);
    if (options.log) logRevisions(revisions, options.log);
    const alerts = await watchAlerts(
      {
        ledger,
        stats,
        plan: () => revisions.active().plan,
        pricesAtMs: CATALOGUE_PUBLISHED_MS,
        env: app.env,
        clock,
        random: app.random,
        told: (sink, result, error) => {
          if (error === null) options.log?.info({ sink }, `alert ${result}`);
          else options.log?.warn({ sink, err: error }, 'an alert was not delivered; it is tried again');
        },
      },
      app.sinceMs,
    );
    const stopFollowing = revisions.onChange((result) => {
      if (result.kind === 'activated')
        alerts
          .configure()
          .catch((error: unknown) =>
            options.log?.error({ err: error }, 'the sinks of alerts stay as they were'),
          );
    });
    const stopPruning = pruneEvery(PRUNE_EVERY_MS, app, options.log);
    const stopForecasting = await forecastEvery(FORECAST_EVERY_MS, app, options.log);
    if (watch)
      await revisions.watch((error) =>
        options.log?.error(
          { err: error },
          'the workflows could not be loaded again; the last good revision serves on',
        ),
      );
    ledger.cluster?.ready();
    return {
      url: server.url,
      open: server.open,
      async close(drainMs = DEFAULT_DRAIN_MS) {
        stopPruning();
        stopForecasting();
        stopFollowing();
        stopTaking();
        // Runs that the time is over for end first, so that who waits for them is told, and not cut off.
        await Promise.all([engine.drain(drainMs), server.close(drainMs + ANSWERED_WITHIN_MS)]);
        await alerts.close();
      },
    };
  } catch (error) {
    // Else the process would go on listening, with a ledger that is closed.
    await server.close(0);
    throw error;
  }
}

/** What the API may use of an app, and nothing else. */
export async function servicesOf(app: App): Promise<ServerOptions['services']> {
  const [{ RunJournals }, { LiveStats }, { KeyRing }, { createProvidersView }, { testSinks }, remoteRuns] =
    await Promise.all([
      import('./server/graphql/live/journal.ts'),
      import('./server/graphql/live/live-stats.ts'),
      import('./server/keys/key-ring.ts'),
      import('./server/providers-view.ts'),
      import('./server/alerts/test-sinks.ts'),
      import('./server/graphql/live/remote-runs.ts'),
    ]);
  const journals = new RunJournals();
  const { engine, ledger, stats, budgets, guards, policies, rateGates, revisions, clock } = app;
  const keys = await KeyRing.open({ ledger, clock, random: app.random });
  const { cluster } = ledger;
  remoteRuns.journalContinued(engine, journals);
  const remoteOf = ({ messages }: NonNullable<typeof cluster>): InstanceType<typeof remoteRuns.RemoteRuns> =>
    new remoteRuns.RemoteRuns({ messages, journals, engine, history: ledger, clock });
  cluster?.onChanged((what) => {
    // A revoked key is refused on every node at once; what was missed is found when it is old.
    if (what === 'keys') keys.refresh().catch(() => undefined);
  });
  return {
    clock,
    engine,
    ledger,
    written: ledger,
    stats,
    budgets,
    guards,
    providers: createProvidersView({
      plan: () => revisions.active().plan,
      providers: app.providers,
      policies,
      rateGates,
      signals: stats,
    }),
    revisions,
    adjustSpend: (adjustment) => app.adjustSpend(adjustment),
    testAlerts: () => testSinks(Object.values(revisions.active().plan.alerts ?? {}), app.env, clock),
    nodes: () => cluster?.nodes() ?? [],
    keys,
    live: {
      stats: new LiveStats(stats, clock),
      runs: journals,
      ...(cluster === undefined ? {} : { remote: remoteOf(cluster) }),
    },
  };
}

/** Where nodes share the ledger: durable runs that wait for a node, those of one that died among them, are taken as soon as it is told, or looked for. */
function takeWaiting({ engine, ledger: { cluster }, clock }: App): () => void {
  if (cluster === undefined) return () => undefined;
  const take = (): void => {
    engine.resume().catch(() => undefined);
  };
  const stopListening = cluster.onWaiting(take);
  let cancel = (): void => undefined;
  const look = (): void => {
    take();
    cancel = clock.after(LOOK_EVERY_MS, look);
  };
  cancel = clock.after(LOOK_EVERY_MS, look);
  return () => {
    stopListening();
    cancel();
  };
}

const LOOK_EVERY_MS = 1_000;
/** For the last answers, after the drain. */
const ANSWERED_WITHIN_MS = 1_000;
const PRUNE_EVERY_MS = 3_600_000;
/** A forecast is from hours and weekdays: it does not change by the second. */
const FORECAST_EVERY_MS = 5 * 60_000;
/** Alerts of windows that are open now are among the newest. */
const ALERTS_READ = 500;

/** What its time is over for is deleted, and leases that ran out are settled: at the start and then hourly. */
function pruneEvery(everyMs: number, { ledger, clock }: App, log: ServeOptions['log']): () => void {
  let cancel = (): void => undefined;
  const prune = (): void => {
    ledger
      .prune(clock.nowMs())
      .catch((error: unknown) => log?.warn({ err: error }, 'the ledger could not be pruned'));
    cancel = clock.after(everyMs, prune);
  };
  prune();
  return () => cancel();
}

/** Budgets that are expected to be spent before they reset; what an earlier process said of a window is not said again. */
async function forecastEvery(
  everyMs: number,
  { budgets, stats, ledger, clock, random }: App,
  log: ServeOptions['log'],
): Promise<() => void> {
  const { rows } = await ledger.alerts({ limit: ALERTS_READ });
  const alerts = createForecastAlerts({
    views: () => budgets.views(),
    forecast: (view) => stats.forecast(view),
    told: rows.flatMap(({ kind, details: { budget, account, windowStartedAtMs } }) =>
      kind === 'budget_forecast' &&
      typeof budget === 'string' &&
      typeof account === 'string' &&
      typeof windowStartedAtMs === 'number'
        ? [windowOf({ budgetId: budget, account, windowStartedAtMs })]
        : [],
    ),
    tell: (alert) =>
      void ledger
        .recordAlert(alertRecord(forecastAlert(alert), clock, random))
        .catch((error: unknown) => log?.warn({ err: error }, 'an alert could not be written')),
  });
  let cancel = (): void => undefined;
  const look = (): void => {
    alerts.look().catch((error: unknown) => log?.warn({ err: error }, 'budgets could not be forecast'));
    cancel = clock.after(everyMs, look);
  };
  look();
  return () => cancel();
}
