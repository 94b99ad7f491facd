// The small parts that every view uses: money, moments, states, panels.
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { exactUsd, nanoUsd, usd } from './usd.ts';

/** An amount, short; exact where it is pointed at, and in `data-nano` for whoever reads the page by program. */
export function Usd({ of }: { readonly of: string | bigint }) {
  const nano = typeof of === 'bigint' ? of : nanoUsd(of);
  return (
    <span className="figure" title={exactUsd(nano)} data-nano={String(nano)}>
      {usd(nano)}
    </span>
  );
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' });
const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** `14:10:03` of today, `Tue 14:10` of this week, else the date. */
export function moment(at: string, nowMs = Date.now()): string {
  const time = new Date(at);
  const awayMs = Math.abs(nowMs - time.getTime());
  if (awayMs < 20 * 3_600_000) return CLOCK.format(time);
  return awayMs < 6 * 86_400_000 ? DAY.format(time) : DATE.format(time);
}

export function Moment({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={at}>
      {moment(at)}
    </time>
  );
}

/** `840 ms`, `12.4 s`, `3 min 20 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return minutes < 60
    ? `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const count = (value: number | string): string => Number(value).toLocaleString('en-US');
export const percent = (part: number): string => `${(part * 100).toFixed(part < 0.1 ? 1 : 0)} %`;

/** The text of a form's field. */
export function field(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}

export type Tone = 'good' | 'bad' | 'warn' | 'plain' | 'live';

export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return <span className={`badge ${tone}`}>{children}</span>;
}

const runTone: { readonly [status: string]: Tone } = {
  SUCCEEDED: 'good',
  FAILED: 'bad',
  CANCELLED: 'warn',
  RUNNING: 'live',
  QUEUED: 'plain',
  OPEN: 'live',
  UNRECONCILED: 'warn',
  SKIPPED: 'plain',
};

export function Status({ of }: { readonly of: string }) {
  return <Badge tone={runTone[of] ?? 'plain'}>{of.toLowerCase()}</Badge>;
}

/** A titled part of a view; `aside` stands at the right of its title. */
export function Panel({
  title,
  aside,
  children,
  wide = false,
}: {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
  readonly wide?: boolean;
}) {
  const id = `panel-${title.toLowerCase().replace(/\W+/g, '-')}`;
  return (
    <section className={wide ? 'panel wide' : 'panel'} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

export function Empty({ children }: { readonly children: ReactNode }) {
  return <p className="empty">{children}</p>;
}

export function Problem({ text }: { readonly text: string | undefined }) {
  return text === undefined ? null : (
    <p className="problem" role="alert">
      {text}
    </p>
  );
}

export function RunLink({ id, children }: { readonly id: string; readonly children?: ReactNode }) {
  return <Link href={`/runs/${encodeURIComponent(id)}`}>{children ?? id.slice(-8)}</Link>;
}

/** A table that scrolls by itself on a narrow screen. */
export function Table({
  head,
  children,
  label,
}: {
  readonly head: readonly ReactNode[];
  readonly children: ReactNode;
  readonly label: string;
}) {
  return (
    // Scrolled by keyboard too, so it can be reached by one.
    <div className="table" tabIndex={0} role="region" aria-label={`${label}, table`}>
      <table>
        <thead>
          <tr>
            {head.map((cell, at) => (
              // The columns of a table do not change places.
              <th key={at} scope="col">
                {cell === '' ? <span className="visually-hidden">Action</span> : cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
