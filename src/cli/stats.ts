// headgate stats: what was spent, from the database or from a running server, once or live.
import { Option } from 'commander';
import { formatUsd } from '../common/money.ts';
import { GROUP_DIMENSIONS } from '../ledger/rollup/dimensions.ts';
import type { CostBucket, SpanRequest, StatsDimension, StatsWindow } from '../ledger/stats/port.ts';
import type { RegisterCommand } from './commands.ts';
import { csv } from './format/csv.ts';
import { statsText, type ShownStats } from './format/stats.ts';
import type { SpendFilter } from './generated/graphql.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import { withLocalStats } from './local-stats.ts';
import { collect, databaseOption, dataOption, keyOption, serverOption } from './options.ts';
import type { ShownSwitch } from './pause.ts';
import { spanInput, spanOfFlags, spanOptions } from './span-options.ts';
import type { SpanFlags } from './span-options.ts';

const WINDOWS = ['HOUR', 'DAY', 'WEEK', 'MONTH', 'ALL'] as const satisfies readonly StatsWindow[];
const FILTERS = ['task', 'caller', 'team', 'provider', 'model', 'session', 'revision', 'tag'] as const;

/** What is grouped by; of TAG, the tag whose values are told apart. */
interface Grouped {
  readonly by: readonly StatsDimension[];
  readonly tagKey?: string;
}
type Filter = { readonly [Name in Exclude<(typeof FILTERS)[number], 'tag'>]?: string } & {
  readonly tag?: { readonly key: string; readonly value: string };
};

interface StatsFlags extends SpanFlags {
  readonly data: string;
  readonly database?: string;
  readonly server?: string;
  readonly key?: string;
  readonly window?: StatsWindow;
  readonly by: Grouped;
  readonly filter: readonly string[];
  readonly watch: boolean;
  readonly format: 'table' | 'json' | 'csv';
  readonly json: boolean;
}

const upper = (text: string): string => text.toUpperCase();

export const registerStats: RegisterCommand = (program, io, end) => {
  const command = program
    .command('stats')
    .description('print what was spent, by whatever you ask for, and what is paused')
    .addOption(dataOption())
    .addOption(databaseOption())
    .addOption(serverOption())
    .addOption(keyOption())
    .addOption(
      new Option(
        '--window <window>',
        'the last hour, day, week or month up to now, or all (default: day)',
      ).argParser((text) => oneOf(WINDOWS, upper(text), '--window')),
    );
  for (const option of spanOptions()) command.addOption(option);
  return command
    .addOption(
      new Option(
        '--by <dimension>',
        'provider, model, task, caller, team, session, tag, tag:KEY, revision or status; several with commas',
      )
        .default({ by: ['PROVIDER', 'TASK'] } satisfies Grouped, 'provider,task')
        .argParser(parseBy),
    )
    .option(
      '--filter <what=value>',
      'only task=, caller=, team=, provider=, model=, session=, revision= or tag=KEY:VALUE; several together',
      collect,
      [],
    )
    .option('--watch', 'go on, as it changes (with --server)', false)
    .addOption(
      new Option('--format <format>', 'how to print').choices(['table', 'json', 'csv']).default('table'),
    )
    .option('--json', 'as JSON, one line per state', false)
    .action(async (flags: StatsFlags) => end(await stats(flags, io)));
};

function parseBy(text: string): Grouped {
  const names = text.split(',').map((name) => name.trim());
  const tagKey = names.flatMap((name) => /^tag:(.+)$/i.exec(name)?.[1] ?? [])[0];
  return {
    by: names.map((name) => oneOf(GROUP_DIMENSIONS, upper(name.replace(/^tag:.+$/i, 'tag')), '--by')),
    ...(tagKey === undefined ? {} : { tagKey }),
  };
}

