// Explore: cost and counts over any span, by any dimension, beside another span; all of it in the address, and as CSV.
import { useMemo, useState, type ReactNode } from 'react';
import { useClient } from 'urql';
import { Link } from 'wouter';
import { errorText, useData } from '../client.ts';
import { Badge, Empty, Panel, Problem, Table, Usd, count, duration, percent } from '../parts/parts.tsx';
import { Chart } from '../parts/chart.tsx';
import { nanoUsd, share } from '../parts/usd.ts';
import { addressOf, useFilter } from '../parts/url.ts';
import { TextFilter } from '../runs/runs.tsx';
import { StatsDimension, type ExploreSpendQuery, type SpendFilter } from '../generated/graphql.ts';
import { savingsQuery, spendBeforeQuery, spendQuery } from './query.ts';
import { Savings } from './savings.tsx';
import { SPANS, fieldOf, instantOf, spanBefore, spanInput, unitOf } from './span.ts';

const DIMENSIONS = Object.values(StatsDimension);

export function Explore() {
  const [span, setSpan] = useFilter('span');
  const [saidFrom, setFrom] = useFilter('from');
  const [saidTo, setTo] = useFilter('to');
  const [from, to] = [instantOf(saidFrom), instantOf(saidTo)];
  const [by, setBy] = useFilter('by');
  const [tagKey, setTagKey] = useFilter('tagKey');
  const [compare, setCompare] = useFilter('compare');
  const filters = {
    task: useFilter('task'),
    provider: useFilter('provider'),
    model: useFilter('model'),
    caller: useFilter('caller'),
    team: useFilter('team'),
    session: useFilter('session'),
    revision: useFilter('revision'),
  };
  const [tag, setTag] = useFilter('tag');
  const [shown, setShown] = useFilter('show');
  const client = useClient();
  // What is shown together is asked for up to one moment; it moves on when something is changed, or on demand.
  const [nowMs, setNowMs] = useState(() => Date.now());

  const dimension = DIMENSIONS.find((one) => one === by) ?? 'TASK';
  const named = span === '' ? 'day' : span;
  const filter: SpendFilter = Object.fromEntries(
    Object.entries(filters).flatMap(([name, [value]]) => (value === '' ? [] : [[name, value]])),
  );
  if (tag.includes('='))
    filter.tag = { key: tag.slice(0, tag.indexOf('=')), value: tag.slice(tag.indexOf('=') + 1) };
  const asked = {
    by: [dimension],
    filter,
    tagKey: dimension === 'TAG' && tagKey !== '' ? tagKey : null,
  };
  const now = useMemo(() => spanInput(named, from, to, nowMs), [named, from, to, nowMs]);
  const before = useMemo(() => spanBefore(named, from, to, nowMs), [named, from, to, nowMs]);
  const wanted = { ...asked, span: now, every: unitOf(named, from, to, nowMs) };
  const [{ data, error, fetching }] = useData(spendQuery, {
    ...wanted,
    first: shown === 'all' ? null : DEAREST_SHOWN,
  });
  const [{ data: earlier }] = useData(
    spendBeforeQuery,
    { ...asked, span: before },
    { pause: compare === '' },
  );
  const [{ data: savings }] = useData(savingsQuery, {
    ...asked,
    span: now,
    // Of the dearest groups alone they cannot be asked for.
    by: dimension === 'SESSION' ? [] : [dimension],
  });
  const spend = data?.spend;
  const savedByKey = new Map((savings?.savings.groups ?? []).map(({ key, savings: { net } }) => [key, net]));
  const beforeByKey = new Map(
    (earlier?.spend.groups ?? []).map(({ key, bucket }) => [key, bucket.cost] as const),
  );
  /** Where a figure leads: to the runs of this span behind it. */
  const behind = (more: { readonly [name: string]: string }): string =>
    addressOf('/runs', {
      from: spend?.from ?? '',
      to: spend?.to ?? '',
      tag,
      ...Object.fromEntries(RUN_FILTERS.map((name) => [name, filters[name][0]])),
      ...more,
    });
  const saveCsv = async (): Promise<void> => {
    // What is not drawn is in the file too.
    const whole =
      spend === undefined || spend.groups.length < spend.groupCount
        ? (await client.query(spendQuery.toString(), { ...wanted, first: null })).data?.spend
        : spend;
    if (whole !== undefined)
      download(csvOf(whole, dimension), `headgate-${dimension.toLowerCase()}-${named}.csv`);
  };

  return (
    <>
      <h1>Explore</h1>
      <form className="filters" aria-label="Span and filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Span
          <select value={named} onChange={(event) => setSpan(event.target.value)}>
            {SPANS.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        {named === 'custom' && (
          <>
            <label>
              From
              <input
                type="datetime-local"
                value={fieldOf(from)}
                onChange={(event) => setFrom(instantOf(event.target.value))}
              />
            </label>
            <label>
              To
              <input
                type="datetime-local"
                value={fieldOf(to)}
                onChange={(event) => setTo(instantOf(event.target.value))}
              />
            </label>
          </>
        )}
        <label>
          By
          <select value={dimension} onChange={(event) => setBy(event.target.value)}>
            {DIMENSIONS.map((one) => (
              <option key={one} value={one}>
                {one.toLowerCase()}
              </option>
            ))}
          </select>
        </label>
        {dimension === 'TAG' && (
          <TextFilter label="Of the tag" value={tagKey} onChange={setTagKey} hint="plan" />
        )}
        {Object.entries(filters).map(([name, [value, set]]) => (
          <TextFilter key={name} label={name} value={value} onChange={set} />
        ))}
        <TextFilter label="tag" value={tag} onChange={setTag} hint="key=value" />
        <label className="check-label">
          <input
            type="checkbox"
            className="check"
            checked={compare !== ''}
            onChange={(event) => setCompare(event.target.checked ? 'before' : '')}
          />
          beside the span before
        </label>
      </form>
      <Problem text={errorText(error)} />
      {spend === undefined ? (
        fetching && <Empty>…</Empty>
      ) : (
        <div className="panels">
          <section className="panel hero" aria-label="Total">
            <Totals
              total={spend.total}
              before={compare === '' ? undefined : earlier?.spend.total}
              failed={behind({ status: 'FAILED' })}
            />
            {!spend.complete && (
              <p className="hint">
                Single calls at the edges of this span are deleted by now: whole days are exact, its edges are
                not in the sums.
              </p>
            )}
            <Chart
              label="Cost over the span"
              points={spend.series.map(({ from, bucket }) => ({ at: from, cost: bucket.cost }))}
            />
            <div className="actions">
              <button type="button" onClick={() => setNowMs(Date.now())}>
                Up to now
              </button>
              <button type="button" onClick={() => void saveCsv()}>
                CSV
              </button>
            </div>
          </section>
          <Panel title={`By ${dimension.toLowerCase()}`} wide>
            <Groups
              spend={spend}
              dimension={dimension}
              before={compare === '' ? undefined : beforeByKey}
              saved={savedByKey}
              behind={behind}
            />
            {spend.groups.length < spend.groupCount && (
              <p>
                <button type="button" onClick={() => setShown('all')}>
                  Show all {count(spend.groupCount)}
                </button>
              </p>
            )}
          </Panel>
          {savings && <Savings total={savings.savings.total} />}
        </div>
      )}
    </>
  );
}

type Total = ExploreSpendQuery['spend']['total'];

function Totals({
  total,
  before,
  failed,
}: {
  readonly total: Total;
  readonly before: Pick<Total, 'cost'> | undefined;
  /** The runs that failed. */
  readonly failed: string;
}) {
  const figures: readonly (readonly [string, ReactNode])[] = [
    ['cost', <Usd key="cost" of={total.cost} />],
    ...(before === undefined ? [] : [['before', <Usd key="before" of={before.cost} />] as const]),
    ['runs', count(total.runs)],
    ['calls', count(total.attempts)],
    [
      'failed',
      <Link key="failed" href={failed}>
        {percent(total.errorRate)}
      </Link>,
    ],
    ['tokens in', count(total.inputTokens)],
    ['tokens out', count(total.outputTokens)],
    [
      'p50 · p95',
      total.latencyP50Ms === null
        ? '–'
        : `${duration(total.latencyP50Ms)} · ${duration(total.latencyP95Ms ?? 0)}`,
    ],
  ];
  return (
    <dl className="facts">
      {figures.map(([name, figure]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd data-figure={`total-${name}`}>{figure}</dd>
        </div>
      ))}
      {nanoUsd(total.estimated) > 0n && (
        <div>
          <dt>of it estimated</dt>
          <dd>
            <Usd of={total.estimated} /> <Badge tone="warn">estimated</Badge>
          </dd>
        </div>
      )}
    </dl>
  );
}

/** What runs can be filtered by too. */
const RUN_FILTERS = ['task', 'provider', 'caller', 'session', 'revision'] as const;

function Groups({
  spend,
  dimension,
  before,
  saved,
  behind,
}: {
  readonly spend: ExploreSpendQuery['spend'];
  readonly dimension: StatsDimension;
  /** What each cost before. */
  readonly before: ReadonlyMap<string, string> | undefined;
  /** Against the baseline; empty: nobody asked. */
  readonly saved: ReadonlyMap<string, string>;
  readonly behind: (filter: { readonly [name: string]: string }) => string;
}) {
  const filter = RUN_FILTERS.find((name) => name === dimension.toLowerCase());
  if (spend.groups.length === 0) return <Empty>Nothing was spent in this span.</Empty>;
  const whole = nanoUsd(spend.total.cost);
  return (
    <Table
      label={`Cost by ${dimension.toLowerCase()}`}
      head={[
        dimension.toLowerCase(),
        'Cost',
        ...(before === undefined ? [] : ['Before', 'Change']),
        ...(saved.size === 0 ? [] : ['Saved']),
        'Share',
        'Runs',
        'Calls',
        'Failed',
        'In',
        'Out',
        'p50',
        'p95',
      ]}
    >
      {spend.groups.map(({ key, keys, bucket }) => {
        const value = keys[0]?.value ?? key;
        const href = filter === undefined || value === '' ? undefined : behind({ [filter]: value });
        const was = before?.get(key);
        const change = nanoUsd(bucket.cost) - nanoUsd(was ?? '0');
        return (
          <tr key={key}>
            <td>{href === undefined ? value || '(none)' : <Link href={href}>{value}</Link>}</td>
            <td>
              <Usd of={bucket.cost} />
            </td>
            {before !== undefined && (
              <>
                <td>{was === undefined ? '–' : <Usd of={was} />}</td>
                <td>
                  {change > 0n && '+'}
                  <Usd of={change} />
                </td>
              </>
            )}
            {saved.size > 0 && (
              <td>
                <Usd of={saved.get(key) ?? '0'} />
              </td>
            )}
            <td>{percent(share(nanoUsd(bucket.cost), whole))}</td>
            <td>{count(bucket.runs)}</td>
            <td>{count(bucket.attempts)}</td>
            <td>{percent(bucket.errorRate)}</td>
            <td>{count(bucket.inputTokens)}</td>
            <td>{count(bucket.outputTokens)}</td>
            <td>{bucket.latencyP50Ms === null ? '–' : duration(bucket.latencyP50Ms)}</td>
            <td>{bucket.latencyP95Ms === null ? '–' : duration(bucket.latencyP95Ms)}</td>
          </tr>
        );
      })}
    </Table>
  );
}

/** There may be a session for every few runs: to add up their latencies and to draw a thousand rows takes long. */
const DEAREST_SHOWN = 100;

/** What is seen, with exact amounts: RFC 4180. A cell that a spreadsheet would take for a formula is kept from it. */
function csvOf({ groups }: ExploreSpendQuery['spend'], dimension: StatsDimension): string {
  const cell = (value: string | number): string => {
    const text = /^[=+\-@\t\r]/.test(String(value)) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const head = [dimension.toLowerCase(), 'costUsd', 'runs', 'calls', 'inputTokens', 'outputTokens'];
  const rows = groups.map(({ key, bucket }) => [
    key,
    bucket.cost,
    bucket.runs,
    bucket.attempts,
    bucket.inputTokens,
    bucket.outputTokens,
  ]);
  return `${[head, ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

function download(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
