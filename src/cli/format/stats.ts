// Cost statistics for a terminal.
import { pausedText, type ShownSwitch } from '../pause.ts';
import { plural } from './problems.ts';
import { table } from './table.ts';

interface ShownBucket {
  readonly cost: string;
  readonly runs: number;
  readonly attempts: number;
  readonly errors: number;
  readonly saved?: string;
  readonly inputTokens?: string | number;
  readonly cachedInputTokens?: string | number;
  readonly outputTokens?: string | number;
  readonly latencyP50Ms?: number | null;
  readonly latencyP95Ms?: number | null;
}

/** As the API gives it: money as decimal text in dollars. */
export interface ShownStats {
  readonly at: string;
  /** What was asked for; left out: a window up to `at`. */
  readonly from?: string;
  readonly to?: string;
  /** False: rows at an edge of the span are deleted, and are not in the sums. */
  readonly complete?: boolean;
  readonly total: ShownBucket & {
    readonly saved: string;
    readonly inputTokens: string | number;
    readonly outputTokens: string | number;
  };
  readonly groups: readonly {
    readonly keys: readonly { readonly value: string }[];
    readonly bucket: ShownBucket;
  }[];
  readonly budgets: readonly {
    readonly name: string;
    readonly account: string;
    readonly unit: string;
    readonly limit: string;
    readonly spent: string;
    readonly held: string;
    readonly resetsAt?: string | null;
  }[];
  readonly paused?: readonly ShownSwitch[];
}

const ms = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : `${Math.round(value)}ms`;

export function statsText({
  at,
  from,
  to,
  complete,
  total,
  groups,
  budgets,
  paused = [],
}: ShownStats): string {
  const parts = [
    ...paused.map(pausedText),
    `${from === undefined || to === undefined ? at : `${from} to ${to}`}  $${total.cost} for ${plural(total.runs, 'run')}, ${plural(total.attempts, 'attempt')} (${total.errors} failed), saved $${total.saved}`,
    `${total.inputTokens} tokens in, ${total.outputTokens} out; p50 ${ms(total.latencyP50Ms) || '–'}, p95 ${ms(total.latencyP95Ms) || '–'}`,
    ...(complete === false
      ? ['Rows at an edge of this time are deleted by now, and are not in the sums.']
      : []),
  ];
  if (groups.length > 0)
    parts.push(
      '',
      table(
        ['', 'cost', 'runs', 'attempts', 'failed', 'p50', 'p95'],
        groups.map(({ keys, bucket }) => [
          keys.map(({ value }) => (value === '' ? '(none)' : value)).join(' / '),
          `$${bucket.cost}`,
          String(bucket.runs),
          String(bucket.attempts),
          String(bucket.errors),
          ms(bucket.latencyP50Ms),
          ms(bucket.latencyP95Ms),
        ]),
      ),
    );
  if (budgets.length > 0) {
    const amount = (unit: string, value: string): string => (unit === 'USD' ? `$${value}` : value);
    parts.push(
      '',
      table(
        ['budget', 'of', 'spent', 'held', 'limit', 'resets'],
        budgets.map(({ name, account, unit, spent, held, limit, resetsAt }) => [
          name,
          account,
          amount(unit, spent),
          amount(unit, held),
          amount(unit, limit),
          resetsAt ?? '',
        ]),
      ),
    );
  }
  return parts.join('\n');
}
