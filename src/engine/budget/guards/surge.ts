// Surge guard: spend of a caller, a task or everything, held against its own past at this hour.
import { LRUCache } from 'lru-cache';
import type { NanoUsd } from '../../../common/money.ts';
import type { PlanSurgeGuard } from '../../../language/plan/types.ts';
import type { Guards, SpendScope } from './port.ts';
import { SpendSeries } from './spend-series.ts';
import { surgeThreshold } from './surge-threshold.ts';

/** Callers and tasks together; beyond, the one that spent longest ago is forgotten and starts young again (INV-14). */
const DEFAULT_SCOPES = 2_000;
/** A person who resumed a scope has accepted what it spent; for this long it takes twice as much to stop it again. */
const ACCEPTED_FOR_MS = 7 * 86_400_000;

export interface SpendEvent {
  readonly task: string;
  readonly caller: string;
  readonly costNanoUsd: NanoUsd;
  readonly atMs: number;
}

export interface Surge {
  /** `warning`: half of the threshold was reached; `surge`: the threshold was passed. */
  readonly stage: 'warning' | 'surge';
  /** The scope to act on: the narrowest one that explains the spend. */
  readonly scope: SpendScope;
  /** The scope whose threshold it was. */
  readonly noticedIn: SpendScope;
  readonly windowNanoUsd: NanoUsd;
  readonly thresholdNanoUsd: NanoUsd;
}

export interface SurgeGuard {
  readonly configure: (guard: PlanSurgeGuard | null) => void;
  /** The past, oldest first: recorded, not judged. */
  readonly seed: (spends: Parameters<Guards['seed']>[0]) => void;
  readonly spent: (spend: SpendEvent) => Surge | undefined;
  /** Spent at another node: it judges what it spends. */
  readonly heard: (spend: SpendEvent) => void;
  /** A person switched this scope on again. */
  readonly accepted: (scope: SpendScope) => void;
}

interface Watched {
  readonly series: SpendSeries;
  thresholdNanoUsd: bigint;
  thresholdSlot: number;
  warnedAtMs: number;
  surgedAtMs: number;
  surgedNanoUsd: bigint;
  acceptedNanoUsd: bigint;
  acceptedUntilMs: number;
  /** Spend in the window for which a narrower scope was stopped already. */
  excusedNanoUsd: bigint;
  excusedUntilMs: number;
}

