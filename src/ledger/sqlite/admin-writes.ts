// Writes what is not traffic: revisions, alerts, spending switches and keys.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ContentStore } from './content-store.ts';
import * as op from './operations.ts';
import type { Value } from './operations.ts';

export class AdminWrites {
  readonly #contents: ContentStore;
  readonly #alert: StatementSync;
  readonly #revision: StatementSync;
  readonly #setSwitch: StatementSync;
  readonly #clearSwitch: StatementSync;
  readonly #saveKey: StatementSync;
  readonly #revokeKey: StatementSync;
  readonly #touchKey: StatementSync;

  constructor(database: DatabaseSync, contents: ContentStore) {
    this.#contents = contents;
    this.#alert = database.prepare(
      `insert into alerts (id, kind, severity, message, remedy, scope, at_ms, run_id, details) values (?, ?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (id) do nothing`,
    );
    this.#revision = database.prepare(
      `insert into revisions (hash, commit_id, author, subject, dirty, source, compiled_at_ms, active_from_ms, active_to_ms, problems,
         pinned, plan_content)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (hash) do update set commit_id = excluded.commit_id, author = excluded.author, subject = excluded.subject,
         dirty = excluded.dirty, source = excluded.source, active_from_ms = excluded.active_from_ms,
         active_to_ms = excluded.active_to_ms, problems = excluded.problems, pinned = excluded.pinned,
         plan_content = coalesce(excluded.plan_content, plan_content)`,
    );
    this.#setSwitch = database.prepare(
      `insert into switches (scope, reason, set_by, since_ms) values (?, ?, ?, ?)
       on conflict (scope) where cleared_at_ms is null
       do update set reason = excluded.reason, set_by = excluded.set_by, since_ms = excluded.since_ms`,
    );
    this.#clearSwitch = database.prepare(
      'update switches set cleared_by = ?2, cleared_at_ms = ?3 where scope = ?1 and cleared_at_ms is null',
    );
    this.#saveKey = database.prepare(
      `insert into api_keys (id, hash, hint, caller, team, tier, tags, scopes, created_at_ms, expires_at_ms, revoked_at_ms,
         last_used_at_ms, requests_per_minute)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (id) do update set hint = excluded.hint, caller = excluded.caller, team = excluded.team, tier = excluded.tier,
         tags = excluded.tags, scopes = excluded.scopes, expires_at_ms = excluded.expires_at_ms,
         revoked_at_ms = coalesce(revoked_at_ms, excluded.revoked_at_ms), requests_per_minute = excluded.requests_per_minute`,
    );
    this.#revokeKey = database.prepare(
      'update api_keys set revoked_at_ms = coalesce(revoked_at_ms, ?2) where id = ?1',
    );
    this.#touchKey = database.prepare(
      'update api_keys set last_used_at_ms = max(coalesce(last_used_at_ms, 0), ?2) where id = ?1',
    );
  }

  apply(code: number, batch: readonly Value[], at: number): void {
    const values = batch.slice(at, at + (op.ARITY[code] ?? 0));
    this.#statementOf(code).run(...(code === op.RECORD_REVISION ? this.#withPlan(values) : values));
  }

  #statementOf(code: number): StatementSync {
    switch (code) {
      case op.RECORD_ALERT:
        return this.#alert;
      case op.RECORD_REVISION:
        return this.#revision;
      case op.SET_SWITCH:
        return this.#setSwitch;
      case op.CLEAR_SWITCH:
        return this.#clearSwitch;
      case op.SAVE_API_KEY:
        return this.#saveKey;
      case op.REVOKE_API_KEY:
        return this.#revokeKey;
      case op.TOUCH_API_KEY:
        return this.#touchKey;
      default:
        throw new Error(`unknown operation ${code}`);
    }
  }

  /** The last value is the plan's text, which is kept once however often a revision is recorded. */
  #withPlan(values: readonly Value[]): (Value | number | bigint)[] {
    const plan = values.at(-1) as string | null;
    return [...values.slice(0, -1), plan === null ? null : this.#contents.put(plan, null)];
  }
}
