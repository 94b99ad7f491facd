// What each command prints, for people and as JSON, of those that need no server.
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { damageJournal, ledgerPath, leftBehind, openTestLedger } from '../support/ledger-folder.ts';
import { finish, makeAttempt, makeRun, settle } from '../support/ledger-records.ts';
import { emptyDatabase, hasPostgres } from '../support/postgres.ts';
import { golden, headgate, PROJECT, TASK, temporaryFolder } from './support.ts';

const PRICED = `headgate: 1
providers:
  builtin: { adapter: builtin }
  paid: { adapter: openai, baseUrl: "http://127.0.0.1:9/v1" }
models:
  paid/gpt-5: { context: 8k, price: { input: $1, output: $10 } }
routes:
  main:
    - from: [builtin/extract, paid/gpt-5]
budgets:
  company: { limit: $50, per: month }
`;
const TEXT = 'Rain fell on the hills. The river rose by a metre. The gate was shut at noon.';

const workflows = temporaryFolder({ 'headgate.yaml': PRICED, 'shorten.yaml': TASK });
const data = temporaryFolder();
const here = ['--data', data] as const;
let hashes: readonly string[];

/** One run on each of two revisions, with a price changed between. */
beforeAll(async () => {
  const ran: string[] = [];
  for (const price of ['$1', '$2']) {
    writeFileSync(join(workflows, 'headgate.yaml'), PRICED.replace('input: $1', `input: ${price}`));
    const { out, err } = await headgate([
      'run',
      'shorten',
      '--workflows',
      workflows,
      ...here,
      '--input',
      `text=${TEXT}`,
      '--json',
    ]);
    expect(err).toBe('');
    ran.push((JSON.parse(out) as { revision: string }).revision);
  }
  hashes = ran;
});

/** Also without the names of this test's folders and revisions. */
function plain(text: string, ...folders: readonly string[]): string {
  const named = [workflows, data, ...folders].reduce(
    (rest, folder, index) => rest.replaceAll(folder, `FOLDER${index}`),
    text,
  );
  const hashed = hashes.reduce(
    (rest, hash, index) =>
      rest.replaceAll(hash, `HASH${index}`).replaceAll(hash.slice(0, 12), `HASH${index}`),
    named,
  );
  return golden(hashed)
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'TIME')
    .replaceAll(/\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b/g, 'HASH')
    .replaceAll(/\bt_[0-9a-f]{12}/g, 'SCHEMA')
    .replaceAll(/\b(before|moved|damaged)-[\dTZ-]*[\dZ]/g, '$1-TIME')
    .replaceAll(/_moved_\d+/g, '_moved_TIME');
}

async function both(args: readonly string[], ...folders: readonly string[]): Promise<string> {
  return [await one(args, ...folders), await one([...args, '--json'], ...folders)].join('\n\n');
}

async function one(args: readonly string[], ...folders: readonly string[]): Promise<string> {
  const { code, out, err } = await headgate(args);
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
  if (args.includes('--json')) expect(() => void JSON.parse(out)).not.toThrow();
  return plain([out, ...(err === '' ? [] : [`stderr: ${err}`])].join('\n'), ...folders);
}

