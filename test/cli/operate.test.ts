// The commands that a server is operated with: what each prints, for people and as JSON, and that both ways of asking say the same.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp, type App } from '../../src/app.ts';
import { csv } from '../../src/cli/format/csv.ts';
import { writeServerAddress } from '../../src/cli/server-address.ts';
import { systemClock } from '../../src/common/clock.ts';
import { LOCAL_CALLER } from '../../src/engine/execution/local-caller.ts';
import { serveApp } from '../../src/serve.ts';
import { builtMain } from '../support/built.ts';
import { scriptedProviders } from '../support/scripted-provider.ts';
import { repositoryRoot } from '../support/repository.ts';
import { golden, headgate, temporaryFolder } from './support.ts';

const workflows = temporaryFolder({
  'headgate.yaml': `headgate: 1
providers:
  paid: { adapter: openai, baseUrl: "http://127.0.0.1:9/v1" }
models:
  paid/gpt-5: { context: 8k, price: { input: $1, output: $10 } }
policies:
  default: { retry: { attempts: 0 } }
routes:
  main: [{ from: [paid/gpt-5] }]
budgets:
  company: { limit: $5, per: month, warnAt: [80%] }
`,
  'ask.yaml': `task: ask
input: { text: string }
allowance: { attempts: 1 }
steps:
  answer: { route: main, prompt: "\${{ input.text }}", maxOutputTokens: 100 }
`,
});
const data = join(temporaryFolder(), 'data');
let app: App;
let server: Awaited<ReturnType<typeof serveApp>>;
let forget: () => void;
let run: string;

beforeAll(async () => {
  app = await openApp({
    workflows,
    dataDirectory: data,
    env: {},
    synchronous: 'normal',
    wrapProviders: () =>
      scriptedProviders(systemClock, () => ({
        text: 'It is.',
        usage: { inputTokens: 1000, outputTokens: 10 },
      })),
  });
  server = await serveApp(app, { host: '127.0.0.1', port: 0, mode: 'development', watch: false });
  forget = writeServerAddress(data, server.url);
  for (const [text, name, team, project] of [
    ['One?', 'ana', 'growth', 'atlas'],
    ['Two?', 'bo', '=cmd|calc', 'boreas'],
  ] as const) {
    const result = await app.engine.run({
      task: 'ask',
      input: { text },
      caller: { ...LOCAL_CALLER, name, team },
      options: { tags: { project } },
    });
    if (result.kind === 'run') run = result.snapshot.run.id;
  }
});
afterAll(async () => {
  forget();
  await server.close(0);
  await app.close(0);
});

/** At the server, for people and as JSON. */
async function told(...args: readonly string[]): Promise<string> {
  const at = ['--server', server.url];
  const [plain, json] = [await headgate([...args, ...at]), await headgate([...args, ...at, '--json'])];
  expect([plain.code, json.code, plain.err, json.err]).toEqual([0, 0, '', '']);
  expect(() => void JSON.parse(json.out)).not.toThrow();
  return `\n${golden(plain.out)}\n\n${golden(json.out)}\n`;
}

