// What was saved, split by cause, against the baseline that the team names.
import { Link } from 'wouter';
import { Badge, Empty, Panel, Usd } from '../parts/parts.tsx';
import { nanoUsd } from '../parts/usd.ts';
import type { SavingCause, SavingsOfQuery } from '../generated/graphql.ts';

const WORDS: { readonly [cause in SavingCause]: string } = {
  ROUTING: 'a cheaper model than the baseline answered',
  LOCAL: 'a model that costs nothing answered',
  CASCADE: 'a cheap model was tried first, and its answer checked',
  EXACT_CACHE: 'an earlier answer was given again',
  PROMPT_CACHE: 'the provider had read the prompt before',
  FAILURES: 'paid for answers that were not used',
};

type Savings = SavingsOfQuery['savings'];

/** `href`: where it is seen by task. */
export function Savings({ total, href }: { readonly total: Savings['total']; readonly href?: string }) {
  const causes = total.byCause.filter(({ amount }) => nanoUsd(amount) !== 0n);
  return (
    <Panel
      title="Saved"
      aside={
        href === undefined ? (
          <Usd of={total.net} />
        ) : (
          <Link href={href}>
            <Usd of={total.net} /> by task
          </Link>
        )
      }
    >
      {causes.length === 0 ? (
        <Empty>
          Nothing to count yet. With <code>baseline: provider/model</code> in headgate.yaml, savings are
          counted against that model.
        </Empty>
      ) : (
        <ul className="events">
          {causes.map(({ cause, amount, estimated }) => (
            <li key={cause}>
              <strong>
                <Usd of={amount} />
              </strong>{' '}
              {WORDS[cause]} {estimated && <Badge tone="plain">against the price of the same tokens</Badge>}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