export function createSurgeGuard(maxScopes: number = DEFAULT_SCOPES): SurgeGuard {
  let guard: PlanSurgeGuard | null = null;
  const scopes = new LRUCache<SpendScope, Watched>({ max: maxScopes });
  let all: Watched | undefined;

  function watched(shape: PlanSurgeGuard, scope: SpendScope): Watched {
    if (scope === 'all') return (all ??= watch(new SpendSeries(shape)));
    let found = scopes.get(scope);
    if (found === undefined) {
      found = watch(new SpendSeries(shape));
      scopes.set(scope, found);
    }
    return found;
  }

  function record(shape: PlanSurgeGuard, spend: SpendEvent): void {
    for (const scope of scopesOf(spend)) watched(shape, scope).series.add(spend.atMs, spend.costNanoUsd);
  }

  /** The caller, or else the task, that made more than half of what a scope spent in this window; else the scope itself. */
  function narrowest(scope: SpendScope, windowNanoUsd: bigint, nowMs: number): SpendScope {
    for (const kind of ['caller:', 'task:']) {
      if (scope.startsWith(kind)) return scope;
      for (const [name, { series }] of scopes.entries()) {
        if (!name.startsWith(kind)) continue;
        series.moveTo(nowMs);
        if (series.windowNanoUsd * 2n > windowNanoUsd) return name;
      }
    }
    return scope;
  }

  function judge(shape: PlanSurgeGuard, scope: SpendScope, nowMs: number): Surge | undefined {
    const one = watched(shape, scope);
    const threshold = thresholdOf(one, shape, nowMs);
    const excused = nowMs < one.excusedUntilMs ? one.excusedNanoUsd : 0n;
    const windowNanoUsd = one.series.windowNanoUsd - excused;
    if (windowNanoUsd * 2n <= threshold) return undefined;
    const isSurge = windowNanoUsd > threshold;
    if (isAnnounced(one, isSurge, shape, nowMs)) return undefined;
    const target = narrowest(scope, windowNanoUsd, nowMs);
    const culprit = watched(shape, target);
    const isKnown = isAnnounced(culprit, isSurge, shape, nowMs);
    for (const marked of [one, culprit]) marked[isSurge ? 'surgedAtMs' : 'warnedAtMs'] = nowMs;
    if (isKnown) return undefined;
    if (isSurge) stop(shape, target, nowMs);
    return {
      stage: isSurge ? 'surge' : 'warning',
      scope: target,
      noticedIn: scope,
      windowNanoUsd,
      thresholdNanoUsd: threshold,
    };
  }

  /** Marks the scope, and excuses its spend in the wider scopes: one loop pulls one switch. */
  function stop(shape: PlanSurgeGuard, target: SpendScope, nowMs: number): void {
    const culprit = watched(shape, target);
    culprit.surgedNanoUsd = culprit.series.windowNanoUsd;
    const normal =
      (thresholdOf(culprit, shape, nowMs) * 1000n) / BigInt(Math.max(1, Math.round(shape.factor * 1000)));
    culprit.series.capCurrentSlot(normal);
    const wider =
      target === 'all'
        ? []
        : [...(all === undefined ? [] : [all]), ...(target.startsWith('caller:') ? tasks() : [])];
    for (const one of wider) {
      one.excusedNanoUsd = (nowMs < one.excusedUntilMs ? one.excusedNanoUsd : 0n) + culprit.surgedNanoUsd;
      one.excusedUntilMs = nowMs + shape.overMs;
    }
  }

  function tasks(): Watched[] {
    return [...scopes.entries()].filter(([name]) => name.startsWith('task:')).map(([, one]) => one);
  }

  return {
    configure(next) {
      const before = guard;
      guard = next;
      if (
        next === null ||
        (before !== null && before.overMs === next.overMs && before.baselineMs === next.baselineMs)
      ) {
        forgetThresholds();
        return;
      }
      // Other slots: the past is poured from the old ones into the new.
      if (all !== undefined) all = poured(all, next);
      for (const [name, one] of [...scopes.entries()].reverse()) scopes.set(name, poured(one, next));
    },
    seed(spends) {
      if (guard === null) return;
      for (const spend of spends)
        if ('scope' in spend) watched(guard, spend.scope).series.add(spend.atMs, spend.costNanoUsd);
        else record(guard, spend);
      forgetThresholds();
    },
    spent(spend) {
      if (guard === null || spend.costNanoUsd === 0n) return undefined;
      record(guard, spend);
      for (const scope of scopesOf(spend)) {
        const surge = judge(guard, scope, watched(guard, scope).series.latestAtMs);
        if (surge !== undefined) return surge;
      }
      return undefined;
    },
    heard(spend) {
      if (guard !== null) record(guard, spend);
    },
    accepted(scope) {
      const one = scope === 'all' ? all : scopes.peek(scope);
      if (one === undefined || one.surgedNanoUsd === 0n) return;
      one.acceptedNanoUsd = one.surgedNanoUsd;
      one.acceptedUntilMs = one.series.latestAtMs + ACCEPTED_FOR_MS;
      one.surgedNanoUsd = 0n;
      one.surgedAtMs = Number.NEGATIVE_INFINITY;
    },
  };

  function forgetThresholds(): void {
    for (const one of [...(all === undefined ? [] : [all]), ...scopes.values()])
      one.thresholdSlot = Number.NaN;
  }
}

/** Narrow before wide. */
function scopesOf({ task, caller }: SpendEvent): readonly SpendScope[] {
  return [`caller:${caller}`, `task:${task}`, 'all'];
}

/** Once per window and stage; a warning after the surge says nothing new. */
function isAnnounced(one: Watched, isSurge: boolean, guard: PlanSurgeGuard, nowMs: number): boolean {
  const lastMs = isSurge ? one.surgedAtMs : Math.max(one.warnedAtMs, one.surgedAtMs);
  return nowMs - lastMs < guard.overMs;
}

/** Worked out once a slot. */
function thresholdOf(one: Watched, guard: PlanSurgeGuard, nowMs: number): bigint {
  if (one.thresholdSlot !== one.series.currentSlot) {
    one.thresholdNanoUsd = surgeThreshold(one.series, guard, nowMs);
    one.thresholdSlot = one.series.currentSlot;
  }
  const accepted = nowMs < one.acceptedUntilMs ? one.acceptedNanoUsd * 2n : 0n;
  return accepted > one.thresholdNanoUsd ? accepted : one.thresholdNanoUsd;
}

function watch(series: SpendSeries): Watched {
  return {
    series,
    thresholdNanoUsd: 0n,
    thresholdSlot: Number.NaN,
    warnedAtMs: Number.NEGATIVE_INFINITY,
    surgedAtMs: Number.NEGATIVE_INFINITY,
    surgedNanoUsd: 0n,
    acceptedNanoUsd: 0n,
    acceptedUntilMs: Number.NEGATIVE_INFINITY,
    excusedNanoUsd: 0n,
    excusedUntilMs: Number.NEGATIVE_INFINITY,
  };
}

function poured(one: Watched, shape: PlanSurgeGuard): Watched {
  const series = new SpendSeries(shape);
  const { series: old } = one;
  for (let slot = old.currentSlot - old.slotCount + 1; slot < old.currentSlot; slot += 1) {
    const spent = old.slot(slot);
    if (spent !== undefined) series.add(slot * old.slotMs, spent);
  }
  series.add(old.latestAtMs, old.windowNanoUsd);
  return { ...one, series, thresholdSlot: Number.NaN };
}