function parseFilter(pairs: readonly string[]): Filter {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      const name = FILTERS.find((one) => one === pair.slice(0, equals));
      if (name === undefined)
        throw new UsageError(
          `--filter ${pair}: not one of ${FILTERS.map((one) => `${one}=`).join(', ')}`,
          'Write it like task=summarize, or tag=project:atlas.',
        );
      const value = pair.slice(equals + 1);
      if (name !== 'tag') return [name, value];
      const [, key, of] = /^([^:=]+)[:=](.*)$/s.exec(value) ?? [];
      if (key === undefined || of === undefined)
        throw new UsageError(`--filter ${pair}: a tag has a key and a value`, 'Write tag=project:atlas.');
      return [name, { key, value: of }];
    }),
  ) as Filter;
}

function oneOf<Name extends string>(names: readonly Name[], text: string, flag: string): Name {
  const found = names.find((name) => name === text);
  if (found === undefined)
    throw new UsageError(
      `${flag} ${text.toLowerCase()}: not one of ${names.join(', ').toLowerCase()}`,
      'Choose one of them.',
    );
  return found;
}

async function stats(flags: StatsFlags, io: CliIo): Promise<ExitCode> {
  const format = flags.json ? 'json' : flags.format;
  const filter = parseFilter(flags.filter);
  const span = spanOf(flags);
  const print = (shown: ShownStats): void => {
    if (format === 'csv') io.out(statsCsv(shown, flags.by));
    else io.out(format === 'json' ? JSON.stringify(shown) : statsText(shown));
  };
  if (flags.watch) return watch(flags, span, filter, print);
  // By every tag at once a run is counted under each of its tags; only rolling windows are counted so.
  if (flags.by.by.includes('TAG') && flags.by.tagKey === undefined && span.window === undefined)
    throw new UsageError('in a span of time, runs are told apart by one tag', 'Write --by tag:KEY.');
  print(
    flags.server === undefined
      ? await localStats(flags, span, filter)
      : await remoteStats(flags, flags.server, span, filter),
  );
  return 0;
}

function spanOf({ window, ...flags }: StatsFlags): SpanRequest {
  const span = spanOfFlags(flags, { window: window ?? 'DAY' });
  if (window !== undefined && span.window === undefined)
    throw new UsageError('--window ends now, and another span is given too', 'Leave one of them out.');
  return span;
}

/** A row for each group, for spreadsheets; without groups, one for all. */
function statsCsv({ from, to, total, groups }: ShownStats, { by, tagKey }: Grouped): string {
  const names = by.map((name) => (name === 'TAG' && tagKey !== undefined ? tagKey : name.toLowerCase()));
  const rows = by.length === 0 ? [{ keys: [], bucket: total }] : groups;
  return csv(
    [
      'from',
      'to',
      ...names,
      'cost_usd',
      'saved_usd',
      'runs',
      'attempts',
      'failed_attempts',
      'input_tokens',
      'cached_input_tokens',
      'output_tokens',
    ],
    rows.map(({ keys, bucket }) => [
      from ?? '',
      to ?? '',
      ...keys.map(({ value }) => value),
      bucket.cost,
      bucket.saved ?? '',
      String(bucket.runs),
      String(bucket.attempts),
      String(bucket.errors),
      String(bucket.inputTokens ?? ''),
      String(bucket.cachedInputTokens ?? ''),
      String(bucket.outputTokens ?? ''),
    ]),
  );
}

async function watch(
  flags: StatsFlags,
  span: SpanRequest,
  filter: Filter,
  print: (shown: ShownStats) => void,
): Promise<ExitCode> {
  if (flags.server === undefined)
    throw new UsageError('--watch follows a running server', 'Name it with --server http://127.0.0.1:4000.');
  const { team, model, ...rest } = filter;
  if (span.window === undefined || team !== undefined || model !== undefined || flags.by.tagKey !== undefined)
    throw new UsageError(
      '--watch follows a rolling window, and filters by no team or model',
      'Ask with --window, or without --watch.',
    );
  const [{ createRemote }, documents] = await Promise.all([import('./remote.ts'), import('./documents.ts')]);
  const remote = createRemote(flags.server, flags.key);
  const variables = { window: span.window, by: [...flags.by.by], filter: rest };
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    for await (const { costStats } of remote.subscribe(documents.WatchStats, variables, stop.signal))
      print(costStats);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
  return 0;
}

