// Who may have whose answer: callers with keys of their own, against a served process with a real ledger; cached, joined, tagged and streamed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient as createSseClient } from 'graphql-sse';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { serve, type Served } from '../support/served.ts';

const STEP = (name: string, prompt: string): string =>
  `task: ${name}\ncache: { for: 1h }\ninput: { text: string }\nsteps:\n  a:\n    prompt: ${prompt}\n`;
const FILES = (baseUrl: string): { readonly [file: string]: string } => ({
  'headgate.yaml': [
    'headgate: 1',
    'providers:',
    `  lab: { adapter: openai, baseUrl: '${baseUrl}', price: { input: $1, output: $1 } }`,
    'models: { lab/m1: { context: 32k } }',
    'routes: { default: { from: [lab/m1] } }',
    '',
  ].join('\n'),
  'plain.yaml': STEP('plain', '"Sum up: ${{ input.text }}"'),
  'whose.yaml': STEP('whose', '"For ${{ caller.name }}: ${{ input.text }}"'),
  'tagged.yaml': STEP('tagged', '"For ${{ default(caller.tags.customer, \'nobody\') }}: ${{ input.text }}"'),
});

interface Ran {
  readonly id: string;
  readonly cached: boolean;
}

let upstream: FaultServer;
let served: Served;
let folder: string;
const keys: Record<'admin' | 'ana' | 'bob', string> = { admin: '', ana: '', bob: '' };
type Who = keyof typeof keys;