describe('what a server tells', () => {
  it('runs', async () => {
    expect(await told('runs', '--caller', 'ana')).toMatchInlineSnapshot(`
      "
      run  started  task  status  caller  cost  took  tags
      run_…  TIME  ask  succeeded  ana  $0.0011  T  project=atlas

      [
        {
        "id": "run_…",
        "startedAt": "TIME",
        "task": "ask",
        "status": "succeeded",
        "caller": "ana",
        "tags": {
        "project": "atlas"
        },
        "cost": "0.0011",
        "saved": "0",
        "cached": false,
        "latencyMs": T,
        "error": null,
        "team": "growth"
        }
      ]
      "
    `);
    expect((await headgate(['runs', '--server', server.url])).out.split('\n')).toHaveLength(3);
  });

  it('why', async () => {
    expect(await told('why', run)).toMatchInlineSnapshot(`
      "
      bo of =cmd|calc asked for ask at TIME, under revision HASH; it succeeded after T, with 1 call for $0.0011. For answer, rule main[0] chose paid/gpt-5 by first; $0.002352 was held and $0.0011 settled.

      step  model  outcome  rule  held  cost  saved  took
      answer  paid/gpt-5  succeeded  main[0] (first)  $0.002352  $0.0011  $0  T

      {"text":"bo of =cmd|calc asked for ask at TIME, under revision HASH; it succeeded after T, with 1 call for $0.0011. For answer, rule main[0] chose paid/gpt-5 by first; $0.002352 was held and $0.0011 settled.","attempts":[{"step":"answer","model":"paid/gpt-5","outcome":"succeeded","rule":"main[0] (first)","held":"0.002352","cost":"0.0011","saved":"0","latencyMs":T}]}
      "
    `);
  });

  it('budgets', async () => {
    expect(await told('budgets')).toMatchInlineSnapshot(`
      "
      budget  of  spent  held  limit  ends  expected  from  to  spent by
      company  $0.0022  $0  $5  TIME  –  –  –

      [{"name":"company","account":"","unit":"USD","limit":"5","spent":"0.0022","held":"0","resetsAt":"TIME","forecast":{"endsAt":"TIME","exhaustedAt":null,"earliest":null,"latest":null,"expected":null,"low":null,"high":null,"pastDays":0}}]
      "
    `);
  });

  it('stats, with its filter and its tags', async () => {
    expect(await told('stats', '--by', 'task,tag:project', '--filter', 'tag=project:atlas'))
      .toMatchInlineSnapshot(`
      "
      TIME to TIME  $0.0011 for 1 run, 1 attempt (0 failed), saved $0
      1000 tokens in, 10 out; p50 T, p95 T

        cost  runs  attempts  failed  p50  p95
      ask / atlas  $0.0011  1  1  0  T  T

      budget  of  spent  held  limit  resets
      company  $0.0022  $0  $5  TIME

      {"at":"TIME","from":"TIME","to":"TIME","complete":true,"total":{"cost":"0.0011","saved":"0","runs":1,"attempts":1,"errors":0,"inputTokens":1000,"cachedInputTokens":0,"outputTokens":10,"latencyP50Ms":T,"latencyP95Ms":T},"groups":[{"keys":[{"dimension":"TASK","value":"ask"},{"dimension":"TAG","value":"atlas"}],"bucket":{"cost":"0.0011","saved":"0","runs":1,"attempts":1,"errors":0,"inputTokens":1000,"cachedInputTokens":0,"outputTokens":10,"latencyP50Ms":T,"latencyP95Ms":T}}],"budgets":[{"name":"company","account":"","unit":"USD","limit":"5","spent":"0.0022","held":"0","resetsAt":"TIME"}],"paused":[]}
      "
    `);
  });

  it('ledger verify, reconcile, savings and why-cost', async () => {
    expect(golden((await headgate(['ledger', 'verify', '--data', data])).out)).toMatchInlineSnapshot(
      `"2 attempts, 2 runs, 1 budget window, 7 roll-ups: every sum agrees to the nano-dollar"`,
    );
    expect(golden((await headgate(['ledger', 'verify', '--data', data, '--json'])).out))
      .toMatchInlineSnapshot(`
        "{
          "ok": true,
          "attempts": 2,
          "runs": 2,
          "budgetWindows": 1,
          "rollups": 7,
          "found": 0,
          "discrepancies": []
        }"
      `);
    expect(await told('ledger', 'reconcile')).toMatchInlineSnapshot(`
      "
      No attempt is of unknown outcome.

      {
        "unknown": [],
        "estimates": []
      }
      "
    `);
    expect(await told('savings')).toMatchInlineSnapshot(`
      "
      TIME to TIME: saved $0 of $0.0022

        baseline  routing*  local*  cascade*  exact cache  prompt cache  failures  cost
      ask  $0.0022  $0  $0  $0  $0  $0  $0  $0.0022
      all  $0.0022  $0  $0  $0  $0  $0  $0  $0.0022

      * another model's price of the same tokens; the others are measured. $0.0022 has no baseline: name one with \`baseline:\`.

      {"from":"TIME","to":"TIME","total":{"cost":"0.0022","net":"0","baselineCost":"0.0022","withoutBaseline":"0.0022","byCause":[{"cause":"ROUTING","amount":"0","estimated":true},{"cause":"LOCAL","amount":"0","estimated":true},{"cause":"CASCADE","amount":"0","estimated":true},{"cause":"EXACT_CACHE","amount":"0","estimated":false},{"cause":"PROMPT_CACHE","amount":"0","estimated":false},{"cause":"FAILURES","amount":"0","estimated":false}]},"groups":[{"key":"ask","savings":{"cost":"0.0022","net":"0","baselineCost":"0.0022","withoutBaseline":"0.0022","byCause":[{"cause":"ROUTING","amount":"0","estimated":true},{"cause":"LOCAL","amount":"0","estimated":true},{"cause":"CASCADE","amount":"0","estimated":true},{"cause":"EXACT_CACHE","amount":"0","estimated":false},{"cause":"PROMPT_CACHE","amount":"0","estimated":false},{"cause":"FAILURES","amount":"0","estimated":false}]}}]}
      "
    `);
    expect(await told('why-cost')).toMatchInlineSnapshot(`
      "
      TIME to TIME: $0.0022, +$0.0022
      against TIME to TIME: $0

      cause  change
      volume  +$0.0022

      +$0.0022  the same workflows: volume +$0.0022

      {"from":[{"from":"TIME","to":"TIME"}],"to":{"from":"TIME","to":"TIME"},"fromCost":"0","toCost":"0.0022","change":"0.0022","byCause":[{"cause":"VOLUME","amount":"0.0022"}],"byRevision":[{"amount":"0.0022","revision":null,"before":null,"byCause":[{"cause":"VOLUME","amount":"0.0022"}],"changes":[],"lines":[]}],"groups":[{"key":"ask","change":"0.0022","byCause":[{"cause":"VOLUME","amount":"0.0022"}]}]}
      "
    `);
  });

  it('pause, stats of what is paused, resume, and the alerts of both', async () => {
    expect(await told('pause', '--task', 'ask', '--reason', 'too dear')).toMatchInlineSnapshot(`
      "
      Spending of task:ask is paused since TIME by local: too dear

      {
        "scope": "task:ask",
        "reason": "too dear",
        "by": "local",
        "since": "TIME",
        "paused": true
      }
      "
    `);
    const { out } = await headgate(['stats', '--server', server.url]);
    expect(golden(out).split('\n')[0]).toMatchInlineSnapshot(
      `"Spending of task:ask is paused since TIME by local: too dear"`,
    );
    const refused = await headgate(['run', 'ask', '--server', server.url, '--input', 'text=Three?']);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('too dear')]);
    expect((await headgate(['resume', '--task', 'ask', '--server', server.url, '--json'])).code).toBe(0);
    expect(await told('alerts', '--limit', '1')).toMatchInlineSnapshot(`
      "
      at  severity  kind  of  message
      TIME  info  resumed  task:ask  Spending of task:ask is resumed by local.

      [
        {
        "id": "alr_…",
        "at": "TIME",
        "scope": "task:ask",
        "message": "Spending of task:ask is resumed by local.",
        "remedy": "Nothing is to be done.",
        "details": {
        "by": "local",
        "reason": "too dear"
        },
        "kind": "resumed",
        "severity": "info"
        }
      ]
      "
    `);
    const none = await headgate(['resume', '--task', 'ask', '--server', server.url]);
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('not paused')]);
  });
});

