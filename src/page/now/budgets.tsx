// Each budget as one bar: spent, held, free; and when it runs out at this pace.
import { count, duration, Empty, moment } from '../parts/parts.tsx';
import { exactUsd, nanoUsd, share, usd } from '../parts/usd.ts';
import type { SpendNowSubscription } from '../generated/graphql.ts';

type Budget = SpendNowSubscription['costStats']['budgets'][number];

export function Budgets({ budgets, at }: { readonly budgets: readonly Budget[]; readonly at: string }) {
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
        <BudgetBar key={budget.id} budget={budget} at={at} />
      ))}
    </ul>
  );
}

const used = ({ spent, held, limit }: Budget): number =>
  share(nanoUsd(spent) + nanoUsd(held), nanoUsd(limit));

function BudgetBar({ budget, at }: { readonly budget: Budget; readonly at: string }) {
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
        <strong>{account === '' ? name : `${name} · ${account}`}</strong>
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
        <Pace budget={budget} at={at} free={free} spent={spent} />
      </p>
    </li>
  );
}

/** By what its window has seen so far; nothing is said where that is too little, or lasts beyond the reset. */
function Pace({
  budget,
  at,
  free,
  spent,
}: {
  readonly budget: Budget;
  readonly at: string;
  readonly free: bigint;
  readonly spent: bigint;
}) {
  const sinceMs = new Date(at).getTime() - new Date(budget.windowStartedAt).getTime();
  if (free <= 0n) return <> · used up</>;
  if (spent <= 0n || sinceMs < 60_000) return null;
  const leftMs = Number((free * 1000n) / spent) * (sinceMs / 1000);
  const endMs = new Date(at).getTime() + leftMs;
  const resetsMs = budget.resetsAt === null ? Number.POSITIVE_INFINITY : new Date(budget.resetsAt).getTime();
  if (endMs >= resetsMs || leftMs > 60 * 86_400_000) return null;
  return (
    <strong>
      {' '}
      · runs out {moment(new Date(endMs).toISOString())} at this pace, in {duration(leftMs)}
    </strong>
  );
}