async function remoteStats(
  flags: StatsFlags,
  server: string,
  span: SpanRequest,
  filter: Filter,
): Promise<ShownStats> {
  const [{ createRemote }, documents] = await Promise.all([import('./remote.ts'), import('./documents.ts')]);
  const remote = createRemote(server, flags.key);
  const { viewer } = await remote.query(documents.WhatIsPaused, { all: false });
  const mayAsk = viewer.scopes?.some((scope) => ['admin', 'read:stats', 'read:all'].includes(scope)) ?? true;
  const paused = mayAsk
    ? ((await remote.query(documents.WhatIsPaused, { all: true })).spendSwitches ?? [])
    : (viewer.pauses ?? []);
  const { by, tagKey } = flags.by;
  if (by.includes('TAG') && tagKey === undefined) {
    const { team, model, ...rest } = filter;
    if (team !== undefined || model !== undefined)
      throw new UsageError('by every tag, filters are of no team and no model', 'Write --by tag:KEY.');
    const { costStats } = await remote.query(documents.Stats, {
      window: span.window ?? 'DAY',
      by: [...by],
      filter: rest,
    });
    return { ...costStats, paused };
  }
  const { spend, budgets } = await remote.query(documents.SpendOf, {
    span: spanInput(span),
    by: [...by],
    tagKey: tagKey ?? null,
    filter: filter satisfies SpendFilter,
  });
  return { at: new Date().toISOString(), ...spend, budgets, paused };
}

/** From the database, beside a running server or without one. Budgets are accounts in a server's memory, so they are not among it. */
function localStats({ by, ...location }: StatsFlags, span: SpanRequest, filter: Filter): Promise<ShownStats> {
  return withLocalStats(location, async (reader, ledger) => {
    const paused = (await ledger.switches()).map(({ sinceMs, ...of }): ShownSwitch => ({
      ...of,
      since: new Date(sinceMs).toISOString(),
    }));
    const at = new Date().toISOString();
    if (by.by.includes('TAG') && by.tagKey === undefined) {
      const { team, model, ...rest } = filter;
      if (team !== undefined || model !== undefined)
        throw new UsageError('by every tag, filters are of no team and no model', 'Write --by tag:KEY.');
      const { total, groups } = await reader.costStats({
        window: span.window ?? 'DAY',
        by: by.by,
        filter: rest,
      });
      return { at, total: shownBucket(total), groups: groups.map(shownGroup), budgets: [], paused };
    }
    const { fromMs, toMs, complete, total, groups } = await reader.spend({
      span,
      by: by.by,
      ...(by.tagKey === undefined ? {} : { tagKey: by.tagKey }),
      filter,
    });
    return {
      at,
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
      complete,
      total: shownBucket(total),
      groups: groups.map(shownGroup),
      budgets: [],
      paused,
    };
  });
}

function shownGroup({
  keys,
  bucket,
}: {
  readonly keys: readonly { readonly dimension: StatsDimension; readonly value: string }[];
  readonly bucket: CostBucket;
}): ShownStats['groups'][number] {
  return { keys, bucket: shownBucket(bucket) };
}

function shownBucket(bucket: CostBucket): ShownStats['total'] {
  return {
    cost: formatUsd(bucket.costNanoUsd),
    saved: formatUsd(bucket.savedNanoUsd),
    runs: bucket.runs,
    attempts: bucket.attempts,
    errors: bucket.errors,
    inputTokens: String(bucket.inputTokens),
    cachedInputTokens: String(bucket.cachedInputTokens),
    outputTokens: String(bucket.outputTokens),
    latencyP50Ms: bucket.latencyP50Ms,
    latencyP95Ms: bucket.latencyP95Ms,
  };
}
