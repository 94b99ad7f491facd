// headgate top: a live view of a running server: dollars a minute, budgets, the dearest runs, providers.
import { InvalidArgumentError, Option } from 'commander';
import { parseUsd, type NanoUsd } from '../common/money.ts';
import { parseDuration } from '../language/definition/fields/units.ts';
import type { RegisterCommand } from './commands.ts';
import { topText, type ShownTop } from './format/top.ts';
import type { CliIo, ExitCode } from './io.ts';
import { dataOption, keyOption, parsePositiveInteger, serverOption } from './options.ts';
import type { Remote } from './remote.ts';
import { serverOf } from './server-address.ts';

interface TopFlags {
  readonly data: string;
  readonly server?: string;
  readonly key?: string;
  readonly every: number;
  readonly count?: number;
  readonly runs: number;
  readonly json: boolean;
}

/** The most runs of one page of the API. */
const PAGE = 200;
const HOUR_MS = 3_600_000;
const FEWEST_MS = 200;

export const registerTop: RegisterCommand = (program, io, end) =>
  program
    .command('top')
    .description(
      'watch a running server: dollars a minute, budgets, the dearest runs of the last hour, providers; q ends it',
    )
    .addOption(dataOption())
    .addOption(serverOption())
    .addOption(keyOption())
    .addOption(
      new Option('--every <duration>', 'how often it is asked').default(2_000, '2s').argParser((text) => {
        const ms = parseDuration(text);
        if (ms === undefined || ms < FEWEST_MS)
          throw new InvalidArgumentError('A duration is written like 2s; 200ms is the shortest.');
        return ms;
      }),
    )
    .option('--count <n>', 'so many times, then end (default: until it is stopped)', parsePositiveInteger)
    .option('--runs <n>', 'how many runs are shown', parsePositiveInteger, 10)
    .option('--json', 'as JSON, one line each time', false)
    .action(async (flags: TopFlags) => end(await top(flags, io)));

async function top(flags: TopFlags, io: CliIo): Promise<ExitCode> {
  const address = serverOf(flags.data, flags.server);
  const { createRemote } = await import('./remote.ts');
  const remote = createRemote(address, flags.key);
  const isLive = !flags.json && process.stdout.isTTY && io.isTerminal === true;
  const stop = new AbortController();
  const screen = isLive ? openScreen(() => stop.abort()) : null;
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    for (let shown = 0; !stop.signal.aborted;) {
      const state = await look(remote, address, flags.runs);
      if (flags.json) io.out(JSON.stringify(state));
      else if (screen === null) io.out(`${shown > 0 ? '\n' : ''}${topText(state, io.colours)}`);
      else screen.draw(topText(state, io.colours));
      shown += 1;
      if (shown === flags.count) break;
      await pause(flags.every, stop.signal);
    }
    return 0;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    screen?.close();
  }
}

/** Ends early when it is stopped. */
function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function look(remote: Remote, server: string, runs: number): Promise<ShownTop> {
  const { Top } = await import('./documents.ts');
  const { spend, ...state } = await remote.query(Top, {});
  return {
    at: new Date().toISOString(),
    server,
    ...state,
    total: spend.total,
    runs: await dearest(remote, runs),
  };
}

/**
 * The dearest runs of the last hour. The API lists runs by their time: of each page the price of the last that would be shown is asked for as the
 * least, until a page has them all. Where more than a page cost exactly that, the newest of them are taken.
 */
async function dearest(remote: Remote, wanted: number): Promise<ShownTop['runs']> {
  const { DearestRuns } = await import('./documents.ts');
  const startedFrom = new Date(Date.now() - HOUR_MS).toISOString();
  let least: NanoUsd = 0n;
  for (;;) {
    const { runs } = await remote.query(DearestRuns, {
      first: PAGE,
      filter: { startedFrom, ...(least === 0n ? {} : { minCost: usdText(least) }) },
    });
    const sorted = runs.edges
      .map(({ node }) => node)
      .toSorted((left, right) => compare(costOf(right), costOf(left)));
    const next = costOf(sorted[Math.min(wanted, sorted.length) - 1] ?? { cost: '0' });
    if (!runs.pageInfo.hasNextPage || next <= least) return sorted.slice(0, wanted);
    least = next;
  }
}

const costOf = ({ cost }: { readonly cost: string }): NanoUsd => parseUsd(cost) ?? 0n;
const usdText = (nano: NanoUsd): string => {
  const digits = String(nano).padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
};
const compare = (left: bigint, right: bigint): number => (left < right ? -1 : left > right ? 1 : 0);

interface Screen {
  draw(text: string): void;
  close(): void;
}

/** The terminal's second screen, which leaves what was there before as it was; `q` and Ctrl-C end it. */
function openScreen(onQuit: () => void): Screen {
  const { stdin, stdout } = process;
  let last = '';
  const paint = (): void => {
    // One that does not say how large it is gives 0.
    const [columns, rows] = [stdout.columns || 80, stdout.rows || 24];
    const lines = last.split('\n').slice(0, Math.max(1, rows - 1));
    stdout.write(`\u001b[H${lines.map((line) => `${cut(line, columns)}\u001b[K`).join('\r\n')}\u001b[J`);
  };
  const onKey = (key: Buffer): void => {
    if (/[qQ\u0003]/.test(key.toString())) onQuit();
  };
  stdout.write('\u001b[?1049h\u001b[?25l');
  stdout.on('resize', paint);
  if (stdin.isTTY) stdin.setRawMode(true).on('data', onKey).resume();
  return {
    draw(text) {
      last = text;
      paint();
    },
    close() {
      stdout.off('resize', paint);
      if (stdin.isTTY) stdin.off('data', onKey).setRawMode(false).pause();
      stdout.write('\u001b[?25h\u001b[?1049l');
    },
  };
}

const COLOUR = '\u001b[';

/** To the width of the terminal; colours take none of it. */
function cut(line: string, columns: number): string {
  let shown = 0;
  let at = 0;
  while (at < line.length && shown < columns) {
    if (line.startsWith(COLOUR, at)) at = line.indexOf('m', at) + 1;
    else {
      at += 1;
      shown += 1;
    }
  }
  return at < line.length ? `${line.slice(0, at)}${COLOUR}0m` : line;
}