async function ask<Data>(who: Who | null, query: string, variables: object = {}): Promise<Data> {
  const response = await fetch(`${served.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(who === null ? {} : { authorization: `Bearer ${keys[who]}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

const RUN =
  'mutation ($name: String!, $input: JSON!, $options: RunOptions) { runTaskJson(name: $name, input: $input, options: $options) { __typename ... on Run { id cached } } }';

async function run(
  who: Who,
  name: string,
  text: string,
  tags: { readonly [key: string]: string } = {},
): Promise<Ran> {
  const options = { tags: Object.entries(tags).map(([key, value]) => ({ key, value })) };
  const { runTaskJson } = await ask<{ runTaskJson: Ran & { __typename: string } }>(who, RUN, {
    name,
    input: { text },
    options,
  });
  expect(runTaskJson.__typename).toBe('Run');
  return runTaskJson;
}

async function makeKey(caller: 'admin' | 'ana' | 'bob', by: Who | null): Promise<void> {
  const scopes = caller === 'admin' ? ['admin'] : ['run:*'];
  const { createApiKey } = await ask<{ createApiKey: { secret: string } }>(
    by,
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
    { input: { caller, scopes } },
  );
  keys[caller] = createApiKey.secret;
}

beforeAll(async () => {
  upstream = await startFaultServer();
  folder = mkdtempSync(join(tmpdir(), 'headgate-matrix-'));
  for (const [file, text] of Object.entries(FILES(upstream.openaiUrl)))
    writeFileSync(join(folder, file), text);
  served = await serve({ flags: ['--workflows', folder] });
  await makeKey('admin', null);
  await makeKey('ana', 'admin');
  await makeKey('bob', 'admin');
});
afterAll(async () => {
  await served.stop();
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

let text = 0;
beforeEach(() => {
  text += 1;
});
const calls = async (work: () => Promise<unknown>): Promise<number> => {
  const before = upstream.calls.length;
  await work();
  return upstream.calls.length - before;
};

describe('an answer that is used again', () => {
  it('INV-12: is shared by the cache only where the task reads nothing of who calls', async () => {
    const ran: boolean[] = [];
    const both = (name: string) => async (): Promise<void> => {
      for (const who of ['ana', 'bob', 'ana'] as const)
        ran.push((await run(who, name, `cache ${text}`)).cached);
    };
    expect([await calls(both('plain')), ran.splice(0)]).toEqual([1, [false, true, true]]);
    expect([await calls(both('whose')), ran.splice(0)]).toEqual([2, [false, false, true]]);
  });

  it('INV-12: is shared by who waits for it only where the task reads nothing of who calls', async () => {
    const together = (name: string) => (): Promise<unknown> =>
      Promise.all([run('ana', name, `join ${text}`), run('bob', name, `join ${text}`)]);
    expect(await calls(together('plain'))).toBe(1);
    expect(await calls(together('whose'))).toBe(2);
  });

  it('INV-12: is not shared over tags that the task reads', async () => {
    const ran: boolean[] = [];
    const made = await calls(async () => {
      for (const customer of ['a', 'b', 'a'])
        ran.push((await run('ana', 'tagged', `tags ${text}`, { customer })).cached);
    });
    expect([made, ran]).toEqual([2, [false, false, true]]);
  });

  it("INV-12: is a run of its own for each, which is not the other's to read", async () => {
    const anas = await run('ana', 'plain', `own ${text}`, { customer: 'secret-name' });
    const bobs = await run('bob', 'plain', `own ${text}`);
    expect(bobs.id).not.toBe(anas.id);
    const READ =
      'query ($id: ID!) { run(id: $id) { id } node(id: $id) { id } runs(first: 50) { edges { node { id caller { name } } } } byTag: runs(first: 50, filter: { tag: { key: "customer", value: "secret-name" } }) { edges { node { id } } } costStats(window: DAY, by: [CALLER]) { groups { keys { value } } } }';
    interface Seen {
      readonly run: object | null;
      readonly node: object | null;
      readonly runs: {
        readonly edges: readonly { readonly node: { readonly caller: { readonly name: string } } }[];
      };
      readonly byTag: { readonly edges: readonly object[] };
      readonly costStats: {
        readonly groups: readonly { readonly keys: readonly { readonly value: string }[] }[];
      };
    }
    const seen = async (who: Who): Promise<object> => {
      const { run: found, node, runs, byTag, costStats } = await ask<Seen>(who, READ, { id: anas.id });
      return {
        run: found !== null,
        node: node !== null,
        runsOf: [...new Set(runs.edges.map((edge) => edge.node.caller.name))].sort(),
        byTag: byTag.edges.length,
        spendOf: costStats.groups.flatMap((group) => group.keys.map(({ value }) => value)).sort(),
      };
    };
    expect(await seen('ana')).toMatchObject({
      run: true,
      node: true,
      runsOf: ['ana'],
      byTag: 1,
      spendOf: ['ana'],
    });
    expect(await seen('bob')).toMatchObject({
      run: false,
      node: false,
      runsOf: ['bob'],
      byTag: 0,
      spendOf: ['bob'],
    });
    expect(await seen('admin')).toMatchObject({
      run: true,
      runsOf: ['ana', 'bob'],
      byTag: 1,
      spendOf: ['ana', 'bob'],
    });
  });
});

describe('a stream', () => {
  const events = (who: Who, query: string, variables: Record<string, unknown>) => {
    const client = createSseClient({
      url: `${served.url}/graphql`,
      headers: { authorization: `Bearer ${keys[who]}` },
      retryAttempts: 0,
    });
    return client.iterate<Record<string, { __typename: string }>>({ query, variables });
  };
  const FOLLOW = 'subscription ($id: ID!) { run(id: $id) { __typename } }';

  it("INV-12: of another's run is not opened, nor told from none", async () => {
    const { id } = await run('ana', 'plain', `stream ${text}`);
    const first = async (who: Who, of: string): Promise<string> => {
      try {
        const { value } = await events(who, FOLLOW, { id: of }).next();
        return JSON.stringify(value?.errors ?? value?.data);
      } catch (error) {
        return error instanceof Error ? error.message : JSON.stringify(error);
      }
    };
    expect(await first('ana', id)).toContain('Run');
    const others = await first('bob', id);
    expect(others).toContain('NOT_FOUND');
    expect(others.replaceAll(id, 'ID')).toBe((await first('bob', 'run_none')).replaceAll('run_none', 'ID'));
  });

  it('INV-12: of a task is an answer of its own where the task reads who calls', async () => {
    const STREAM =
      'subscription ($input: JSON!) { streamTaskJson(name: "whose", input: $input) { __typename } }';
    const follow = async (who: Who): Promise<void> => {
      for await (const _event of events(who, STREAM, { input: { text: `own stream ${text}` } })) {
        // To its end.
      }
    };
    expect(await calls(() => Promise.all([follow('ana'), follow('bob')]))).toBe(2);
  });

  it('INV-12: of everything is not for a caller that may run tasks alone', async () => {
    for (const field of ['alerts { id }', 'revisions { hash }']) {
      const outcome = await events('ana', `subscription { ${field} }`, {})
        .next()
        .then(
          ({ value }) => JSON.stringify(value),
          (error: unknown) => JSON.stringify(error) + String(error),
        );
      expect(outcome).toMatch(/UNAUTHORIZED|read:stats/);
    }
  });
});
