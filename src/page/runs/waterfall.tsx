// A run on the axis of its time: each step, and in it each call with its queue, first token and stream.
import { duration } from '../parts/parts.tsx';
import type { OneRunQuery } from '../generated/graphql.ts';

type OneRun = NonNullable<OneRunQuery['run']>;
type Attempt = OneRun['attempts'][number];

const msOf = (at: string): number => new Date(at).getTime();

export function Waterfall({ run }: { readonly run: OneRun }) {
  const startMs = msOf(run.startedAt);
  const ends = [
    run.finishedAt,
    ...run.steps.map(({ finishedAt }) => finishedAt),
    ...run.attempts.map(({ finishedAt }) => finishedAt),
  ].map((at) => (at === null ? Date.now() : msOf(at)));
  const spanMs = Math.max(1, Math.max(...ends) - startMs);
  const place = (fromMs: number, toMs: number) => ({
    insetInlineStart: `${((fromMs - startMs) / spanMs) * 100}%`,
    inlineSize: `max(2px, ${(Math.max(0, toMs - fromMs) / spanMs) * 100}%)`,
  });
  return (
    <div className="waterfall">
      <p className="hint">
        0 to {duration(spanMs)}: <span className="key queue" /> queue <span className="key wait" /> until the
        first token <span className="key stream" /> stream
      </p>
      <ol aria-label="Steps and calls, in order">
        {run.steps.map((step) => (
          <li key={step.key}>
            <div className="lane">
              <span className="lane-name">
                {step.key} <span className="hint">{step.kind.toLowerCase()}</span>
              </span>
              <span className="lane-track">
                <span
                  className={`lane-bar step ${step.status.toLowerCase()}`}
                  style={place(
                    msOf(step.startedAt),
                    step.finishedAt === null ? startMs + spanMs : msOf(step.finishedAt),
                  )}
                />
              </span>
              <span className="lane-time">{spanOf(step)}</span>
            </div>
            {run.attempts
              .filter((attempt) => attempt.step === step.key)
              .map((attempt) => (
                <div className="lane call" key={attempt.id}>
                  <span className="lane-name">
                    ↳ {attempt.model} <span className="hint">{attempt.status.toLowerCase()}</span>
                  </span>
                  <span className="lane-track">
                    {partsOf(attempt, startMs + spanMs).map(({ kind, fromMs, toMs }) => (
                      <span
                        key={kind}
                        className={`lane-bar ${kind} ${attempt.status.toLowerCase()}`}
                        style={place(fromMs, toMs)}
                        title={`${kind}: ${duration(toMs - fromMs)}`}
                      />
                    ))}
                  </span>
                  <span className="lane-time">
                    {attempt.latencyMs === null ? '…' : duration(attempt.latencyMs)}
                  </span>
                </div>
              ))}
          </li>
        ))}
      </ol>
    </div>
  );
}

function spanOf({
  startedAt,
  finishedAt,
}: {
  readonly startedAt: string;
  readonly finishedAt: string | null;
}): string {
  return finishedAt === null ? '…' : duration(msOf(finishedAt) - msOf(startedAt));
}

/** The parts of a call that are known, in the order of time. */
function partsOf(attempt: Attempt, nowMs: number) {
  const openedMs = msOf(attempt.startedAt);
  const sentMs = openedMs + attempt.queueMs;
  const endMs = attempt.finishedAt === null ? nowMs : msOf(attempt.finishedAt);
  const firstMs = attempt.firstTokenMs === null ? endMs : Math.min(endMs, sentMs + attempt.firstTokenMs);
  return [
    { kind: 'queue', fromMs: openedMs, toMs: Math.min(sentMs, endMs) },
    { kind: 'wait', fromMs: Math.min(sentMs, endMs), toMs: firstMs },
    { kind: 'stream', fromMs: firstMs, toMs: endMs },
  ].filter(({ fromMs, toMs }) => toMs > fromMs);
}
