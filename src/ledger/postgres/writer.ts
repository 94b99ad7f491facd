// Writes what a node asks for, a turn at a time: in one statement where it is traffic, in a transaction of several where it is not.
import type { Pool, PoolClient } from 'pg';
import type { SharedState } from '../cluster-port.ts';
import { describeOperation } from '../journal/set-aside.ts';
import { stemOf } from '../rollup/dimensions.ts';
import type { OpenAttempt, OpenRun, Operation } from '../sqlite/operations.ts';
import { UNCHANGED } from '../sqlite/unchanged.ts';
import type { Acknowledgement, Batch, Failure, RefusedOperation } from '../sqlite/writer.ts';
import { seedBudget, writeAdmin } from './admin-writes.ts';
import { NOBODY, errorCode, explainPostgresError, inTransaction, isConnectionLost } from './connection.ts';
import type { DatabaseAddress, Queryable } from './connection.ts';
import type { Patience } from './patience.ts';
import { PlanRules } from './plan-rules.ts';
import { prune } from './prune-writes.ts';
import { channelOf } from './signals.ts';
import { NOT_ITS_TURN, REFUSED, STALE, turnStatement } from './statement.ts';
import type { Turn } from './statement.ts';
import { TurnBuilder, readPostings, reduceText } from './turn-builder.ts';
import type { Keeping, UnsettledAttempt, TurnOperation } from './turn-builder.ts';
import { rowRefusal } from '../sqlite/write-failures.ts';

/** What another node changed meanwhile is read again this often. */
const MOST_READINGS = 5;

interface Numbers {
  readonly first: number;
  readonly last: number;
}

/** Nothing that this node writes is taken any more: another one has declared it dead. */
class Fenced extends Error {
  constructor() {
    super('the node is fenced');
  }
}

export const FENCED: Failure = {
  code: 'NODE_FENCED',
  message: 'This node did not show a sign of life, and another one has taken its place.',
  remedy: 'Start it again; look at what kept it (the machine, the network, or the database) for so long.',
};

const NEVER_CALLED = 'The database did not say in time that the attempt was written: it was not called.';

export class PostgresWriter {
  readonly #pool: Pool;
  readonly #address: DatabaseAddress;
  readonly #node: number;
  readonly #patience: Patience;
  readonly #rules = new PlanRules();
  readonly #builder: TurnBuilder;
  /** Attempts whose opening was refused because nobody answered: they may be there, and are not called. By id. */
  readonly #unanswered = new Map<string, OpenAttempt>();
  /** The same of runs that begin, or wait, once their row is there. */
  readonly #unansweredRuns = new Set<string>();
  #fenced = false;

  constructor(pool: Pool, address: DatabaseAddress, node: number, patience: Patience) {
    this.#pool = pool;
    this.#patience = patience;
    this.#address = address;
    this.#node = node;
    this.#builder = new TurnBuilder(node, this.#rules);
  }