describe('headgate top', () => {
  it('shows budgets, the dearest runs and providers, once or as often as is asked', async () => {
    const { code, out, err } = await headgate(['top', '--server', server.url, '--count', '1', '--runs', '2']);
    expect([code, err]).toEqual([0, '']);
    const text = golden(out);
    expect(text).toMatch(
      /^headgate http:.* TIME\n\$[\d.]+ a minute.*; the last hour \$0\.0022 for 2 runs, 0 calls failed\n/,
    );
    expect(text).toMatch(/\nBudgets\ncompany  ░{20}  0%  \$0\.0022 and \$0 held of \$5\n/);
    expect(text).toMatch(
      /\nDearest runs of the last hour\nrun .*\nrun_…  ask  \w+  succeeded  \$0\.0011  T\nrun_…  ask /,
    );
    expect(text).toMatch(/\nProviders\nmodel .*\npaid\/gpt-5  closed  0  0 /);
    const json = await headgate(['top', '--data', data, '--count', '2', '--every', '200ms', '--json']);
    const states = json.out.split('\n').map((line) => JSON.parse(line) as { runs: { cost: string }[] });
    expect(states.map(({ runs }) => runs.map(({ cost }) => cost))).toEqual([
      ['0.0011', '0.0011'],
      ['0.0011', '0.0011'],
    ]);
  });

  it.skipIf(spawnSync('script', ['--version']).status !== 0)(
    'draws on a terminal of its own, and q gives the old one back',
    async () => {
      const command = `${process.execPath} ${builtMain()} top --server ${server.url} --every 200ms`;
      const child = spawn('script', ['-qec', command, '/dev/null'], {
        cwd: repositoryRoot,
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      let shown = '';
      child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
      await expect.poll(() => shown, { timeout: 30_000 }).toContain('paid/gpt-5');
      child.stdin.write('q');
      expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
      expect(shown.startsWith('\u001b[?1049h')).toBe(true);
      expect(shown.trimEnd().endsWith('\u001b[?1049l')).toBe(true);
    },
    60_000,
  );

  it.each([
    [['top', '--every', '1ms'], '200ms'],
    [['top', '--count', '0'], 'whole number'],
  ])('INV-13: %j', async (args, hint) => {
    const { code, err } = await headgate([...args, '--server', server.url]);
    expect([code, err]).toEqual([2, expect.stringContaining(hint)]);
  });
});

describe('the same from the database, beside the server', () => {
  it.each([
    ['runs'],
    ['runs', '--tag', 'project=atlas', '--min-cost', '0.0001'],
    ['stats', '--by', 'caller', '--month', new Date().toISOString().slice(0, 7)],
    ['stats', '--by', 'tag', '--format', 'csv'],
    ['stats', '--by', 'team,tag:project', '--format', 'csv', '--filter', 'provider=paid'],
  ])('%s %s %s %s', async (...args) => {
    const here = await headgate([...args, '--data', data]);
    const there = await headgate([...args, '--server', server.url]);
    expect([here.code, here.err]).toEqual([0, '']);
    // Budgets are accounts in the server's memory.
    expect(golden(there.out).split('\n\nbudget')[0]).toBe(golden(here.out));
    expect(here.out).not.toBe('');
  });
});

describe('CSV of stats', () => {
  it('is a line for each group of a calendar month, and no formula for a spreadsheet', async () => {
    const month = new Date().toISOString().slice(0, 7);
    const { out } = await headgate([
      'stats',
      '--data',
      data,
      '--by',
      'team',
      '--month',
      month,
      '--format',
      'csv',
    ]);
    expect(golden(out)).toMatchInlineSnapshot(`
      "from,to,team,cost_usd,saved_usd,runs,attempts,failed_attempts,input_tokens,cached_input_tokens,output_tokens
      TIME,TIME,'=cmd|calc,0.0011,0,1,1,0,1000,0,10
      TIME,TIME,growth,0.0011,0,1,1,0,1000,0,10"
    `);
  });

  it('quotes what would break a line, and leaves numbers as they are', () => {
    expect(
      csv(
        ['a', 'b'],
        [
          ['x,"y"\n', '-1.5'],
          ['+1+1', '@x'],
        ],
      ),
    ).toBe('a,b\r\n"x,""y""\n",-1.5\r\n\'+1+1,\'@x');
  });
});

describe('run in another caller’s name', () => {
  it('counts for the caller, the team and the tag', async () => {
    const args = [
      '--server',
      server.url,
      '--input',
      'text=Four?',
      '--caller',
      'cy',
      '--team',
      'ops',
      '--tier',
      'gold',
    ];
    expect((await headgate(['run', 'ask', ...args, '--tag', 'project=atlas'])).code).toBe(0);
    const { out } = await headgate(['runs', '--data', data, '--caller', 'cy', '--json']);
    expect(JSON.parse(out)).toMatchObject([{ caller: 'cy', team: 'ops', tags: { project: 'atlas' } }]);
  });
});

describe('wrong usage changes nothing', () => {
  it.each([
    [['pause', '--reason', 'x'], '--task'],
    [['pause', '--all', '--task', 'ask', '--reason', 'x'], 'one thing'],
    [['pause', '--task', 'aks', '--reason', 'x'], '"ask"'],
    [['pause', '--model', 'paid/gpt5', '--reason', 'x'], '"paid/gpt-5"'],
    [['pause', '--all'], '--reason'],
    [['stats', '--filter', 'tsk=ask'], 'task='],
    [['stats', '--filter', 'tag=project'], 'project:atlas'],
    [['stats', '--month', '2026-13'], '2026-11'],
    [['stats', '--month', '2026-11', '--from', '2026-11-01'], '--month'],
    [['stats', '--month', '2026-11', '--window', 'day'], '--window'],
    [['stats', '--month', '2026-11', '--by', 'tag'], 'tag:KEY'],
    [['stats', '--from', '2026-11-31'], '2026-11-01'],
    [['stats', '--month', '2026-11', '--time-zone', 'Mars/Olympus'], 'IANA'],
    [['runs', '--status', 'done'], 'succeeded'],
  ])('INV-13: %j', async (args, hint) => {
    const { code, out, err } = await headgate([...args, '--server', server.url]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(hint);
    expect(app.guards.switches()).toEqual([]);
  });
});

describe('keys', () => {
  it('are made, listed and revoked, for people and as JSON', async () => {
    const at = ['--data', join(temporaryFolder(), 'keys')];
    const secret = /hg_[\w-]+/g;
    const plain = await headgate(['keys', 'create', '--caller', 'ana', ...at]);
    expect(plain.out.trim()).toMatch(/^hg_[\w-]+$/);
    expect(golden(plain.err).replaceAll(secret, 'hg_…')).toMatchInlineSnapshot(
      `"headgate: key key_… for ana (admin). It is shown this once; send it as "Authorization: Bearer hg_……"."`,
    );
    const made = await headgate(['keys', 'create', '--caller', 'bo', '--json', ...at]);
    expect(made.err).toBe('');
    expect(golden(made.out).replaceAll(secret, 'hg_…')).toMatchInlineSnapshot(`
      "{
        "id": "key_…",
        "secret": "hg_…",
        "caller": "bo",
        "scopes": [
        "run:*"
        ]
      }"
    `);
    const { id } = JSON.parse(made.out) as { id: string };
    expect(golden((await headgate(['keys', 'revoke', id, '--json', ...at])).out)).toMatchInlineSnapshot(`
      "{
        "id": "key_…",
        "revoked": true
      }"
    `);
    const listed = (await headgate(['keys', 'list', ...at])).out;
    expect(golden(listed).replaceAll(secret, 'hg_…')).toMatchInlineSnapshot(`
      "id  caller  team  tier  tags  key  scopes  a minute  body  created  last used  state
      key_…  ana  hg_……  admin  TIME  never  active
      key_…  bo  hg_……  run:*  TIME  never  revoked"
    `);
  });
});

describe('an address of a database', () => {
  it.each(['mysql://me:secret@db/gate', 'db.secret/gate', ''])(
    'that is none of PostgreSQL, as %j, is refused, and is no name of a file',
    async (database) => {
      const { code, err } = await headgate(['stats', '--database', database]);
      expect(code).toBe(1);
      expect(err).toContain('The address of the database is not one of PostgreSQL.');
      expect(err).toContain('postgres://USER:PASSWORD@HOST/DATABASE');
      expect(err).not.toContain('secret');
    },
  );
});

describe('ledger backup', () => {
  it.each(['backup', 'restore'])(
    '%s of a ledger in PostgreSQL is PostgreSQL’s own, and says so',
    async (command) => {
      const { code, err } = await headgate([
        'ledger',
        command,
        'file',
        '--database',
        'postgres://me:secret@db/gate',
      ]);
      expect(code).toBe(2);
      expect(err).toContain(
        command === 'backup'
          ? 'pg_dump --format=custom --schema=headgate'
          : 'pg_restore --clean --schema=headgate --dbname=gate',
      );
      expect(err).not.toContain('secret');
    },
  );
});

describe('without a server', () => {
  it('pauses and resumes in the database itself: the next server starts with it', async () => {
    const own = join(temporaryFolder(), 'data');
    const paused = await headgate(['pause', '--all', '--reason', 'the bill', '--data', own, '--json']);
    expect([paused.code, paused.err]).toEqual([0, '']);
    expect(JSON.parse(paused.out)).toMatchObject({ scope: 'all', by: 'local', paused: true });
    const next = await openApp({ workflows, dataDirectory: own, env: {}, synchronous: 'normal' });
    expect(next.guards.switches()).toMatchObject([{ scope: 'all', reason: 'the bill' }]);
    await next.close(0);
    expect((await headgate(['resume', '--all', '--data', own])).out).toBe('Spending of everything goes on.');
    const again = await headgate(['resume', '--all', '--data', own]);
    expect([again.code, again.err]).toEqual([2, expect.stringContaining('Nothing is paused')]);
  });
});
