// What today costs more or less than is usual by this hour, why, and which commit did it.
import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { errorText, useData } from '../client.ts';
import { Badge, Empty, Panel, Problem, Usd } from '../parts/parts.tsx';
import { addressOf } from '../parts/url.ts';
import { nanoUsd } from '../parts/usd.ts';
import type { ChangedTodayQuery, CostCause, StatsDimension } from '../generated/graphql.ts';
import { changedQuery } from './query.ts';

type Change = ChangedTodayQuery['costChange'];

/** Hours are compared: it does not change by the second. */
const CHANGED_EVERY_MS = 60_000;
/** What comes after is small. */
const MOST_REVISIONS = 5;

const WORDS: { readonly [cause in CostCause]: string } = {
  VOLUME: 'volume',
  EXACT_CACHE: 'answers from the cache',
  FAILURES: 'failures and retries',
  CALLS: 'calls a run',
  ROUTE: 'route',
  INPUT_TOKENS: 'tokens in',
  OUTPUT_TOKENS: 'tokens out',
  PROMPT_CACHE: 'prompt cache',
  PRICE: 'price',
};

/** By what of today it is seen best. */
const SEEN_BY: { readonly [cause in CostCause]: StatsDimension } = {
  VOLUME: 'CALLER',
  EXACT_CACHE: 'TASK',
  FAILURES: 'STATUS',
  CALLS: 'TASK',
  ROUTE: 'MODEL',
  INPUT_TOKENS: 'TASK',
  OUTPUT_TOKENS: 'TASK',
  PROMPT_CACHE: 'MODEL',
  PRICE: 'MODEL',
};

export function Changed() {
  const [to] = useState(() => ({
    calendar: 'DAY' as const,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  }));
  const [{ data, error }, read] = useData(changedQuery, { to });
  useEffect(() => {
    const timer = setInterval(() => read({ requestPolicy: 'network-only' }), CHANGED_EVERY_MS);
    return () => clearInterval(timer);
  }, [read]);
  const change = data?.costChange;
  return (
    <Panel
      title="Today against the usual"
      aside={change !== undefined && change.from.length > 0 && <Signed of={change.change} />}
    >
      <Problem text={errorText(error)} />
      {change === undefined ? <Empty>…</Empty> : <Causes change={change} />}
    </Panel>
  );
}

function Causes({ change }: { readonly change: Change }) {
  if (change.from.length === 0)
    return (
      <Empty>What is usual by this hour is known after a week: the same hours of up to four weeks.</Empty>
    );
  return (
    <>
      <p className="hint">
        <Usd of={change.toCost} /> today, <Usd of={change.fromCost} /> is usual by now
      </p>
      {change.byCause.length > 0 && (
        <ul className="events" aria-label="By cause">
          {change.byCause.map(({ cause, amount }) => (
            <li key={cause}>
              <strong>
                <Signed of={amount} />
              </strong>{' '}
              <Link href={`/explore?span=today&compare=before&by=${SEEN_BY[cause]}`}>{WORDS[cause]}</Link>
            </li>
          ))}
        </ul>
      )}
      {change.byRevision.length > 0 && (
        <ul className="events" aria-label="By commit">
          {change.byRevision.slice(0, MOST_REVISIONS).map(({ amount, byCause, revision, before, lines }) => (
            <li key={revision?.hash ?? 'none'}>
              <strong>
                <Signed of={amount} />
              </strong>{' '}
              {revision === null ? (
                'the same workflows were asked for something else'
              ) : (
                <Maker revision={revision} before={before} lines={lines} />
              )}
              <span className="hint">
                {' '}
                {byCause.map(({ cause }) => WORDS[cause]).join(', ')}
                {lines[0] !== undefined && ` · ${lines[0].file}:${lines[0].line}`}
                {lines.length > 1 && ` and ${lines.length - 1} more lines`}
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

type Effect = Change['byRevision'][number];

/** The commit that changed the lines, where it is one: the newest commit of the repository may be about something else. */
function Maker({
  revision,
  before,
  lines,
}: Pick<Effect, 'before' | 'lines'> & { readonly revision: NonNullable<Effect['revision']> }) {
  const differs = addressOf('/revisions', { before: before?.hash ?? '', hash: revision.hash });
  const badge = (name: string) => (
    <Link href={differs}>
      <Badge tone="plain">{name.slice(0, 8)}</Badge>
    </Link>
  );
  const commits = new Set(lines.map(({ commit }) => commit));
  if (commits.size > 1)
    return (
      <>
        {badge(revision.hash)} {commits.size} commits, by{' '}
        {[...new Set(lines.map((line) => line.author ?? 'others'))].join(', ')}
      </>
    );
  const [line] = lines;
  const { commit, subject, author } = line === undefined || line.commit === null ? revision : line;
  if (revision.dirty || commit === null || (lines.length === 0 && commit === before?.commit))
    return <>{badge(revision.hash)} workflows that are in no commit</>;
  return (
    <>
      {badge(commit)} {subject}
      {author !== null && `, by ${author}`}
    </>
  );
}

function Signed({ of }: { readonly of: string }) {
  return (
    <>
      {nanoUsd(of) > 0n && '+'}
      <Usd of={of} />
    </>
  );
}
