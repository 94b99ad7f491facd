// headgate history: the revisions of the workflows, when each was in force, and what it cost.
import { systemClock } from '../common/clock.ts';
import type { Json } from '../common/json.ts';
import { formatUsd } from '../common/money.ts';
import type { RevisionRecord } from '../ledger/port.ts';
import type { CostBucket } from '../ledger/stats/port.ts';
import type { RegisterCommand } from './commands.ts';
import { table } from './format/table.ts';
import type { CliIo, ExitCode } from './io.ts';
import { existingLedger } from './ledger-path.ts';
import type { LedgerLocation } from './ledger-path.ts';
import { databaseOption, dataOption, parsePositiveInteger } from './options.ts';

interface HistoryFlags {
  readonly data: string;
  readonly database?: string;
  readonly limit: number;
  readonly json: boolean;
}

interface Entry {
  readonly record: RevisionRecord;
  /** Of everything that ran on it; null: nothing did. */
  readonly bucket: CostBucket | null;
}

export const registerHistory: RegisterCommand = (program, io, end) =>
  program
    .command('history')
    .description('list the revisions of the workflows: from when to when, by whom, at what cost')
    .addOption(dataOption())
    .addOption(databaseOption())
    .option('--limit <n>', 'no more than so many', parsePositiveInteger, 20)
    .option('--json', 'as JSON', false)
    .action(async (flags: HistoryFlags) => end(await history(flags, io)));

async function history({ limit, json, ...location }: HistoryFlags, io: CliIo): Promise<ExitCode> {
  const entries = await readEntries(location, limit);
  if (json) io.out(JSON.stringify(entries.map(entryJson), null, 2));
  else if (entries.length === 0) io.out('No revision was loaded yet.');
  else {
    io.out(table(HEAD, entries.map(entryCells)));
    const pinned = entries.find(({ record }) => record.pinned);
    if (pinned)
      io.err(
        `headgate: revision ${pinned.record.hash.slice(0, 12)} is pinned: what the workflows say has no effect. Release it with "headgate activate --release".`,
      );
  }
  return 0;
}

/** Beside a running server or without one: the database is only read. */
async function readEntries(location: LedgerLocation, limit: number): Promise<readonly Entry[]> {
  const [{ openLedgerReader }, { createStats }] = await Promise.all([
    import('../ledger/open.ts'),
    import('../ledger/stats/stats.ts'),
  ]);
  const path = await existingLedger(location, 'Name its folder with --data DIR, or start a server first.');
  const ledger = openLedgerReader(path);
  const stats = createStats({ ledger: { ...ledger, onWritten: () => () => undefined }, clock: systemClock });
  try {
    const { rows } = await ledger.revisions({ limit });
    // One that was taken again after a long time is an old row with a new beginning.
    const inForce = (await ledger.revisionsInForce()).filter((row) =>
      rows.every(({ hash }) => hash !== row.hash),
    );
    const { groups } = await stats.costStats({ window: 'ALL', by: ['REVISION'] });
    const buckets = new Map(groups.map(({ keys, bucket }) => [keys[0]?.value ?? '', bucket]));
    return [...inForce, ...rows]
      .toSorted((left, right) => newestMs(right) - newestMs(left))
      .slice(0, limit)
      .map((record) => ({ record, bucket: buckets.get(record.hash) ?? null }));
  } finally {
    stats.close();
    await ledger.close();
  }
}

function newestMs({ activeFromMs, compiledAtMs }: RevisionRecord): number {
  return activeFromMs ?? compiledAtMs;
}

const HEAD = [
  'revision',
  'commit',
  'state',
  'from',
  'to',
  'runs',
  'cost',
  'errors',
  'p50',
  'p95',
  'by',
  'subject',
];

function entryCells({ record, bucket }: Entry): readonly string[] {
  const { hash, commit, dirty, author, subject } = record;
  return [
    hash.slice(0, 12),
    commit === null ? '-' : `${commit.slice(0, 8)}${dirty ? '*' : ''}`,
    stateOf(record),
    timeText(record.activeFromMs),
    timeText(record.activeToMs),
    bucket === null ? '0' : String(bucket.runs),
    bucket === null ? '$0' : `$${formatUsd(bucket.costNanoUsd)}`,
    bucket === null ? '-' : `${Math.round(errorRate(bucket) * 1000) / 10}%`,
    milliseconds(bucket?.latencyP50Ms),
    milliseconds(bucket?.latencyP95Ms),
    author?.replace(/\s*<.*$/, '') ?? '-',
    record.problems.length > 0 ? (record.problems[0]?.message ?? '') : (subject ?? '-'),
  ];
}

function stateOf({ problems, pinned, activeFromMs, activeToMs }: RevisionRecord): string {
  if (problems.length > 0) return 'refused';
  if (pinned) return 'pinned';
  if (activeFromMs === null) return 'not taken';
  return activeToMs === null ? 'active' : 'past';
}

/** Of the attempts that were made; a task that calls nobody has none. */
function errorRate({ attempts, errors }: CostBucket): number {
  return attempts === 0 ? 0 : errors / attempts;
}

const timeText = (ms: number | null): string =>
  ms === null ? '-' : new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
const milliseconds = (ms: number | null | undefined): string =>
  ms === null || ms === undefined ? '-' : `${Math.round(ms)}ms`;

function entryJson({ record, bucket }: Entry): Json {
  const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  const { hash, commit, author, subject, dirty, source, pinned, problems } = record;
  return {
    hash,
    commit,
    author,
    subject,
    dirty,
    source,
    state: stateOf(record),
    pinned,
    compiledAt: iso(record.compiledAtMs),
    activeFrom: iso(record.activeFromMs),
    activeTo: iso(record.activeToMs),
    problems: problems.map(({ code, severity, message, remedy, file, line, column }) => ({
      code,
      severity,
      message,
      remedy,
      file,
      line,
      column,
    })),
    runs: bucket?.runs ?? 0,
    attempts: bucket?.attempts ?? 0,
    errors: bucket?.errors ?? 0,
    errorRate: bucket === null ? null : errorRate(bucket),
    cost: formatUsd(bucket?.costNanoUsd ?? 0n),
    saved: formatUsd(bucket?.savedNanoUsd ?? 0n),
    latencyP50Ms: bucket?.latencyP50Ms ?? null,
    latencyP95Ms: bucket?.latencyP95Ms ?? null,
  };
}