  /** All of it or, where the database refuses it, nothing that it says was not written. Never throws. */
  async apply(batch: Batch): Promise<Acknowledgement> {
    const answers: { number: number; value: number }[] = [];
    const refused: RefusedOperation[] = [];
    const acknowledge = (failure: Failure | null): Acknowledgement =>
      failure === null
        ? { last: batch.last, failure, refused, answers }
        : { last: batch.last, failure, refused: [], answers: [] };
    const late = async (): Promise<Acknowledgement> => {
      refused.push(...(await this.#late(batch)));
      return { last: batch.last, failure: null, refused, answers: [] };
    };
    try {
      if (this.#fenced) return await late();
      await this.#takeBack();
      const numbered = batch.operations.map((operation, index) => ({
        operation,
        number: batch.first + index,
      }));
      await this.#together(numbered, answers).catch(async (error: unknown) => {
        if (isConnectionLost(error) || error instanceof Fenced) throw error;
        // Some operation cannot be carried out, or is not as it was remembered: one by one, it is the only one that is refused.
        answers.length = 0;
        this.#builder.forget();
        for (const { operation, number } of numbered) await this.#alone(operation, number, answers, refused);
      });
      return acknowledge(null);
    } catch (error) {
      this.#builder.forget();
      if (error instanceof Fenced) {
        this.#fenced = true;
        answers.length = 0;
        return late().catch(() => acknowledge(FENCED));
      }
      for (const operation of batch.operations) {
        if (operation.kind === 'openAttempt') this.#unanswered.set(operation.opened.id, operation);
        if (operation.kind === 'openRun' && isAwaited(operation)) this.#unansweredRuns.add(operation.run.id);
      }
      const { code, message, remedy } = explainPostgresError(error, this.#address);
      return acknowledge({ code, message, remedy });
    }
  }

  /** What was refused because nobody answered, and was written all the same: nobody calls it, nor closes it. With the next turn. */
  async #takeBack(): Promise<void> {
    if (this.#unansweredRuns.size > 0) {
      // One that another node has taken meanwhile goes on.
      await this.#patience.while(() =>
        this.#pool.query(
          `delete from runs where id = any($1::text[]) and node in ($2, ${NOBODY}) and finished_at_ms is null
             and not exists (select 1 from attempts where run_id = runs.id)`,
          [[...this.#unansweredRuns], this.#node],
        ),
      );
      this.#unansweredRuns.clear();
    }
    if (this.#unanswered.size === 0) return;
    const { rows } = await this.#patience.while(() =>
      this.#pool.query(
        `select id from attempts where id = any($1::text[]) and status = 'open' and node = $2`,
        [[...this.#unanswered.keys()], this.#node],
      ),
    );
    for (const { id } of rows as { id: string }[]) {
      const { progress, opened } = this.#unanswered.get(id) as OpenAttempt;
      const end = {
        status: 'cancelled' as const,
        errorMessage: NEVER_CALLED,
        finishedAtMs: opened.startedAtMs,
      };
      await this.#add({
        kind: 'closeAttempt',
        id,
        progress: { ...progress, ...end },
        movedPostings: null,
        receipt: null,
      });
    }
    this.#unanswered.clear();
  }

  /** Another node has declared this one dead: nothing more is written. */
  fence(): void {
    this.#fenced = true;
  }

