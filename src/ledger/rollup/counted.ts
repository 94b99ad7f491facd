// What attempts and runs are counted for, in SQL: to hold roll-ups to their rows, and for the edges of a span that no roll-up ends at.

const when = (condition: string, value: string): string => `case when ${condition} then ${value} else 0 end`;
/** A text or null, compared with a text, as both databases say it. */
const is = (column: string, text: string): string => `${column} is not distinct from '${text}'`;

/** What the roll-ups' columns are of attempts that are closed: the rule of `countAttempt`, written a second time so that it is held to. */
export const ofAttempts: { readonly [column: string]: string } = {
  cost_nano_usd: 'cost_nano_usd',
  attempts: '1',
  errors: when("status = 'failed'", '1'),
  input_tokens: 'input_tokens',
  cached_input_tokens: 'cached_input_tokens',
  cache_write_tokens: 'cache_write_tokens',
  output_tokens: 'output_tokens',
  reasoning_tokens: 'reasoning_tokens',
  estimated_nano_usd: when('estimated', 'cost_nano_usd'),
  unbaselined_nano_usd: when(
    `status = 'succeeded' and not (${is('saved_by', 'failure')}) and baseline is null`,
    'cost_nano_usd',
  ),
  saved_routing_nano_usd: when(is('saved_by', 'routing'), 'saved_route_nano_usd'),
  saved_local_nano_usd: when(is('saved_by', 'local'), 'saved_route_nano_usd'),
  saved_cascade_nano_usd: when(is('saved_by', 'cascade'), 'saved_route_nano_usd'),
  saved_prompt_cache_nano_usd: 'saved_prompt_cache_nano_usd',
  saved_failures_nano_usd: when(
    `${is('saved_by', 'failure')} or (saved_by is null and status <> 'succeeded')`,
    '-cost_nano_usd',
  ),
};
export const ofRuns: { readonly [column: string]: string } = {
  saved_nano_usd: 'saved_nano_usd',
  runs: '1',
  cached_runs: when('cached > 0', '1'),
  saved_exact_cache_nano_usd: when('cached = 1', 'saved_nano_usd'),
};

export const sumsIn = (columns: { readonly [column: string]: string }): string =>
  Object.entries(columns)
    .map(([name, expression]) => `sum(${expression}) as ${name}`)
    .join(', ');

export const isClosed = "status not in ('open', 'unreconciled')";
export const isFinished = 'finished_at_ms is not null';

/** Columns of roll-ups: what a row does not have is 0, and is not added up. */
export function sumsAs(wanted: readonly string[], columns: { readonly [column: string]: string }): string {
  return wanted
    .map((name) => (name in columns ? `sum(${columns[name]})` : 'cast(0 as bigint)') + ` as ${name}`)
    .join(', ');
}
