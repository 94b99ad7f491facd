// Guards against loops and surges: what they notice, and what they do then.
import { canonicalJson } from '../../common/json.ts';
import { printLoop, printLoops, printSurge, SAME } from '../../language/plan/print.ts';
import type { PlanLoopGuard, PlanLoops, PlanSurgeGuard } from '../../language/plan/types.ts';
import { tasksOfBoth } from './both.ts';
import { compareBounds, compareStrictness, reverse, type Direction } from './direction.ts';
import { namedLoopGuards, pointer } from './keyed.ts';
import type { Change, Comparison, Concern } from './types.ts';

export const guards: Concern = (comparison) => {
  const { before, after } = comparison;
  const project = compareLoops(
    'guard loop',
    before.guards.loop,
    after.guards.loop,
    pointer('guards', 'loop'),
  );
  return [
    ...project.map((change) => ({ ...change, covers: [...change.covers, ...followers(comparison)] })),
    ...tasksOfBoth(comparison).flatMap(([from, to]) =>
      followers(comparison).includes(pointer('tasks', to.name, 'loop'))
        ? []
        : compareLoops(`task ${to.name}`, from.loop, to.loop, pointer('tasks', to.name, 'loop')),
    ),
    ...compareSurge(before.guards.surge, after.guards.surge),
  ];
};

/** Tasks without a guard of their own follow the project's; they are not told one by one. */
function followers(comparison: Comparison): readonly string[] {
  const { before, after } = comparison;
  if (!comparison.differs('guards', 'loop')) return [];
  const same = (left: PlanLoops | null, right: PlanLoops | null): boolean =>
    canonicalJson(left) === canonicalJson(right);
  return tasksOfBoth(comparison)
    .filter(([from, to]) => same(from.loop, before.guards.loop) && same(to.loop, after.guards.loop))
    .map(([, to]) => pointer('tasks', to.name, 'loop'));
}

/** `less` is what lets more happen. */
const toEffect = (strictness: Direction): Change['effects'] =>
  strictness === 'same' ? [] : [strictness === 'more' ? 'guard-tightened' : 'guard-loosened'];

type Tell = (place: readonly string[], strictness: Direction, message: string) => void;

function compareLoops(
  subject: string,
  from: PlanLoops | null,
  to: PlanLoops | null,
  at: string,
): readonly Change[] {
  const what = subject.startsWith('guard') ? '' : 'the loop guard ';
  if (from === null || to === null) {
    if (from === to) return [];
    return [
      {
        subject,
        message: to === null ? `${what}is off` : `${what}is on: ${printLoops(to)}`,
        effects: [to === null ? 'guard-loosened' : 'guard-tightened'],
        covers: [at],
      },
    ];
  }
  const changes: Change[] = [];
  const tell: Tell = (place, strictness, message) => {
    changes.push({
      subject,
      message: `${what}${message}`,
      effects: toEffect(strictness),
      covers: [`${at}${pointer(...place)}`, ...(place.length === 2 ? [`${at}${pointer('guardOrder')}`] : [])],
    });
  };
  const [before, after] = [namedLoopGuards(from), namedLoopGuards(to)];
  for (const [name, guard] of before) {
    const other = after.get(name);
    if (other === undefined) tell(['guards', name], 'less', `no longer stops ${printLoop(guard)}`);
    else compareLoop(guard, other, (member, ...told) => tell(['guards', name, member], ...told));
  }
  for (const [name, guard] of after)
    if (!before.has(name)) tell(['guards', name], 'more', `also stops ${printLoop(guard)}`);
  if (from.depth !== to.depth)
    tell(
      ['depth'],
      reverse(compareBounds(from.depth, to.depth)),
      `lets tasks call each other ${to.depth} deep instead of ${from.depth}`,
    );
  if (from.fanOut !== to.fanOut)
    tell(
      ['fanOut'],
      reverse(compareBounds(from.fanOut, to.fanOut)),
      `lets a run start ${to.fanOut} items instead of ${from.fanOut}`,
    );
  // The order says who answers where two of them trip.
  const kept = (names: Iterable<string>): string =>
    [...names].filter((name) => before.has(name) && after.has(name)).join(', ');
  if (kept(before.keys()) !== kept(after.keys()))
    tell(['guardOrder'], 'less', `asks its guards in another order: ${[...after.keys()].join(', ')}`);
  return changes;
}

function compareLoop(
  from: PlanLoopGuard,
  to: PlanLoopGuard,
  told: (member: keyof PlanLoopGuard, strictness: Direction, message: string) => void,
): void {
  const tell = (member: keyof PlanLoopGuard, strictness: Direction, message: string): void => {
    if (canonicalJson(from[member] ?? null) !== canonicalJson(to[member] ?? null))
      told(member, strictness, message);
  };
  tell(
    'repeats',
    reverse(compareBounds(from.repeats, to.repeats)),
    `lets ${SAME[to.same]} pass ${to.repeats} times instead of ${from.repeats}`,
  );
  tell(
    'withinMs',
    compareBounds(from.withinMs, to.withinMs),
    `counts over ${to.withinMs} ms instead of ${from.withinMs} ms`,
  );
  tell(
    'then',
    compareStrictness(['reuse', 'reject', 'pause'], from.then, to.then),
    `does "${to.then}" instead of "${from.then}"`,
  );
  tell(
    'each',
    to.each === 'session' ? 'less' : 'more',
    to.each === 'session' ? 'counts each session by itself' : 'counts a caller as one, whatever its sessions',
  );
  // What is ignored makes more inputs the same; what is no longer ignored, fewer.
  tell(
    'ignore',
    from.ignore.every((field) => to.ignore.includes(field)) ? 'more' : 'less',
    `ignores ${to.ignore.join(', ') || 'nothing'} instead of ${from.ignore.join(', ') || 'nothing'}`,
  );
}

function compareSurge(from: PlanSurgeGuard | null, to: PlanSurgeGuard | null): readonly Change[] {
  const [text, other] = [from, to].map((guard) => (guard === null ? 'off' : printSurge(guard)));
  if (text === other || text === undefined || other === undefined) return [];
  return [
    {
      subject: 'guard surge',
      message: `is ${other} instead of ${text}`,
      effects: surgeEffects(from, to),
      covers: [pointer('guards', 'surge')],
    },
  ];
}

/** Other spans of time cannot be put in an order: they count as looser. */
function surgeEffects(from: PlanSurgeGuard | null, to: PlanSurgeGuard | null): Change['effects'] {
  if (from === null || to === null) return [to === null ? 'guard-loosened' : 'guard-tightened'];
  const directions = [
    reverse(compareBounds(from.factor, to.factor)),
    reverse(compareBounds(from.floorNanoUsd, to.floorNanoUsd)),
    compareStrictness(['warn', 'pause'], from.then, to.then),
    from.overMs === to.overMs && from.baselineMs === to.baselineMs ? 'same' : 'less',
  ] as const;
  return [...new Set(directions.flatMap(toEffect))].sort();
}