  /** Of a fenced node: what was paid is booked, without its receipt; everything else is refused. */
  async #late({ first, operations }: Batch): Promise<RefusedOperation[]> {
    const refused: RefusedOperation[] = [];
    for (const [index, operation] of operations.entries()) {
      const number = first + index;
      this.#builder.forget();
      if (operation.kind === 'closeAttempt') {
        const found = await this.#patience.while(() => readAttempt(this.#pool, operation.id));
        if (found?.status === 'unreconciled') {
          if (!(await this.#add({ ...operation, receipt: null }))) continue;
          await this.#patiently(number, number, (turn) => writeTurn(this.#pool, turn, true));
          continue;
        }
      }
      refused.push({ number, what: describeOperation(operation), failure: FENCED });
    }
    return refused;
  }

  async #together(
    numbered: readonly { readonly operation: Operation; readonly number: number }[],
    answers: { number: number; value: number }[],
  ): Promise<void> {
    let first = numbered[0]?.number ?? 0;
    const flush = async (last: number): Promise<void> => {
      if (!this.#builder.isEmpty) await this.#write({ first, last });
      first = last + 1;
    };
    for (const { operation, number } of numbered) {
      if (isTurnOperation(operation)) {
        if (operation.kind === 'lowerAttempt' || this.#mustRead(operation)) await flush(number - 1);
        if (operation.kind === 'finishRun' && (await this.#mustReduce(operation))) {
          await flush(number - 1);
          await this.#finishReduced(operation, number);
          first = number + 1;
          continue;
        }
        if (!(await this.#add(operation))) answers.push({ number, value: UNCHANGED });
      } else {
        await flush(number - 1);
        const value = await this.#transact(operation, number);
        if (value !== undefined) answers.push({ number, value });
        first = number + 1;
      }
    }
    await flush(numbered.at(-1)?.number ?? 0);
  }

  async #alone(
    operation: Operation,
    number: number,
    answers: { number: number; value: number }[],
    refused: RefusedOperation[],
  ): Promise<void> {
    for (let reading = 1; ; reading += 1) {
      try {
        return await this.#together([{ operation, number }], answers);
      } catch (error) {
        this.#builder.forget();
        if (isConnectionLost(error) || error instanceof Fenced) throw error;
        if (error instanceof Error && error.message === STALE && reading < MOST_READINGS) continue;
        if (isDatabaseFailure(error)) throw error;
        refused.push({
          number,
          what: describeOperation(operation),
          failure: rowRefusal(error, 'runs_idempotency'),
        });
        return undefined;
      }
    }
  }

  #mustRead(operation: TurnOperation): boolean {
    return (
      this.#builder.unknownRun(operation) !== undefined ||
      this.#builder.unknownAttempt(operation) !== undefined
    );
  }

  /** false: there is nothing left to do. */
  async #add(operation: TurnOperation): Promise<boolean> {
    const builder = this.#builder;
    if (operation.kind === 'openRun' && !this.#rules.knows(operation.run.revision))
      await this.#patience.while(() => this.#rules.read(this.#pool, operation.run.revision));
    const attemptId = builder.unknownAttempt(operation);
    if (attemptId !== undefined) {
      const attempt = await this.#patience.while(() => readUnsettled(this.#pool, attemptId));
      if (attempt === null) {
        // Closed already: no money moves twice. What its step answered is kept all the same.
        if (operation.kind === 'closeAttempt' && operation.receipt !== null)
          await this.#add({ kind: 'recordStep', receipt: operation.receipt });
        return false;
      }
      builder.knowAttempt(attemptId, attempt);
    }
    if (!(await this.#knowRun(operation))) return false;
    switch (operation.kind) {
      case 'openRun':
        builder.openRun(operation);
        return true;
      case 'finishRun':
        builder.finishRun(operation);
        return true;
      case 'openAttempt':
        builder.openAttempt(operation);
        return true;
      case 'closeAttempt':
        builder.closeAttempt(operation);
        return true;
      case 'recordStep':
        builder.recordStep(operation.receipt);
        return true;
      case 'moveHold':
        builder.moveHold(operation.attemptId, operation.postings);
        return true;
      case 'lowerAttempt': {
        const settled = await this.#patience.while(() => readSettled(this.#pool, operation));
        if (settled === undefined) return false;
        builder.lowerAttempt(operation, settled);
        return true;
      }
    }
  }

  /** false: it is over, and its end is what is asked for. */
  async #knowRun(operation: TurnOperation): Promise<boolean> {
    const runId = this.#builder.unknownRun(operation);
    if (runId === undefined) return true;
    const run = await this.#patience.while(() => readKeeping(this.#pool, runId));
    if (operation.kind === 'finishRun' && run.isFinished) return false;
    this.#builder.knowRun(runId, run);
    return true;
  }

  async #mustReduce(operation: Extract<Operation, { kind: 'finishRun' }>): Promise<boolean> {
    return (await this.#knowRun(operation)) && this.#builder.mustReduce(operation.id) !== undefined;
  }

  async #write({ first, last }: Numbers): Promise<void> {
    await this.#patiently(first, last, (turn) => this.#once(last, () => writeTurn(this.#pool, turn)));
  }

  /** A durable run whose texts are not kept in full: they are reduced in the transaction that ends it. */
  async #finishReduced(operation: Extract<Operation, { kind: 'finishRun' }>, number: number): Promise<void> {
    const content = this.#builder.mustReduce(operation.id);
    await this.#add(operation);
    await this.#patiently(number, number, (turn) =>
      this.#once(number, () =>
        inTransaction(this.#pool, async (client) => {
          await reduceTexts(client, operation.id, content ?? 'hash');
          await writeTurn(client, turn);
        }),
      ),
    );
  }

  /** What there is to write is taken once; only a statement that was answered tells that the database is there. */
  async #patiently(first: number, last: number, write: (turn: Turn) => Promise<void>): Promise<void> {
    let taken: Turn | undefined;
    await this.#patience.while(async () => {
      taken ??= await this.#builder.take(this.#pool, first, last);
      await write(taken);
    });
  }

  /** What is not traffic, in a transaction of its own that is fenced and numbered like a turn. */
  async #transact(operation: Exclude<Operation, TurnOperation>, number: number): Promise<number | undefined> {
    let answer: number | undefined;
    await this.#patience.while(() =>
      this.#once(number, () =>
        inTransaction(this.#pool, async (client) => {
          const { rowCount } = await client.query(
            'update nodes set last_operation = $2 where seq = $1 and alive and last_operation < $2',
            [this.#node, number],
          );
          if (rowCount !== 1) throw new Error(NOT_ITS_TURN);
          answer = await this.#carryOut(client, operation);
        }),
      ),
    );
    if (operation.kind === 'recordRevision') this.#rules.forget();
    if (operation.kind === 'prune') this.#builder.rollups.forget();
    return answer;
  }

  async #carryOut(
    client: PoolClient,
    operation: Exclude<Operation, TurnOperation>,
  ): Promise<number | undefined> {
    switch (operation.kind) {
      case 'probe':
        return undefined;
      case 'prune':
        return prune(client, operation);
      case 'seedBudget':
        await seedBudget(client, operation);
        return undefined;
      default:
        await writeAdmin(client, operation);
        await this.#tell(client, operation.kind);
        return undefined;
    }
  }

  /** With the commit: whoever hears of it reads what is there. */
  async #tell(client: PoolClient, kind: Operation['kind']): Promise<void> {
    const what = TOLD.get(kind);
    if (what === undefined) return;
    const { rows } = await client.query(
      `insert into shared_changes (what, version) values ($1, 1)
       on conflict (what) do update set version = shared_changes.version + 1 returning version`,
      [what],
    );
    const version = Number((rows[0] as { version: bigint }).version);
    const signal = { kind: 'changed', what, version, from: this.#node };
    await client.query('select pg_notify($1, $2)', [channelOf(this.#address), JSON.stringify(signal)]);
  }

  /** Whose answer was lost may be written: it is looked for before it is taken for refused. */
  async #once(last: number, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!(error instanceof Error) || error.message !== NOT_ITS_TURN) throw error;
      const { rows } = await this.#pool.query('select alive, last_operation from nodes where seq = $1', [
        this.#node,
      ]);
      const node = rows[0] as { alive: boolean; last_operation: bigint } | undefined;
      if (node === undefined || (!node.alive && node.last_operation < BigInt(last))) throw new Fenced();
    }
  }
}

