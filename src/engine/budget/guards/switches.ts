// Switches: scopes for which spending is off, pulled by a person or a guard, and undone only on purpose.
import type { Clock } from '../../../common/clock.ts';
import { createListeners } from '../listeners.ts';
import type { Guards, SpendScope, SpendSwitch } from './port.ts';

type SwitchChange = Parameters<Parameters<Guards['onSwitch']>[0]>[0];

export interface Switches {
  readonly first: (scopes: readonly SpendScope[]) => SpendSwitch | undefined;
  readonly pull: (scope: SpendScope, reason: string, by: string) => SpendSwitch;
  readonly undo: (scope: SpendScope, by: string) => SpendSwitch | undefined;
  readonly all: () => readonly SpendSwitch[];
  /** As the ledger has them: another node has pulled or undone one, and told of it. */
  readonly replace: (switches: Iterable<SpendSwitch>) => void;
  readonly listen: (listener: (change: SwitchChange) => void) => () => void;
}

/** A switch that is off already keeps its first reason, hand and time. */
export function createSwitches(clock: Clock, initial: Iterable<SpendSwitch>): Switches {
  const off = new Map<SpendScope, SpendSwitch>();
  for (const spendSwitch of initial) off.set(spendSwitch.scope, spendSwitch);
  const listeners = createListeners<SwitchChange>();

  return {
    first(scopes) {
      if (off.size === 0) return undefined;
      for (const scope of scopes) {
        const found = off.get(scope);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    pull(scope, reason, by) {
      const before = off.get(scope);
      if (before !== undefined) return before;
      const pulled: SpendSwitch = { scope, reason, by, sinceMs: Math.floor(clock.nowMs()) };
      off.set(scope, pulled);
      listeners.tell({ kind: 'paused', switch: pulled, by });
      return pulled;
    },
    undo(scope, by) {
      const before = off.get(scope);
      if (before === undefined) return undefined;
      off.delete(scope);
      listeners.tell({ kind: 'resumed', switch: before, by });
      return before;
    },
    all: () => [...off.values()],
    replace(switches) {
      off.clear();
      for (const spendSwitch of switches) off.set(spendSwitch.scope, spendSwitch);
    },
    listen: listeners.listen,
  };
}