describe('what a command prints', () => {
  it('history', async () => {
    expect(await both(['history', ...here])).toMatchInlineSnapshot(`
      "revision  commit  state  from  to  runs  cost  errors  p50  p95  by  subject
      HASH1  -  active  TIME  -  1  $0  0%  T  T  -  -
      HASH0  -  past  TIME  TIME  1  $0  0%  T  T  -  -

      [
        {
        "hash": "HASH1",
        "commit": null,
        "author": null,
        "subject": null,
        "dirty": false,
        "source": "directory FOLDER0",
        "state": "active",
        "pinned": false,
        "compiledAt": "TIME",
        "activeFrom": "TIME",
        "activeTo": null,
        "problems": [],
        "runs": 1,
        "attempts": 1,
        "errors": 0,
        "errorRate": 0,
        "cost": "0",
        "saved": "0.000194",
        "latencyP50Ms": T,
        "latencyP95Ms": T
        },
        {
        "hash": "HASH0",
        "commit": null,
        "author": null,
        "subject": null,
        "dirty": false,
        "source": "directory FOLDER0",
        "state": "past",
        "pinned": false,
        "compiledAt": "TIME",
        "activeFrom": "TIME",
        "activeTo": "TIME",
        "problems": [],
        "runs": 1,
        "attempts": 1,
        "errors": 0,
        "errorRate": 0,
        "cost": "0",
        "saved": "0.000162",
        "latencyP50Ms": T,
        "latencyP95Ms": T
        }
      ]"
    `);
  });

  it('activate', async () => {
    expect(await both(['activate', hashes[0]?.slice(0, 12) ?? '', ...here])).toMatchInlineSnapshot(`
      "Revision HASH0 is pinned; the next start serves it. Release it with "headgate activate --release".

      {
        "nextStart": {
        "hash": "HASH0",
        "commit": null,
        "subject": null,
        "pinned": true
        }
      }"
    `);
    expect(await one(['history', '--limit', '1', ...here])).toMatchInlineSnapshot(`
      "revision  commit  state  from  to  runs  cost  errors  p50  p95  by  subject
      HASH1  -  active  TIME  -  1  $0  0%  T  T  -  -"
    `);
    expect(await one(['activate', '--release', '--json', ...here])).toMatchInlineSnapshot(`
      "{
        "released": {
        "hash": "HASH0",
        "commit": null,
        "subject": null,
        "pinned": false
        }
      }"
    `);
    expect(await both(['activate', '--release', ...here])).toMatchInlineSnapshot(`
      "No revision is pinned.

      {
        "released": null
      }"
    `);
  });

  it('prices diff', async () => {
    const now = ['prices', 'diff', '--workflows', workflows, ...here];
    expect(await both(now)).toMatchInlineSnapshot(`
      "No price changes.

      {
        "compared": true,
        "changes": []
      }"
    `);
    writeFileSync(join(workflows, 'headgate.yaml'), PRICED.replace('output: $10', 'output: $8'));
    onTestFinished(() => writeFileSync(join(workflows, 'headgate.yaml'), PRICED.replace('$1,', '$2,')));
    expect(await both(now)).toMatchInlineSnapshot(`
      "paid/gpt-5
        - input $2, cached $2, cache write $2, output $10 a million tokens
        + input $1, cached $1, cache write $1, output $8 a million tokens

      {
        "compared": true,
        "changes": [
        {
        "model": "paid/gpt-5",
        "before": [
        "input $2, cached $2, cache write $2, output $10 a million tokens"
        ],
        "after": [
        "input $1, cached $1, cache write $1, output $8 a million tokens"
        ]
        }
        ]
      }"
    `);
    const nothing = ['prices', 'diff', '--workflows', workflows, '--data', join(data, 'none')];
    expect(await both(nothing)).toMatchInlineSnapshot(`
      "No revision was compiled yet, so there is nothing to compare with.

      {
        "compared": false,
        "changes": []
      }"
    `);
  });

  it('traffic export', async () => {
    const file = join(temporaryFolder(), 'traffic.hgt');
    expect(await both(['traffic', 'export', file, ...here], file)).toMatchInlineSnapshot(`
      "
      stderr: headgate: 2 runs, 2 attempts in FOLDER2.

      {
        "file": "FOLDER2",
        "runs": 2,
        "attempts": 2
      }"
    `);
    const { code, err } = await headgate(['traffic', 'export', '--json', ...here]);
    expect([code, err]).toEqual([2, expect.stringContaining('Name a file')]);
  });

  it('plan, of one and of two', async () => {
    const small = temporaryFolder({ 'headgate.yaml': PROJECT, 'shorten.yaml': TASK });
    const smaller = temporaryFolder({
      'headgate.yaml': `${PROJECT}budgets: { all: { limit: $10, per: day } }\n`,
      'shorten.yaml': TASK.replace('default: 2', 'default: 3'),
    });
    expect(await one(['plan', '--print', '--workflows', small])).toMatchInlineSnapshot(`
      "plan HASH

      task shorten  HASH  shorten.yaml
        allowance  2m, 6 attempts, no cost limit of its own
        cache  off
        retain  full, 30d
        input  { text: string, sentences: integer (minimum 1) = 2 }
        step answer: model
        route main
        else first of builtin/extract
        prompt "Summarize in at most \${{ input.sentences }} sentences.\\n<text>\\n\${{ input.text }}\\n</text>\\n"
        at most 1024 tokens of output
        gives { text: string }
        output  \${{ steps.answer }}

      models
        builtin/extract
        2M context, quality 1, streaming text
        free
        policy default: T, first token T, stall T, 2 retries (exponential T–T), opens at 50% of at least 10 in T, tries again after T, 32 at once + 128 waiting

      providers
        builtin: builtin"
    `);
    expect(await one(['plan', '--task', 'shorten', '--json', '--workflows', small])).toMatchInlineSnapshot(
      `"{"budgets":[],"environment":{},"guards":{"loop":null,"surge":null},"hash":"HASH","language":1,"models":{"builtin/extract":{"capabilities":["streaming","text"],"contextTokens":2000000,"key":"builtin/extract","limits":{"requests":null,"tokens":null},"maxOutputTokens":null,"model":"extract","policy":{"bulkhead":{"concurrent":32,"queue":128},"circuitBreaker":{"halfOpenAfterMs":T,"kind":"sampling","minimumCalls":10,"threshold":0.5,"windowMs":T},"firstTokenMs":T,"name":"default","retry":{"attempts":2,"backoff":"exponential","initialDelayMs":T,"maxDelayMs":T},"stallMs":T,"timeoutMs":T},"price":{"kind":"free"},"provider":"builtin","quality":1}},"providers":{"builtin":{"adapter":"builtin","api":"chat","apiKeySecret":null,"baseUrl":null,"headers":{},"lacks":[],"limits":{"requests":null,"tokens":null},"name":"builtin","sdkOptions":{}}},"tasks":{"shorten":{"allowance":{"attempts":6,"costNanoUsd":null,"deadlineMs":T},"baseline":null,"cache":null,"deprecated":null,"description":"","file":"shorten.yaml","inputDefaults":{},"inputSchema":{"additionalProperties":false,"properties":{"sentences":{"default":2,"minimum":1,"type":"integer"},"text":{"type":"string"}},"required":["text"],"type":"object"},"loop":null,"name":"shorten","output":{"kind":"expression","source":"steps.answer"},"outputSchema":{"additionalProperties":false,"properties":{"text":{"type":"string"}},"required":["text"],"type":"object"},"retain":{"content":"full","forMs":T},"revision":"HASH","steps":[{"accept":null,"after":[],"each":null,"key":"answer","kind":"model","maxOutputTokens":1024,"outputSchema":{"additionalProperties":false,"properties":{"text":{"type":"string"}},"required":["text"],"type":"object"},"prompt":{"kind":"text","parts":["Summarize in at most ",{"source":"input.sentences"}," sentences.\\n<text>\\n",{"source":"input.text"},"\\n</text>\\n"]},"route":{"name":"main","pin":false,"rules":[{"candidates":[{"model":"builtin/extract","weight":1}],"hedge":null,"name":"main[0]","pick":"first","when":null}]},"structured":null,"system":null,"temperature":null,"when":null}]}}}"`,
    );
    expect(await one(['plan', small, smaller], small, smaller)).toMatchInlineSnapshot(`
      "FOLDER2 → FOLDER3

      Other changes
        task shorten: input sentences has the default 3 instead of 2
        budget all: is new ($10 a day (UTC), everything, then reject) [limit-lowered]

      GraphQL
        Input field 'ShortenInput.sentences' default value changed from '2' to '3' (dangerous)"
    `);
    expect(await one(['plan', small, smaller, '--format', 'json'], small, smaller)).toMatchInlineSnapshot(`
      "{
        "base": {
        "name": "FOLDER2",
        "commit": null,
        "plan": "HASH"
        },
        "head": {
        "name": "FOLDER3",
        "commit": null,
        "plan": "HASH"
        },
        "changes": [
        {
        "subject": "task shorten",
        "message": "input sentences has the default 3 instead of 2",
        "effects": []
        },
        {
        "subject": "budget all",
        "message": "is new ($10 a day (UTC), everything, then reject)",
        "effects": [
        "limit-lowered"
        ]
        }
        ],
        "effects": [
        "limit-lowered"
        ],
        "worstCosts": [
        {
        "task": "shorten",
        "before": "0",
        "after": "0"
        }
        ],
        "graphql": [
        {
        "level": "dangerous",
        "message": "Input field 'ShortenInput.sentences' default value changed from '2' to '3'",
        "path": "ShortenInput.sentences"
        }
        ],
        "stoppedBy": []
      }"
    `);
  });

  it('init', async () => {
    const folder = temporaryFolder();
    expect(await one(['init', join(folder, 'one')], folder)).toMatchInlineSnapshot(
      `"FOLDER2/one/headgate.yaml and the shipped tasks are there; editors check them by FOLDER2/schema. Try "headgate check FOLDER2/one"."`,
    );
    expect(await one(['init', join(folder, 'two'), '--json'], folder)).toMatchInlineSnapshot(`
      "{
        "workflows": "FOLDER2/two",
        "files": [
        "code-review.yaml",
        "email-parse.yaml",
        "headgate.yaml",
        "summarize.yaml",
        "tests"
        ],
        "schemas": "FOLDER2/schema"
      }"
    `);
    expect(existsSync(join(folder, 'schema', 'task.json'))).toBe(true);
  });

  it('ledger adjust', async () => {
    const args = ['--cost', '1.5', '--provider', 'paid', '--reason', 'the bill', '--workflows', workflows];
    expect(await both(['ledger', 'adjust', ...args, ...here])).toMatchInlineSnapshot(`
      "att_…: $1.5 at paid is entered. "headgate ledger reconcile --confirm att_… --cost DOLLARS" lowers it.

      {
        "id": "att_…",
        "cost": "1.5"
      }"
    `);
  });

  it('ledger backup and restore', async () => {
    const folder = temporaryFolder();
    const [first, second, into] = ['1.db', '2.db', 'into'].map((name) => join(folder, name));
    const bytes = /"bytes": \d+/;
    expect(await one(['ledger', 'backup', first as string, ...here], folder)).toMatchInlineSnapshot(
      `"FOLDER2/1.db: 4 runs and 4 attempts up to TIME; every sum agrees."`,
    );
    expect(
      (await one(['ledger', 'backup', second as string, ...here, '--json'], folder)).replace(
        bytes,
        '"bytes": N',
      ),
    ).toMatchInlineSnapshot(`
      "{
        "file": "FOLDER2/2.db",
        "bytes": N,
        "newest": "TIME",
        "runs": 4,
        "attempts": 4
      }"
    `);
    const restore = ['ledger', 'restore', first as string, '--data', into as string];
    expect(await both(restore, folder)).toMatchInlineSnapshot(`
      "4 runs and 4 attempts are restored; every sum agrees.
      What was spent since TIME is not in the ledger. Compare it with the providers' bills, and enter it: "headgate ledger adjust --cost DOLLARS --provider NAME --reason TEXT".

      {
        "file": "FOLDER2/1.db",
        "newest": "TIME",
        "runs": 4,
        "attempts": 4,
        "keptAs": [
        "FOLDER2/into/headgate.db.before-TIME",
        "FOLDER2/into/headgate.db.before-TIME-wal",
        "FOLDER2/into/headgate.db.before-TIME-shm"
        ]
      }"
    `);
  });
});

