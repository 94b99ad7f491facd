// What a task keeps of its texts and for how long, as the plan says under which a run was made.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { DEFAULT_RETAIN } from '../../plan/defaults.ts';
import type { PlanTask } from '../../plan/types.ts';

export type Retain = PlanTask['retain'];

const REMEMBERED_PLANS = 100;

export class Retention {
  readonly #plan: StatementSync;
  #plans = new Map<string, ReadonlyMap<string, Retain>>();

  constructor(database: DatabaseSync) {
    this.#plan = database.prepare(
      'select contents.text as text from revisions join contents on contents.id = plan_content where revisions.hash = ?',
    );
  }

  /** The language's default where the plan is not in the ledger. */
  of(revision: string, task: string): Retain {
    let tasks = this.#plans.get(revision);
    if (tasks === undefined) {
      tasks = this.#read(revision);
      // A plan that is not there yet may come with the next transaction.
      if (tasks.size === 0) return DEFAULT_RETAIN;
      if (this.#plans.size >= REMEMBERED_PLANS) this.#plans = new Map();
      this.#plans.set(revision, tasks);
    }
    return tasks.get(task) ?? DEFAULT_RETAIN;
  }

  #read(revision: string): ReadonlyMap<string, Retain> {
    const text = this.#plan.get(revision)?.['text'] as string | undefined;
    if (text === undefined) return new Map();
    const { tasks } = JSON.parse(text) as { readonly tasks?: { readonly [name: string]: Partial<PlanTask> } };
    return new Map(Object.entries(tasks ?? {}).map(([name, { retain }]) => [name, retain ?? DEFAULT_RETAIN]));
  }

  forget(): void {
    this.#plans = new Map();
  }
}