async function writeTurn(database: Queryable, turn: Turn, isLate = false): Promise<void> {
  try {
    await database.query(turnStatement(turn, isLate));
  } catch (error) {
    // Said by our own function, so that the message is the reason and nothing else.
    throw errorCode(error) === REFUSED && error instanceof Error
      ? new Error(error.message, { cause: error })
      : error;
  }
}

/** Whether nothing of it is begun before its row is there: who was refused that was told so, and no run that nobody asked for is left. */
function isAwaited({ run: { idempotencyKey, begun, status } }: OpenRun): boolean {
  return begun === 0 || (begun === 1 && idempotencyKey !== null && status === 'running');
}

/** What the other nodes have to read again. */
const TOLD: ReadonlyMap<Operation['kind'], SharedState> = new Map<Operation['kind'], SharedState>([
  ['setSwitch', 'switches'],
  ['clearSwitch', 'switches'],
  ['saveApiKey', 'keys'],
  ['revokeApiKey', 'keys'],
  ['recordRevision', 'revisions'],
  ['recordAlert', 'alerts'],
]);

const TURN_KINDS: ReadonlySet<Operation['kind']> = new Set<Operation['kind']>([
  'openRun',
  'finishRun',
  'openAttempt',
  'closeAttempt',
  'lowerAttempt',
  'recordStep',
  'moveHold',
]);

function isTurnOperation(operation: Operation): operation is TurnOperation {
  return TURN_KINDS.has(operation.kind);
}

/** Whether any other operation would have failed of it too: it is out of memory or of disk, or its tables are not there. */
function isDatabaseFailure(error: unknown): boolean {
  const code = errorCode(error);
  return /^(?:53|57|58|XX|42P01|42703|25)/.test(code);
}

