// Policies of calls: timeouts, retries, circuit breakers, bulkheads. Models that share a change are told of together.
import { canonicalJson } from '../../common/json.ts';
import { formatDuration } from '../../common/units.ts';
import type { PlanPolicy } from '../../language/plan/types.ts';
import { modelsOfBoth } from './both.ts';
import { compareBounds, reverse, type Direction } from './direction.ts';
import { pointer } from './keyed.ts';
import type { Change, Concern } from './types.ts';

export const policies: Concern = (comparison) => {
  const shared = new Map<string, Change>();
  for (const [from, to] of modelsOfBoth(comparison))
    for (const { message, looseness, path } of compare(from.policy, to.policy)) {
      const name = `${to.policy.name}\n${message}`;
      const known = shared.get(name);
      const place = pointer('models', to.key, 'policy', ...path);
      shared.set(
        name,
        known === undefined
          ? {
              subject: `policy ${to.policy.name}`,
              message: `${message} (${to.key})`,
              effects:
                looseness === 'same' ? [] : [looseness === 'more' ? 'policy-loosened' : 'policy-tightened'],
              covers: [place],
            }
          : {
              ...known,
              message: known.message.replace(/\)$/, `, ${to.key})`),
              covers: [...known.covers, place],
            },
      );
    }
  return [...shared.values()];
};

interface PolicyChange {
  readonly message: string;
  readonly looseness: Direction;
  readonly path: readonly string[];
}

function compare(from: PlanPolicy, to: PlanPolicy): readonly PolicyChange[] {
  const changes: PolicyChange[] = [];
  const tell = (looseness: Direction, message: string, ...path: readonly string[]): void => {
    changes.push({ looseness, message, path });
  };
  const time = (
    name: string,
    before: number,
    after: number,
    sign: Direction,
    ...path: readonly string[]
  ): void => {
    if (before !== after)
      tell(sign, `${name} ${formatDuration(after)} instead of ${formatDuration(before)}`, ...path);
  };
  const number = (name: string, before: number, after: number, ...path: readonly string[]): void => {
    if (before !== after)
      tell(compareBounds(before, after), `${name} ${after} instead of ${before}`, ...path);
  };
  if (from.name !== to.name) tell('same', `takes the place of ${from.name}`, 'name');
  for (const [name, member] of [
    ['timeout', 'timeoutMs'],
    ['first token within', 'firstTokenMs'],
    ['stall', 'stallMs'],
  ] as const)
    time(name, from[member], to[member], compareBounds(from[member], to[member]), member);
  if (from.watch !== to.watch)
    tell(
      to.watch === 'fallback' ? 'less' : 'more',
      to.watch === 'fallback'
        ? 'watches every call for silence while another candidate can serve'
        : 'watches only streams for silence',
      'watch',
    );
  number('retries', from.retry.attempts, to.retry.attempts, 'retry', 'attempts');
  if (from.retry.backoff !== to.retry.backoff)
    tell('same', `backoff ${to.retry.backoff} instead of ${from.retry.backoff}`, 'retry', 'backoff');
  // Retries that follow each other faster press harder on a provider in trouble.
  for (const [name, member] of [
    ['first retry after', 'initialDelayMs'],
    ['later retries after at most', 'maxDelayMs'],
  ] as const)
    time(
      name,
      from.retry[member],
      to.retry[member],
      reverse(compareBounds(from.retry[member], to.retry[member])),
      'retry',
      member,
    );
  if (canonicalJson(from.circuitBreaker) !== canonicalJson(to.circuitBreaker))
    tell(
      compareBreakers(from.circuitBreaker, to.circuitBreaker),
      `${breakerText(to.circuitBreaker)} instead of ${breakerText(from.circuitBreaker)}`,
      'circuitBreaker',
    );
  number('calls at once', from.bulkhead.concurrent, to.bulkhead.concurrent, 'bulkhead', 'concurrent');
  number('calls waiting', from.bulkhead.queue, to.bulkhead.queue, 'bulkhead', 'queue');
  return changes;
}

type Breaker = PlanPolicy['circuitBreaker'];

function breakerText(breaker: Breaker): string {
  const again = `tries again after ${formatDuration(breaker.halfOpenAfterMs)}`;
  return breaker.kind === 'consecutive'
    ? `opens after ${breaker.failures} failures in a row, ${again}`
    : `opens at ${Math.round(breaker.threshold * 100)}% of ${breaker.minimumCalls} in ${formatDuration(breaker.windowMs)}, ${again}`;
}

/** Looser if any part is: one that opens later protects less, whatever else it does. */
function compareBreakers(from: Breaker, to: Breaker): Direction {
  if (from.kind !== to.kind) return 'more';
  const parts: Direction[] = [reverse(compareBounds(from.halfOpenAfterMs, to.halfOpenAfterMs))];
  if (from.kind === 'consecutive' && to.kind === 'consecutive')
    parts.push(compareBounds(from.failures, to.failures));
  if (from.kind === 'sampling' && to.kind === 'sampling')
    parts.push(
      compareBounds(from.threshold, to.threshold),
      compareBounds(from.minimumCalls, to.minimumCalls),
      from.windowMs === to.windowMs ? 'same' : 'more',
    );
  return parts.includes('more') ? 'more' : parts.includes('less') ? 'less' : 'same';
}
