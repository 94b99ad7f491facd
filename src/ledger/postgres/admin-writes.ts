// Writes what is not traffic: revisions, alerts, spending switches, keys, and a budget's opening balances.
import { hash } from 'node:crypto';
import { assertNever } from '../../common/assert-never.ts';
import type { Posting } from '../../engine/budget/port.ts';
import type { AdminOperation, Operation } from '../sqlite/operations.ts';
import { NOBODY } from './connection.ts';
import type { Queryable } from './connection.ts';

type SeedBudget = Extract<Operation, { kind: 'seedBudget' }>;

/** In the transaction of the operation. */
export async function writeAdmin(database: Queryable, operation: AdminOperation): Promise<void> {
  switch (operation.kind) {
    case 'recordAlert': {
      const { id, kind, severity, message, remedy, scope, atMs, runId, details } = operation.alert;
      const { rowCount } = await database.query(
        `insert into alerts (id, kind, severity, message, remedy, scope, at_ms, run_id, details)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (id) do nothing`,
        [id, kind, severity, message, remedy, scope, atMs, runId, details].map(writable),
      );
      if (rowCount === 1)
        await database.query(
          `insert into alert_outbox (sink, alert_seq)
           select s.name, a.seq from alert_sinks s join alerts a on a.id = $1 on conflict do nothing`,
          [id],
        );
      return;
    }
    case 'acknowledgeAlert':
      // The first who has seen to it stays.
      await database.query(
        `update alerts set acknowledged_by = $1, acknowledged_at_ms = $2 where id = $3 and acknowledged_at_ms is null`,
        [operation.by, operation.atMs, operation.id],
      );
      return;
    case 'keepSinks': {
      const names = JSON.parse(operation.names) as string[];
      // A sink that was added while nothing ran hears of what the start itself has found.
      await database.query(
        `insert into alert_outbox (sink, alert_seq)
         select n, a.seq from unnest($1::text[]) n cross join alerts a
         where a.at_ms >= $2 and n not in (select name from alert_sinks) on conflict do nothing`,
        [names, operation.sinceMs],
      );
      await database.query(
        'insert into alert_sinks (name, state) select n, null from unnest($1::text[]) n on conflict (name) do nothing',
        [names],
      );
      await database.query('delete from alert_sinks where name <> all($1::text[])', [names]);
      await database.query('delete from alert_outbox where sink <> all($1::text[])', [names]);
      return;
    }
    case 'delivered': {
      const { sink, throughSeq, state } = operation;
      await database.query('delete from alert_outbox where sink = $1 and alert_seq <= $2', [
        sink,
        throughSeq,
      ]);
      await database.query('update alert_sinks set state = $1 where name = $2', [state, sink]);
      return;
    }
    case 'recordRevision': {
      const { revision, planText } = operation;
      const planContent = planText === null ? null : await putContent(database, planText);
      await database.query(
        `insert into revisions (hash, commit_id, author, subject, dirty, source, compiled_at_ms, active_from_ms, active_to_ms,
           problems, pinned, plan_content)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (hash) do update set commit_id = excluded.commit_id, author = excluded.author, subject = excluded.subject,
           dirty = excluded.dirty, source = excluded.source, active_from_ms = excluded.active_from_ms,
           active_to_ms = excluded.active_to_ms, problems = excluded.problems, pinned = excluded.pinned,
           plan_content = coalesce(excluded.plan_content, revisions.plan_content)`,
        [
          revision.hash,
          revision.commit,
          revision.author,
          revision.subject,
          revision.dirty === 1,
          revision.source,
          revision.compiledAtMs,
          revision.activeFromMs,
          revision.activeToMs,
          revision.problems,
          revision.pinned === 1,
          planContent,
        ].map(writable),
      );
      return;
    }
    case 'setSwitch': {
      const { scope, reason, by, sinceMs } = operation.set;
      await database.query(
        `insert into switches (scope, reason, set_by, since_ms) values ($1, $2, $3, $4)
         on conflict (scope) where cleared_at_ms is null
         do update set reason = excluded.reason, set_by = excluded.set_by, since_ms = excluded.since_ms`,
        [scope, reason, by, sinceMs].map(writable),
      );
      return;
    }
    case 'clearSwitch':
      await database.query(
        'update switches set cleared_by = $1, cleared_at_ms = $2 where scope = $3 and cleared_at_ms is null',
        [operation.by, operation.atMs, operation.scope],
      );
      return;
    case 'learnBound':
      await database.query(
        `insert into learnt_bounds (model, bound) values ($1, $2)
         on conflict (model) do update set bound = excluded.bound`,
        [operation.model, operation.bound],
      );
      return;
    case 'saveApiKey': {
      const { key } = operation;
      await database.query(
        `insert into api_keys (id, hash, hint, caller, team, tier, tags, scopes, created_at_ms, expires_at_ms, revoked_at_ms,
           last_used_at_ms, requests_per_minute, max_body_bytes)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         on conflict (id) do update set hint = excluded.hint, caller = excluded.caller, team = excluded.team,
           tier = excluded.tier, tags = excluded.tags, scopes = excluded.scopes, expires_at_ms = excluded.expires_at_ms,
           revoked_at_ms = coalesce(api_keys.revoked_at_ms, excluded.revoked_at_ms),
           requests_per_minute = excluded.requests_per_minute, max_body_bytes = excluded.max_body_bytes`,
        [
          key.id,
          key.hash,
          key.hint,
          key.caller,
          key.team,
          key.tier,
          key.tags,
          key.scopes,
          key.createdAtMs,
          key.expiresAtMs,
          key.revokedAtMs,
          key.lastUsedAtMs,
          key.requestsPerMinute,
          key.maxBodyBytes,
        ].map(writable),
      );
      return;
    }
    case 'revokeApiKey':
      await database.query('update api_keys set revoked_at_ms = coalesce(revoked_at_ms, $1) where id = $2', [
        operation.atMs,
        operation.id,
      ]);
      return;
    case 'touchApiKey':
      await database.query(
        'update api_keys set last_used_at_ms = greatest(coalesce(last_used_at_ms, 0), $1) where id = $2',
        [operation.atMs, operation.id],
      );
      return;
    default:
      assertNever(operation);
  }
}

