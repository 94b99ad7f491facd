// Executors: the tasks of plans with everything compiled that running them needs; made when a plan is activated, and not at a task's first request.
import { LRUCache } from 'lru-cache';
import type { Plan, PlanTask } from '../../language/plan/types.ts';
import { linkTask } from './link.ts';
import type { LinkedTask } from './link.ts';

export interface Executors {
  /** Compiles what is new in the plan, a piece at a time, so that requests are served meanwhile. Throws where an expression does not compile. */
  prepare(plan: Plan): Promise<void>;
  /** That of a plan that was activated is there; that of an older one, whose run goes on after a restart, is made when it is asked for. */
  of(task: PlanTask): LinkedTask;
}

/** By name and content hash: plans share their unchanged tasks, and a thousand tasks in several revisions fit (INV-14). */
const KEPT = 4_000;
/** Compiled in one turn of the event loop; a task takes about a millisecond. */
const AT_ONCE = 8;

export function createExecutors(): Executors {
  const known = new LRUCache<string, LinkedTask>({ max: KEPT });
  const of = (task: PlanTask): LinkedTask => {
    const key = `${task.name} ${task.revision}`;
    let linked = known.get(key);
    if (linked === undefined) known.set(key, (linked = linkTask(task)));
    return linked;
  };
  return {
    of,
    async prepare({ tasks }) {
      for (const [index, task] of Object.values(tasks).entries()) {
        if (index % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => void setImmediate(resolve));
        of(task);
      }
    },
  };
}
