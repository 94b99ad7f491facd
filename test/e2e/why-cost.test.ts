// Why it cost that, as people ask it: a served product over a git repository in which several people commit, asked through GraphQL and by the command line.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headgate } from '../cli/support.ts';
import { startFaultServer } from '../support/fault-server.ts';
import type { FaultServer } from '../support/fault-server.ts';
import { createRepository } from '../support/git.ts';
import { serve } from '../support/served.ts';
import type { Served } from '../support/served.ts';

const repository = createRepository();
let upstream: FaultServer;
let served: Served;
/** Before the first run, between the commits, and after the last run. */
const marks: string[] = [];

const project = (price: string, from: string): string => `headgate: 1
baseline: openai/large
providers:
  openai: { adapter: openai, apiKey: "\${{ secrets.OPENAI_API_KEY }}", baseUrl: "${upstream.openaiUrl}" }
models:
  openai/large: { price: { input: ${price}, cachedInput: $0.2, output: $10 }, context: 100000 }
  openai/small: { price: { input: $0.5, cachedInput: $0.05, output: $2 }, context: 100000 }
routes:
  default: { from: [${from}] }
budgets:
  company: { limit: $10, per: day, then: reject }
`;
const summarize = (prompt: string): string => `task: summarize
input:
  text: string
cache: { for: 1h }
steps:
  summary:
    prompt: "${prompt} \${{ input.text }}"
    maxOutputTokens: 50
output: \${{ steps.summary.text }}
`;

function commitAs(author: string, subject: string, files: { readonly [path: string]: string }): void {
  for (const [path, text] of Object.entries(files)) repository.write(path, text);
  repository.git('add', '--all');
  repository.git('commit', '--quiet', '--author', `${author} <${author}@example.com>`, '--message', subject);
}