/** PostgreSQL's text holds no NUL and no half of a surrogate pair; a provider's words may. */
function writable<Value>(value: Value): Value | string {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value;
}

/** Kept once, however often it is recorded, and for ever. */
async function putContent(database: Queryable, text: string): Promise<bigint> {
  const { rows } = await database.query(
    `insert into contents (hash, text, keep_until_ms) values (decode($1, 'hex'), $2, null)
     on conflict (hash) do update set keep_until_ms = null returning id`,
    [hash('sha256', text, 'hex'), text],
  );
  return (rows[0] as { id: bigint }).id;
}

/** These balances take the place of what was spent of a budget from a time on, by whichever node; what is held stays. */
export async function seedBudget(
  database: Queryable,
  { budgetId, sinceMs, balances }: SeedBudget,
): Promise<void> {
  await database.query(
    `update budget_windows set spent_nano_usd = 0, spent_tokens = 0, spent_calls = 0
     where budget_id = $1 and window_start_ms >= $2`,
    [budgetId, sinceMs],
  );
  const rows = (JSON.parse(balances) as { posting: Posting; spending: { [name: string]: unknown } }[]).map(
    ({ posting, spending }) => ({ ...posting, ...spending }),
  );
  await database.query(
    `insert into budget_windows (budget_id, account, window_start_ms, node, spent_nano_usd, spent_tokens, spent_calls,
       held_nano_usd, held_tokens, held_calls, seeded)
     select "budgetId", account, "windowStartMs", ${NOBODY}, "costNanoUsd", tokens, calls, 0, 0, 0, true
     from json_to_recordset($1::json) as b("budgetId" text, account text, "windowStartMs" bigint, "costNanoUsd" bigint, tokens bigint, calls bigint)
     on conflict (budget_id, account, window_start_ms, node) do update set spent_nano_usd = excluded.spent_nano_usd,
       spent_tokens = excluded.spent_tokens, spent_calls = excluded.spent_calls`,
    [JSON.stringify(rows)],
  );
  await database.query(
    'update budget_windows set seeded = true where budget_id = $1 and window_start_ms >= $2',
    [budgetId, sinceMs],
  );
}
