// Rows that are inserted as they are at the end of their transaction are those that would have been written one change after the other.
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { closeAttempt, finishRun, openAttempt, openRun } from '../../src/ledger/sqlite/operations.ts';
import type { Operation } from '../../src/ledger/sqlite/operations.ts';
import { migrate } from '../../src/ledger/sqlite/migrate.ts';
import { Writer } from '../../src/ledger/sqlite/writer.ts';
import type { Acknowledgement } from '../../src/ledger/sqlite/writer.ts';
import { sized } from '../support/cases.ts';
import { finish, makeAttempt, makeRun, makeStep, RATES, settle } from '../support/ledger-records.ts';

const FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));
/** With the roll-ups' keys spelt out: their numbers are given as they are met. */
const NAMED = 'left join rollup_keys on rollup_keys.id =';
const TABLES = [
  `select runs.*, null as rollup_key_id, dimensions from runs ${NAMED} rollup_key_id order by seq`,
  `select attempts.*, null as rollup_key_id, dimensions from attempts ${NAMED} rollup_key_id order by seq`,
  'select * from steps order by run_id, key',
  'select * from budget_windows order by account',
  `select rollups.*, null as key_id, dimensions from rollups ${NAMED} key_id order by grain, dimensions`,
  'select * from contents order by id',
  'select * from callers order by seq',
];
const STEM = '["summarize","ana","","openai","gpt-5.6-luna","plan-1","{}"';

const which = fc.nat({ max: 2 });
const run = (index: number, durable: boolean, key: boolean) =>
  makeRun(`run_${index}`, {
    durable,
    idempotencyKey: key ? 'key' : null,
    // Long enough to be kept by its content.
    input: { text: 'x'.repeat(durable ? 2_000 : 10) },
  });
const attempt = (index: number, ofRun: number) =>
  makeAttempt(`att_${index}`, run(ofRun, false, false), { rates: RATES });
const postings = (account: string): string =>
  JSON.stringify([{ budgetId: 'company', account, windowStartMs: 60_000 }]);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc
    .tuple(which, fc.boolean(), fc.boolean())
    .map(([index, durable, key]) => openRun(run(index, durable, key))),
  fc.tuple(which, which).map(([index, ofRun]) => openAttempt(attempt(index, ofRun), postings('a'), STEM)),
  fc
    .tuple(which, fc.constantFrom('succeeded', 'failed', 'unreconciled' as const), fc.boolean(), fc.boolean())
    .map(([index, status, moved, receipt]) =>
      closeAttempt(
        settle(attempt(index, 0), { status }),
        receipt ? makeStep('run_0', `step_${index}`) : null,
        moved ? postings('b') : null,
        false,
      ),
    ),
  which.map((index) => finishRun(finish(run(index, false, false)), STEM)),
  which.map((index): Operation => ({ kind: 'moveHold', attemptId: `att_${index}`, postings: postings('c') })),
  fc.constant<Operation>({ kind: 'prune', nowMs: 0, rowsBeforeMs: 0, limit: 10 }),
);

/** An execution opens a run before it makes attempts for it. */
function inOrder(operations: readonly Operation[]): readonly Operation[] {
  const opened = new Set<string>();
  return operations.filter((each) => {
    if (each.kind === 'openRun') opened.add(each.run.id);
    return each.kind !== 'openAttempt' || opened.has(each.opened.runId);
  });
}

/** The tables and what was refused, after these operations in transactions that end where `ends` says. */
function written(operations: readonly Operation[], ends: (index: number) => boolean): object {
  const database = new DatabaseSync(':memory:', { readBigInts: true, enableForeignKeyConstraints: false });
  migrate(database, ':memory:', FOLDER);
  const writer = new Writer(database, ':memory:');
  const remarks: Pick<Acknowledgement, 'refused' | 'answers'>[] = [];
  let first = 1;
  let batch: Operation[] = [];
  for (const [index, each] of operations.entries()) {
    batch.push(each);
    if (index < operations.length - 1 && !ends(index)) continue;
    const last = index + 1;
    const { failure, ...rest } = writer.apply([{ first, last, operations: batch, journaled: false }]);
    expect(failure).toBeNull();
    remarks.push(rest);
    [first, batch] = [last + 1, []];
  }
  const tables = TABLES.map((query) => database.prepare(query).all());
  database.close();
  return {
    tables,
    refused: remarks.flatMap(({ refused }) => refused),
    answers: remarks.flatMap(({ answers }) => answers),
  };
}

it(
  'INV-2: what a transaction holds is what its operations would have written one by one',
  { timeout: 60_000 },
  () => {
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 40 }),
        fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
        (any, ends) => {
          const operations = inOrder(any);
          const oneByOne = written(operations, () => true);
          expect(written(operations, () => false)).toEqual(oneByOne);
          expect(written(operations, (index) => ends[index] ?? false)).toEqual(oneByOne);
        },
      ),
      { numRuns: sized(40) },
    );
  },
);