// What a test of the wire reads of an answer, it says itself.
async function ask<Data>(query: string, variables: object = {}): Promise<Data> {
  const response = await fetch(`${served.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
  expect(errors).toBeUndefined();
  return data;
}

const run = async (text: string): Promise<string> =>
  (
    await ask<{ runTaskJson: { id: string } }>(
      'mutation ($input: JSON!) { runTaskJson(name: "summarize", input: $input, options: { tags: [{ key: "app", value: "web" }] }) { ... on Run { id } } }',
      { input: { text } },
    )
  ).runTaskJson.id;

async function reload(): Promise<void> {
  await ask('mutation { reloadWorkflows { __typename } }');
}

/** A millisecond in which nothing began. */
function mark(): void {
  const last = marks.at(-1) ?? '';
  let now = new Date().toISOString();
  while (now <= last) now = new Date().toISOString();
  marks.push(now);
}

const runIds: string[] = [];

beforeAll(async () => {
  upstream = await startFaultServer();
  upstream.otherwise((call) =>
    JSON.stringify(call.body).includes('refuse') && call.model === 'small'
      ? { refuse: 'content_filter' }
      : {
          tokens: 10,
          usage: { inputTokens: JSON.stringify(call.body).includes('every detail') ? 300 : 100 },
        },
  );
  commitAs('ana', 'first', {
    'workflows/headgate.yaml': project('$2', 'openai/large'),
    'workflows/summarize.yaml': summarize('Sum up.'),
  });
  served = await serve({
    flags: ['--workflows', join(repository.path, 'workflows'), '--no-watch'],
    env: { OPENAI_API_KEY: 'k' },
  });
  mark();
  for (let index = 0; index < 4; index += 1) runIds.push(await run(`text ${index}`));
  mark();
  commitAs('ben', 'a dearer price', { 'workflows/headgate.yaml': project('$3', 'openai/large') });
  commitAs('cleo', 'a readme', { 'README.md': 'hello' });
  await reload();
  for (let index = 0; index < 4; index += 1) runIds.push(await run(`other ${index}`));
  mark();
  commitAs('dan', 'a longer prompt', { 'workflows/summarize.yaml': summarize('Sum up with every detail.') });
  commitAs('eve', 'small first', { 'workflows/headgate.yaml': project('$3', 'openai/small, openai/large') });
  await reload();
  for (let index = 0; index < 3; index += 1) runIds.push(await run(`third ${index}`));
  runIds.push(await run('refuse this'), await run('third 0'));
  mark();
}, 60_000);

afterAll(async () => {
  await served.stop();
  await upstream.close();
  repository.remove();
});

const CHANGE = `query ($from: SpanInput!, $to: SpanInput!) { costChange(from: $from, to: $to, by: [TASK]) {
  complete fromCost toCost change byCause { cause amount }
  byRevision { amount byCause { cause amount } revision { commit } lines { file line after author subject } }
  groups { key change byCause { cause amount } }
} }`;

interface Change {
  readonly costChange: {
    readonly complete: boolean;
    readonly fromCost: string;
    readonly toCost: string;
    readonly change: string;
    readonly byCause: readonly { readonly cause: string; readonly amount: string }[];
    readonly byRevision: readonly {
      readonly amount: string;
      readonly byCause: readonly { readonly cause: string; readonly amount: string }[];
      readonly lines: readonly { readonly author: string; readonly subject: string }[];
    }[];
    readonly groups: readonly { readonly change: string }[];
  };
}
const span = (index: number) => ({ from: marks[index], to: marks[index + 1] });
/** Dollars are written with up to nine digits: as whole nano-dollars they add up exactly. */
const nano = (amount: string): bigint => {
  const [, sign = '', whole = '0', digits = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(amount) ?? [];
  const value = BigInt(whole + digits.padEnd(9, '0'));
  return sign === '-' ? -value : value;
};
const total = (parts: readonly { readonly amount: string }[]): bigint =>
  parts.reduce((sum, { amount }) => sum + nano(amount), 0n);

describe('why it cost that', () => {
  it('lays a dearer price to the line and the person, though the newest commit is about something else', async () => {
    const { costChange } = await ask<Change>(CHANGE, { from: span(0), to: span(1) });
    // Four runs of 100 tokens in and 10 out: at $2 and $10, then at $3 and $10 a million.
    expect(costChange).toMatchObject({
      complete: true,
      fromCost: '0.0012',
      toCost: '0.0016',
      change: '0.0004',
      byCause: [{ cause: 'PRICE', amount: '0.0004' }],
      byRevision: [
        {
          amount: '0.0004',
          lines: [
            {
              file: 'workflows/headgate.yaml',
              line: 6,
              after: expect.stringContaining('input: $3') as string,
              author: 'ben <ben@example.com>',
              subject: 'a dearer price',
            },
          ],
        },
      ],
    });
  });

  it('keeps apart what two people did at once, and adds up to the nano-dollar', async () => {
    const { costChange } = await ask<Change>(CHANGE, { from: span(1), to: span(2) });
    const { byCause, byRevision, groups, change } = costChange;
    expect(nano(change)).toBe(nano(costChange.toCost) - nano(costChange.fromCost));
    expect(total(byCause)).toBe(nano(change));
    expect(total(byRevision)).toBe(nano(change));
    expect(groups.reduce((sum, group) => sum + nano(group.change), 0n)).toBe(nano(change));
    expect(byCause.map(({ cause }) => cause)).toEqual(
      expect.arrayContaining(['ROUTE', 'INPUT_TOKENS', 'VOLUME', 'EXACT_CACHE']),
    );
    expect(byRevision[0]?.lines.map(({ author, subject }) => `${author} ${subject}`)).toEqual([
      'eve <eve@example.com> small first',
      'dan <dan@example.com> a longer prompt',
    ]);
  });

  it.each([
    ['the database', false],
    ['the server', true],
  ])('is told by why-cost from %s', async (_name, remote) => {
    const { code, out } = await headgate([
      'why-cost',
      ...(remote ? ['--server', served.url] : ['--data', served.dataDirectory]),
      '--workflows',
      join(repository.path, 'workflows'),
      '--since',
      marks[1] ?? '',
      '--until',
      marks[2] ?? '',
      '--by',
      'task,tag:app',
    ]);
    expect(code).toBe(0);
    const text = out
      .replace(/^.* to .*Z: /gm, '')
      .replace(/against .*Z: /, 'against ')
      .replace(/\b[0-9a-f]{10}\b/, 'HASH');
    // The span before is as long as this one, and may begin among the first runs; what the commit did is the same.
    expect(text).toContain('commit HASH by ben, "a dearer price": price +$0.0004');
    expect(text).toMatch(/workflows\/headgate\.yaml:6 {2}openai\/large: \{ price: \{ input: \$3/);
  });

  it('names each commit where a revision has several', async () => {
    const { out } = await headgate([
      'why-cost',
      '--server',
      served.url,
      '--since',
      marks[2] ?? '',
      '--until',
      marks[3] ?? '',
    ]);
    expect(out).toMatch(/revision [0-9a-f]{12}, of 2 commits: /);
    expect(out).toMatch(/ {4}commit [0-9a-f]{10} by eve, "small first"\n {8}workflows\/headgate\.yaml:9 /);
    expect(out).toMatch(
      / {4}commit [0-9a-f]{10} by dan, "a longer prompt"\n {8}workflows\/summarize\.yaml:7 /,
    );
  });

  it('savings are the same from GraphQL, from the server and from the database, and add up', async () => {
    const { savings } = await ask<{
      savings: {
        total: {
          cost: string;
          net: string;
          baselineCost: string;
          byCause: { cause: string; amount: string }[];
        };
      };
    }>(
      'query ($span: SpanInput!) { savings(span: $span) { total { cost net baselineCost byCause { cause amount } } } }',
      {
        span: { from: marks[0], to: marks[3] },
      },
    );
    const { cost, net, baselineCost, byCause } = savings.total;
    expect(total(byCause)).toBe(nano(net));
    expect(nano(cost) + nano(net)).toBe(nano(baselineCost));
    // Three answers of the small model instead of the large one: 300 tokens in and 10 out each.
    expect(Object.fromEntries(byCause.map((part) => [part.cause, part.amount]))).toMatchObject({
      ROUTING: '0.00249',
      EXACT_CACHE: '0.00017',
      LOCAL: '0',
    });
    const asked = ['--since', marks[0] ?? '', '--until', marks[3] ?? '', '--json'];
    const [remote, local] = await Promise.all([
      headgate(['savings', '--server', served.url, ...asked]),
      headgate(['savings', '--data', served.dataDirectory, ...asked]),
    ]);
    expect(JSON.parse(remote.out)).toEqual(JSON.parse(local.out));
    expect(JSON.parse(remote.out)).toMatchObject({ total: { cost, net, baselineCost } });
    const recent = await headgate(['savings', '--data', served.dataDirectory, '--since', '90m', '--json']);
    expect(JSON.parse(recent.out)).toMatchObject({ total: { cost, net, baselineCost } });
    const neither = await headgate(['savings', '--data', served.dataDirectory, '--since', 'yesterday']);
    expect(neither.code).not.toBe(0);
    expect(neither.err).toContain('a duration before now like 36h or 7d');
  });

  it('tells why a run went as it did, alike from the server and from the database', async () => {
    const id = runIds.at(-2) ?? '';
    const { run: told } = await ask<{ run: { cost: string; story: { text: string } } }>(
      'query ($id: ID!) { run(id: $id) { cost story { text } } }',
      { id },
    );
    const [remote, local] = await Promise.all([
      headgate(['why', id, '--server', served.url]),
      headgate(['why', id, '--data', served.dataDirectory]),
    ]);
    expect(remote).toEqual(local);
    expect(remote.out.startsWith(told.story.text)).toBe(true);
    expect(told.story.text).toContain(`for $${told.cost}`);
    const cached = await headgate(['why', runIds.at(-1) ?? '', '--data', served.dataDirectory]);
    expect(cached.out).toContain('the cache had the answer, which had cost $0.00017, and nobody was called');
  });

  it('spends of a span are the sums of its runs, by each calendar hour too', async () => {
    const { spend, budgets } = await ask<{
      spend: { total: { cost: string; runs: number }; series: { bucket: { cost: string } }[] };
      budgets: { name: string; forecast: { endsAt: string; pastDays: number; low: string | null } }[];
    }>(
      `query ($span: SpanInput!) {
        spend(span: $span, every: HOUR) { total { cost runs } series { bucket { cost } } }
        budgets { name forecast { endsAt exhaustedAt low high pastDays } }
      }`,
      { span: { from: marks[0], to: marks[3], timeZone: 'Asia/Kathmandu' } },
    );
    const costs = await Promise.all(
      runIds.map(
        async (id) =>
          (await ask<{ run: { cost: string } }>('query ($id: ID!) { run(id: $id) { cost } }', { id })).run
            .cost,
      ),
    );
    expect(nano(spend.total.cost)).toBe(costs.reduce((sum, cost) => sum + nano(cost), 0n));
    expect(spend.total.runs).toBe(runIds.length);
    expect(spend.series.reduce((sum, { bucket }) => sum + nano(bucket.cost), 0n)).toBe(
      nano(spend.total.cost),
    );
    // Nothing is claimed of a past of minutes.
    expect(budgets).toMatchObject([{ name: 'company', forecast: { pastDays: 0, low: null } }]);
    const { out } = await headgate(['budgets', '--data', served.dataDirectory, '--server', served.url]);
    expect(out).toMatch(/^budget .*\ncompany .*\$10/);
  });

  it('INV-13: what is no span or no dimension is said, with what to write', async () => {
    const twice = await headgate(['savings', '--server', served.url, '--by', 'tag:a,tag:b']);
    expect(twice.code).toBe(2);
    expect(twice.err).toContain('--by tag:KEY');
    const backwards = await headgate([
      'savings',
      '--server',
      served.url,
      '--since',
      marks[2] ?? '',
      '--until',
      marks[1] ?? '',
    ]);
    expect(backwards.code).toBe(1);
    expect(backwards.err).toContain('The span ends before it begins');
  });
});
