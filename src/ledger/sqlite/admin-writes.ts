// Writes what is not traffic: revisions, alerts, spending switches and keys.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { assertNever } from '../../common/assert-never.ts';
import type { ContentStore } from './content-store.ts';
import type { AdminOperation } from './operations.ts';

export class AdminWrites {
  readonly #contents: ContentStore;
  readonly #alert: StatementSync;
  readonly #acknowledge: StatementSync;
  readonly #toOutbox: StatementSync;
  readonly #newSinks: StatementSync;
  readonly #toNewSinks: StatementSync;
  readonly #dropSinks: StatementSync;
  readonly #dropOutbox: StatementSync;
  readonly #delivered: StatementSync;
  readonly #sinkState: StatementSync;
  readonly #revision: StatementSync;
  readonly #setSwitch: StatementSync;
  readonly #clearSwitch: StatementSync;
  readonly #saveKey: StatementSync;
  readonly #revokeKey: StatementSync;
  readonly #touchKey: StatementSync;
  readonly #learnBound: StatementSync;

  constructor(database: DatabaseSync, contents: ContentStore) {
    this.#contents = contents;
    this.#alert = database.prepare(
      `insert into alerts (id, kind, severity, message, remedy, scope, at_ms, run_id, details)
       values (:id, :kind, :severity, :message, :remedy, :scope, :atMs, :runId, :details)
       on conflict (id) do nothing`,
    );
    // The first who has seen to it stays.
    this.#acknowledge = database.prepare(
      'update alerts set acknowledged_by = :by, acknowledged_at_ms = :atMs where id = :id and acknowledged_at_ms is null',
    );
    this.#toOutbox = database.prepare(
      'insert or ignore into alert_outbox (sink, alert_seq) select s.name, a.seq from alert_sinks s join alerts a on a.id = ?',
    );
    // A sink that was added while the process was down hears of what the start itself has found.
    this.#toNewSinks = database.prepare(
      `insert or ignore into alert_outbox (sink, alert_seq)
       select n.value, a.seq from json_each(?1) n cross join alerts a
       where a.at_ms >= ?2 and n.value not in (select name from alert_sinks)`,
    );
    this.#newSinks = database.prepare(
      'insert or ignore into alert_sinks (name, state) select value, null from json_each(?)',
    );
    this.#dropSinks = database.prepare(
      'delete from alert_sinks where name not in (select value from json_each(?))',
    );
    this.#dropOutbox = database.prepare(
      'delete from alert_outbox where sink not in (select value from json_each(?))',
    );
    this.#delivered = database.prepare('delete from alert_outbox where sink = ? and alert_seq <= ?');
    this.#sinkState = database.prepare('update alert_sinks set state = ? where name = ?');
    this.#revision = database.prepare(
      `insert into revisions (hash, commit_id, author, subject, dirty, source, compiled_at_ms, active_from_ms, active_to_ms, problems,
         pinned, plan_content)
       values (:hash, :commit, :author, :subject, :dirty, :source, :compiledAtMs, :activeFromMs, :activeToMs, :problems, :pinned,
         :planContent)
       on conflict (hash) do update set commit_id = excluded.commit_id, author = excluded.author, subject = excluded.subject,
         dirty = excluded.dirty, source = excluded.source, active_from_ms = excluded.active_from_ms,
         active_to_ms = excluded.active_to_ms, problems = excluded.problems, pinned = excluded.pinned,
         plan_content = coalesce(excluded.plan_content, plan_content)`,
    );
    this.#setSwitch = database.prepare(
      `insert into switches (scope, reason, set_by, since_ms) values (:scope, :reason, :by, :sinceMs)
       on conflict (scope) where cleared_at_ms is null
       do update set reason = excluded.reason, set_by = excluded.set_by, since_ms = excluded.since_ms`,
    );
    this.#clearSwitch = database.prepare(
      'update switches set cleared_by = :by, cleared_at_ms = :atMs where scope = :scope and cleared_at_ms is null',
    );
    this.#saveKey = database.prepare(
      `insert into api_keys (id, hash, hint, caller, team, tier, tags, scopes, created_at_ms, expires_at_ms, revoked_at_ms,
         last_used_at_ms, requests_per_minute, max_body_bytes)
       values (:id, :hash, :hint, :caller, :team, :tier, :tags, :scopes, :createdAtMs, :expiresAtMs, :revokedAtMs, :lastUsedAtMs,
         :requestsPerMinute, :maxBodyBytes)
       on conflict (id) do update set hint = excluded.hint, caller = excluded.caller, team = excluded.team, tier = excluded.tier,
         tags = excluded.tags, scopes = excluded.scopes, expires_at_ms = excluded.expires_at_ms,
         revoked_at_ms = coalesce(revoked_at_ms, excluded.revoked_at_ms), requests_per_minute = excluded.requests_per_minute,
         max_body_bytes = excluded.max_body_bytes`,
    );
    this.#revokeKey = database.prepare(
      'update api_keys set revoked_at_ms = coalesce(revoked_at_ms, :atMs) where id = :id',
    );
    this.#touchKey = database.prepare(
      'update api_keys set last_used_at_ms = max(coalesce(last_used_at_ms, 0), :atMs) where id = :id',
    );
    this.#learnBound = database.prepare(
      'insert into learnt_bounds (model, bound) values (:model, :bound) on conflict (model) do update set bound = excluded.bound',
    );
  }

  apply(operation: AdminOperation): void {
    switch (operation.kind) {
      case 'recordAlert':
        if (Number(this.#alert.run(operation.alert).changes) > 0) this.#toOutbox.run(operation.alert.id);
        return;
      case 'acknowledgeAlert': {
        const { id, by, atMs } = operation;
        this.#acknowledge.run({ id, by, atMs });
        return;
      }
      case 'keepSinks': {
        const { names, sinceMs } = operation;
        this.#toNewSinks.run(names, sinceMs);
        this.#newSinks.run(names);
        this.#dropSinks.run(names);
        this.#dropOutbox.run(names);
        return;
      }
      case 'delivered': {
        const { sink, throughSeq, state } = operation;
        this.#delivered.run(sink, throughSeq);
        this.#sinkState.run(state, sink);
        return;
      }
      case 'recordRevision': {
        const { revision, planText } = operation;
        // The plan's text is kept once, however often its revision is recorded.
        const planContent = planText === null ? null : this.#contents.put(planText, null);
        this.#revision.run({ ...revision, planContent });
        return;
      }
      case 'setSwitch':
        this.#setSwitch.run(operation.set);
        return;
      case 'clearSwitch': {
        const { scope, by, atMs } = operation;
        this.#clearSwitch.run({ scope, by, atMs });
        return;
      }
      case 'learnBound': {
        const { model, bound } = operation;
        this.#learnBound.run({ model, bound });
        return;
      }
      case 'saveApiKey':
        this.#saveKey.run(operation.key);
        return;
      case 'revokeApiKey':
        this.#revokeKey.run({ id: operation.id, atMs: operation.atMs });
        return;
      case 'touchApiKey':
        this.#touchKey.run({ id: operation.id, atMs: operation.atMs });
        return;
      default:
        assertNever(operation);
    }
  }
}
