// Guards: may this run start, and is spending switched off for it? Loops, surges and switches in one place.
import type { Clock } from '../../../common/clock.ts';
import { formatUsd } from '../../../common/money.ts';
import type { PlanSurgeGuard } from '../../../language/plan/types.ts';
import { createListeners } from '../listeners.ts';
import { formatDuration } from '../../../common/units.ts';
import { SAME } from '../../../language/plan/print.ts';
import { createLoopGuards } from './loop.ts';
import { createTeller } from './news.ts';
import type { GuardNews } from './news.ts';
import type { GuardAlert, Guards, SpendSwitch } from './port.ts';
import { createSurgeGuard, type Surge } from './surge.ts';
import { createSwitches } from './switches.ts';

export interface GuardsOptions {
  readonly clock: Clock;
  /** The switches that are off, as the ledger kept them. */
  readonly switches: Iterable<SpendSwitch>;
  readonly surge?: PlanSurgeGuard | null;
  /** The inputs that the loop guard remembers at least, and at most twice as many; default 20,000. */
  readonly inputsKept?: number;
  /** The most callers and tasks that the surge guard remembers; default 2,000, 5 to 10 kB each. */
  readonly maxScopes?: number;
  /** Where several nodes guard the same callers: what each tells the others of, some five times a second. */
  readonly tell?: (news: readonly GuardNews[]) => void;
}

const LOOP = 'guard:loop';
const SURGE = 'guard:surge';

export function createGuards(options: GuardsOptions): Guards {
  const { clock } = options;
  const switches = createSwitches(clock, options.switches);
  const teller = options.tell === undefined ? undefined : createTeller(clock, options.tell);
  const loops = createLoopGuards(options.inputsKept, teller?.tried);
  const surges = createSurgeGuard(options.maxScopes);
  const alerts = createListeners<GuardAlert>();
  let surgeGuard: PlanSurgeGuard | null = null;

  function configure(surge: PlanSurgeGuard | null): void {
    surgeGuard = surge;
    surges.configure(surge);
  }

  function announce(surge: Surge, guard: PlanSurgeGuard): void {
    const { stage, scope, noticedIn, windowNanoUsd, thresholdNanoUsd } = surge;
    const minutes = guard.overMs / 60_000;
    const spent = `$${formatUsd(windowNanoUsd)} within ${minutes} min; usual at this hour is less than $${formatUsd(thresholdNanoUsd)}`;
    const pauses = stage === 'surge' && guard.then === 'pause';
    alerts.tell({
      kind: 'surge',
      scope,
      message: pauses
        ? `Paused ${scope}: ${noticedIn} spent ${spent}.`
        : `${noticedIn} spent ${spent} (mostly ${scope}).`,
      details: {
        stage,
        noticedIn,
        spentNanoUsd: windowNanoUsd.toString(),
        thresholdNanoUsd: thresholdNanoUsd.toString(),
        overMs: guard.overMs,
      },
    });
    if (pauses) switches.pull(scope, `surge: ${noticedIn} spent ${spent}`, SURGE);
  }

  configure(options.surge ?? null);

  return {
    admit(run) {
      const scopes = ['all', `task:${run.task}`, `caller:${run.caller}`];
      const off = switches.first(scopes);
      if (off !== undefined) return { kind: 'paused', switch: off };
      const { task, caller } = run;
      // Monotonic: a wall clock that is set does not let a loop go.
      const verdict = loops.tried(run, run.guards, run.traces, clock.monotonicMs());
      if (verdict.kind === 'pass') return verdict;
      const { guard, repeats, retryAfterMs, answer, tool } = verdict;
      const often =
        tool === undefined
          ? `${SAME[guard.same]} more than ${guard.repeats} times within ${formatDuration(guard.withinMs)}`
          : `a conversation that calls ${tool} with the same arguments ${repeats} times`;
      if (verdict.isNew) {
        alerts.tell({
          kind: 'loop',
          scope: `caller:${caller}`,
          message: `${caller} gave ${task} ${often}.`,
          details: {
            task,
            caller,
            same: guard.same,
            inputHash: run.inputHash,
            repeats,
            withinMs: guard.withinMs,
            action: guard.then,
          },
        });
      }
      if (guard.then === 'pause')
        return {
          kind: 'paused',
          switch: switches.pull(`caller:${caller}`, `loop: ${task} was given ${often}`, LOOP),
        };
      const refusal = { same: guard.same, repeats, withinMs: guard.withinMs, retryAfterMs };
      if (guard.then === 'reuse' && answer !== undefined) return { kind: 'reuse', runId: answer, ...refusal };
      return { kind: 'reject', ...refusal, tool };
    },
    ended: (run) => loops.ended(run, run.guards, run.traces),
    switchFor: switches.first,
    pause: switches.pull,
    resume(scope, by) {
      const undone = switches.undo(scope, by);
      if (undone?.by === SURGE) surges.accepted(scope);
      return undone;
    },
    switches: switches.all,
    replaceSwitches: switches.replace,
    heard(news) {
      for (const one of news) {
        if (one.kind === 'tried') loops.heard(one, clock.monotonicMs());
        // A newer version may tell more.
        if (one.kind === 'spent')
          surges.heard({ ...one, costNanoUsd: BigInt(one.nanoUsd), atMs: clock.nowMs() });
      }
    },
    spent(spend) {
      if (surgeGuard !== null) teller?.spent(spend);
      const surge = surges.spent(spend);
      if (surge !== undefined && surgeGuard !== null) announce(surge, surgeGuard);
    },
    seed: surges.seed,
    configure,
    onSwitch: switches.listen,
    onAlert: alerts.listen,
  };
}
