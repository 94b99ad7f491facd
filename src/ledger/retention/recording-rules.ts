// What a task asks of its runs' records, as the plan says under which a run was made: what is kept of the texts, for how long, and whether its
// cache may look for an answer.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { DEFAULT_RETAIN } from '../../language/plan/defaults.ts';
import type { PlanTask } from '../../language/plan/types.ts';

export type Retain = PlanTask['retain'];

export interface RecordingRule {
  readonly retain: Retain;
  readonly reusable: boolean;
}

const REMEMBERED_PLANS = 100;
/** The language's default where the plan is not in the ledger; who asks the cache is then not let down. */
export const UNKNOWN_RULE: RecordingRule = { retain: DEFAULT_RETAIN, reusable: true };

/** By task, of a plan's text. */
export function rulesOf(planText: string): ReadonlyMap<string, RecordingRule> {
  const { tasks } = JSON.parse(planText) as {
    readonly tasks?: { readonly [name: string]: Partial<PlanTask> };
  };
  return new Map(
    Object.entries(tasks ?? {}).map(([name, { retain, cache }]) => [
      name,
      { retain: retain ?? DEFAULT_RETAIN, reusable: cache !== null },
    ]),
  );
}

export class RecordingRules {
  readonly #plan: StatementSync;
  #plans = new Map<string, ReadonlyMap<string, RecordingRule>>();

  constructor(database: DatabaseSync) {
    this.#plan = database.prepare(
      'select contents.text as text from revisions join contents on contents.id = plan_content where revisions.hash = ?',
    );
  }

  of(revision: string, task: string): RecordingRule {
    let tasks = this.#plans.get(revision);
    if (tasks === undefined) {
      tasks = this.#read(revision);
      // A plan that is not there yet may come with the next transaction.
      if (tasks.size === 0) return UNKNOWN_RULE;
      if (this.#plans.size >= REMEMBERED_PLANS) this.#plans = new Map();
      this.#plans.set(revision, tasks);
    }
    return tasks.get(task) ?? UNKNOWN_RULE;
  }

  #read(revision: string): ReadonlyMap<string, RecordingRule> {
    const text = this.#plan.get(revision)?.['text'] as string | undefined;
    return text === undefined ? new Map() : rulesOf(text);
  }

  forget(): void {
    this.#plans = new Map();
  }
}
