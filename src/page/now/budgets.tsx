// Each budget as one bar: spent, held, free; and when it runs out at this pace.
import { useEffect } from 'react';
import { Link } from 'wouter';
import { useData } from '../client.ts';
import { count, Empty, moment, Usd } from '../parts/parts.tsx';
import { addressOf } from '../parts/url.ts';
import { exactUsd, nanoUsd, share, usd } from '../parts/usd.ts';
import type { ForecastsQuery, SpendNowSubscription } from '../generated/graphql.ts';
import { forecastsQuery } from './query.ts';

type Forecast = ForecastsQuery['budgets'][number]['forecast'];
type Budget = SpendNowSubscription['costStats']['budgets'][number];

/** A forecast is from hours and weekdays: it does not change by the second. */
const FORECAST_EVERY_MS = 30_000;

export function Budgets({ budgets }: { readonly budgets: readonly Budget[] }) {
  const [{ data }, read] = useData(forecastsQuery, {});
  useEffect(() => {
    const timer = setInterval(() => read({ requestPolicy: 'network-only' }), FORECAST_EVERY_MS);
    return () => clearInterval(timer);
  }, [read]);
  const forecasts = new Map((data?.budgets ?? []).map(({ id, forecast }) => [id, forecast]));
  if (budgets.length === 0)
    return (
      <Empty>
        No budget is declared. A line in headgate.yaml gives one: budgets:{' '}
        {'{ month: { limit: $400, per: month } }'}
      </Empty>
    );
  const sorted = budgets.toSorted((a, b) => used(b) - used(a));
  return (
    <ul className="budgets">
      {sorted.map((budget) => (
        <BudgetBar key={budget.id} budget={budget} forecast={forecasts.get(budget.id)} />
      ))}
    </ul>
  );
}

const used = ({ spent, held, limit }: Budget): number =>
  share(nanoUsd(spent) + nanoUsd(held), nanoUsd(limit));

/** What its dimensions are called in the address of Explore. */
const FILTERS = new Set(['provider', 'model', 'task', 'caller', 'team']);

/** What it was spent for, since its window began; where more than this account is counted there (who has no team, say), it is one of the groups. */
function behind({ scope, account, each, per, windowStartedAt }: Budget): string {
  if (per === 'run') return account === '' ? '/runs' : `/runs/${encodeURIComponent(account)}`;
  const [kind, of] = parted(scope, ':');
  const filters = FILTERS.has(kind) ? { [kind]: of } : {};
  const by = { task: 'MODEL', model: 'TASK' }[kind] ?? 'TASK';
  const window = { span: 'custom', from: windowStartedAt };
  if (each === null) return addressOf('/explore', { ...window, by, ...filters });
  const [whose, tagKey] = parted(each, ':');
  if (account === '')
    return addressOf('/explore', { ...window, by: whose.toUpperCase(), tagKey, ...filters });
  // A session is its caller's, and has no slash itself.
  const slash = account.lastIndexOf('/');
  const own: { readonly [name: string]: string } =
    whose === 'session'
      ? { caller: account.slice(0, slash), session: account.slice(slash + 1) }
      : { [whose]: whose === 'tag' ? `${tagKey}=${account}` : account };
  return addressOf('/explore', { ...window, by, ...filters, ...own });
}

function parted(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function BudgetBar({
  budget,
  forecast,
}: {
  readonly budget: Budget;
  readonly forecast: Forecast | undefined;
}) {
  const { name, account, unit, per, then } = budget;
  const [spent, held, limit] = [nanoUsd(budget.spent), nanoUsd(budget.held), nanoUsd(budget.limit)];
  const free = limit - spent - held;
  const say = (nano: bigint): string =>
    unit === 'USD' ? usd(nano) : `${count(String(nano / 1_000_000_000n))} ${unit.toLowerCase()}`;
  const whole = used(budget);
  const tone = whole >= 0.999 ? 'bad' : whole >= 0.8 ? 'warn' : 'good';
  return (
    <li>
      <p className="budget-title">
        <strong>
          <Link href={behind(budget)}>{account === '' ? name : `${name} · ${account}`}</Link>
        </strong>
        <span className="hint">
          {say(limit)} per {per}, then {then.toLowerCase()}
        </span>
      </p>
      <div
        className={`bar-track ${tone}`}
        role="meter"
        aria-label={`Budget ${name}${account === '' ? '' : `, ${account}`}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(whole * 100)}
        aria-valuetext={`${say(spent)} spent, ${say(held)} held, ${say(free)} free of ${say(limit)}`}
      >
        <span className="spent" style={{ inlineSize: `${share(spent, limit) * 100}%` }} />
        <span className="held" style={{ inlineSize: `${share(held, limit) * 100}%` }} />
      </div>
      <p className="hint">
        <span data-figure={`spent-${name}`} data-nano={String(spent)} title={exactUsd(spent)}>
          {say(spent)} spent
        </span>{' '}
        · {say(held)} held · {say(free)} free
        {budget.resetsAt !== null && <> · resets {moment(budget.resetsAt)}</>}
        <Outlook forecast={forecast} free={free} />
      </p>
    </li>
  );
}

/** Nothing is said where there is no past to say it from. */
function Outlook({ forecast, free }: { readonly forecast: Forecast | undefined; readonly free: bigint }) {
  if (free <= 0n) return <strong> · used up</strong>;
  if (forecast === undefined || forecast === null || forecast.expected === null) return null;
  if (forecast.exhaustedAt === null)
    return (
      <>
        {' '}
        · ends at about <Usd of={forecast.expected} />
        {forecast.low !== null && forecast.high !== null && (
          <>
            {' '}
            (<Usd of={forecast.low} /> to <Usd of={forecast.high} />)
          </>
        )}
      </>
    );
  return (
    <strong>
      {' '}
      · runs out {moment(forecast.exhaustedAt)} at this pace
      {forecast.earliest !== null && `, ${moment(forecast.earliest)} at the earliest`}
    </strong>
  );
}
