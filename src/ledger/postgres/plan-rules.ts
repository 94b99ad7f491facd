// What tasks ask of their runs' records, as the plans say under which the runs are made; read from the tables before a turn needs it.
import { UNKNOWN_RULE, rulesOf } from '../retention/recording-rules.ts';
import type { RecordingRule } from '../retention/recording-rules.ts';
import type { Queryable } from './connection.ts';

const REMEMBERED_PLANS = 100;

export class PlanRules {
  #plans = new Map<string, ReadonlyMap<string, RecordingRule>>();

  knows(revision: string): boolean {
    return this.#plans.has(revision);
  }

  async read(database: Queryable, revision: string): Promise<void> {
    const { rows } = await database.query(
      'select contents.text as text from revisions join contents on contents.id = plan_content where revisions.hash = $1',
      [revision],
    );
    const text = (rows[0] as { text: string } | undefined)?.text;
    if (this.#plans.size >= REMEMBERED_PLANS) this.#plans = new Map();
    this.#plans.set(revision, text === undefined ? new Map() : rulesOf(text));
  }

  of(revision: string, task: string): RecordingRule {
    return this.#plans.get(revision)?.get(task) ?? UNKNOWN_RULE;
  }

  /** A revision was recorded: its plan may be there now. */
  forget(): void {
    this.#plans = new Map();
  }
}