/** null: it is closed. Throws where there is no such attempt. */
async function readUnsettled(database: Queryable, id: string): Promise<UnsettledAttempt | null> {
  const row = await readAttempt(database, id);
  if (row === undefined) throw new Error(`there is no attempt ${id} to close`);
  return row.status === 'open' || row.status === 'unreconciled' ? row.attempt : null;
}

async function readSettled(
  database: Queryable,
  { id, before }: Extract<Operation, { kind: 'lowerAttempt' }>,
): Promise<UnsettledAttempt | undefined> {
  const row = await readAttempt(database, id);
  const isAsRead =
    row?.status === before.status && !row.reconciled && row.costNanoUsd === BigInt(before.costNanoUsd);
  return isAsRead ? row.attempt : undefined;
}

interface AttemptAsRead {
  readonly status: string;
  readonly reconciled: boolean;
  readonly costNanoUsd: bigint;
  readonly attempt: UnsettledAttempt;
}

async function readAttempt(database: Queryable, id: string): Promise<AttemptAsRead | undefined> {
  const { rows } = await database.query(
    `select run_id, postings, held_nano_usd, held_tokens, started_at_ms, status, cost_nano_usd, reconciled, dimensions, node
     from attempts join rollup_keys on rollup_keys.id = rollup_key_id where attempts.id = $1`,
    [id],
  );
  const row = rows[0] as
    | {
        run_id: string;
        postings: string;
        held_nano_usd: bigint;
        held_tokens: bigint;
        started_at_ms: bigint;
        status: string;
        cost_nano_usd: bigint;
        reconciled: boolean;
        dimensions: string;
        node: bigint;
      }
    | undefined;
  if (row === undefined) return undefined;
  return {
    status: row.status,
    reconciled: row.reconciled,
    costNanoUsd: row.cost_nano_usd,
    attempt: {
      runId: row.run_id,
      postings: readPostings(row.postings),
      worst: { costNanoUsd: row.held_nano_usd, tokens: Number(row.held_tokens), calls: 1 },
      startedAtMs: Number(row.started_at_ms),
      rollupStem: stemOf(row.dimensions),
      node: Number(row.node),
    },
  };
}

/** A step may be recorded of a run that is not there; it is kept as long as anything. */
const NO_RUN: Keeping = {
  content: 'full',
  durable: false,
  keepUntilMs: 0,
  startedAtMs: 0,
  costNanoUsd: 0n,
  rowCostNanoUsd: 0n,
  isFinished: true,
};

async function readKeeping(database: Queryable, id: string): Promise<Keeping> {
  const { rows } = await database.query(
    `select retain, durable, coalesce(keep_until_ms, 0) as keep_until_ms, started_at_ms, finished_at_ms is not null as finished,
       cost_nano_usd as row_cost,
       (select coalesce(sum(cost_nano_usd), 0) from attempts where run_id = runs.id) as cost
     from runs where id = $1`,
    [id],
  );
  const row = rows[0] as
    | {
        retain: string;
        durable: boolean;
        keep_until_ms: bigint;
        started_at_ms: bigint;
        finished: boolean;
        row_cost: bigint;
        cost: bigint;
      }
    | undefined;
  if (row === undefined) return NO_RUN;
  return {
    content: row.retain as Keeping['content'],
    durable: row.durable,
    keepUntilMs: Number(row.keep_until_ms),
    startedAtMs: Number(row.started_at_ms),
    costNanoUsd: row.cost,
    rowCostNanoUsd: row.row_cost,
    isFinished: row.finished,
  };
}

async function reduceTexts(client: PoolClient, id: string, content: Keeping['content']): Promise<void> {
  const run = await client.query('select input_text from runs where id = $1', [id]);
  const input = (run.rows[0] as { input_text: string | null } | undefined)?.input_text;
  if (typeof input === 'string')
    await client.query('update runs set input_text = $1, input_content = null where id = $2', [
      reduceText(input, content),
      id,
    ]);
  const steps = await client.query(
    'select key, output_text from steps where run_id = $1 and output_text is not null',
    [id],
  );
  for (const { key, output_text: text } of steps.rows as { key: string; output_text: string }[])
    await client.query('update steps set output_text = $1 where run_id = $2 and key = $3', [
      reduceText(text, content),
      id,
      key,
    ]);
}