describe('headgate ledger repair', () => {
  /** What a kill leaves, with a byte of its journal turned. */
  async function damaged(): Promise<string> {
    const path = ledgerPath();
    const ledger = await openTestLedger(path);
    const run = makeRun('run_1');
    const attempt = makeAttempt('att_1', run);
    void ledger.openRun(run);
    await ledger.openAttempt(attempt);
    await ledger.closeAttempt(settle(attempt), null);
    await ledger.finishRun(finish(run));
    const dead = leftBehind(path);
    damageJournal(dead, (text) => text.indexOf('"succeeded"'));
    return dirname(dead);
  }

  it('says what is lost, for people and as JSON, and then that nothing is', async () => {
    const told = async (...flags: readonly string[]): Promise<string> => {
      const folder = await damaged();
      const args = ['ledger', 'repair', '--data', folder, ...flags];
      return [await one(args, folder), await one(args, folder)].join('\n\n');
    };
    expect(await told()).toMatchInlineSnapshot(`
      "Lost: operation 3.
      The damaged part names att_1.
      Everything else that was written (3 operations) is in the database now.
      The damaged file is kept as FOLDER2/headgate.db.journal.damaged-TIME.
      Start the server; attempts that were under way are then listed by "headgate ledger reconcile". Compare them with the provider's own record of requests.

      Nothing is damaged."
    `);
    expect(await told('--json')).toMatchInlineSnapshot(`
      "{
        "damaged": true,
        "lost": [
        {
        "from": 3,
        "to": 3
        }
        ],
        "named": [
        "att_1"
        ],
        "committed": 3,
        "setAside": [],
        "keptAs": "FOLDER2/headgate.db.journal.damaged-TIME"
      }

      {
        "damaged": false
      }"
    `);
  });

  it('of a ledger in PostgreSQL is refused, since there is no journal', async () => {
    const at = ['--data', data, '--database', 'postgres://me:secret@db/gate'];
    const { code, out, err } = await headgate(['ledger', 'repair', ...at]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatchInlineSnapshot(
      `"headgate: The ledger is in PostgreSQL, which has no journal beside it that could be damaged. To see whether it adds up: "headgate ledger verify". For a ledger in a folder, leave --database and HEADGATE_DATABASE out."`,
    );
  });
});

describe.skipIf(!hasPostgres)('headgate ledger move', () => {
  it('into PostgreSQL and back', async () => {
    const folder = temporaryFolder();
    const backup = join(folder, 'b.db');
    expect((await headgate(['ledger', 'backup', backup, ...here])).code).toBe(0);
    const from = join(folder, 'from');
    expect((await headgate(['ledger', 'restore', backup, '--data', from])).code).toBe(0);
    const address = await emptyDatabase();
    expect(await one(['ledger', 'move', '--to', address, '--data', from], folder)).toMatchInlineSnapshot(`
      "4 runs and 4 attempts are moved; every sum agrees.
      What was there is kept as it was: FOLDER2/from/headgate.db.moved-TIME
      Start the nodes with HEADGATE_DATABASE."
    `);
    const back = ['ledger', 'move', '--database', address, '--to', join(folder, 'back')];
    expect(await one([...back, '--json'], folder)).toMatchInlineSnapshot(`
      "{
        "runs": 4,
        "attempts": 4,
        "keptAs": "SCHEMA_moved_TIME"
      }"
    `);
  });
});
