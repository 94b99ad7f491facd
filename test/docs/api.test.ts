// The API's documents, held to the API: operations that run, limits and codes that are true, programs that work. One server answers all of them.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildSchema, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { defaultLimits } from '../../src/server/options.ts';
import { fencesOf } from '../support/fences.ts';
import { readRepositoryFile, repositoryFiles, repositoryRoot } from '../support/repository.ts';
import { closedEnvironment, serve, type Served } from '../support/served.ts';

const run = promisify(execFile);
const reference = readRepositoryFile('docs/reference/api.md');
const clients = readRepositoryFile('docs/clients.md');
const schema = buildSchema(readRepositoryFile('schema/schema.graphql'));

const operations = [
  ...fencesOf(reference).map((fence) => ({ ...fence, page: 'docs/reference/api.md' })),
  ...fencesOf(clients).map((fence) => ({ ...fence, page: 'docs/clients.md' })),
].filter(({ language }) => language === 'graphql');

let served: Served;
beforeAll(async () => {
  served = await serve();
}, 60_000);
afterAll(async () => {
  expect(await served.stop()).toBe(0);
});

async function send(query: string, accept: string): Promise<string> {
  const signal = AbortSignal.timeout(20_000);
  const response = await fetch(`${served.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query }),
    signal,
  });
  if (accept !== 'text/event-stream') return response.text();
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.includes('event: next\ndata: ') && text.endsWith('\n\n')) break;
  }
  return text;
}

describe('operations in the documents', () => {
  it.each(operations)(
    'of $page, line $line fit the schema and are answered without an error',
    async ({ text }) => {
      expect(validate(schema, parse(text))).toEqual([]);
      const answer = await send(
        text,
        text.startsWith('subscription') ? 'text/event-stream' : 'application/graphql-response+json',
      );
      expect(answer).toContain('"data":{');
      expect(answer).not.toContain('"errors":[');
    },
  );
});

describe('the reference', () => {
  it('names each limit with its default', () => {
    const rows = [
      ...reference.matchAll(/^\| `(max\w+|slowReaderMs|connectionInitMs|keepAliveMs)` \| (\d+) \|/gm),
    ];
    expect(Object.fromEntries(rows.map(([, name, value]) => [name, Number(value)]))).toEqual(defaultLimits);
  });

  it('names each code that the API gives, and no other', () => {
    const sources = repositoryFiles().filter(
      (path) => /^src\/server\/.*\.ts$/.test(path) && !path.includes('generated'),
    );
    const given = new Set(
      sources.flatMap((path) =>
        [...readRepositoryFile(path).matchAll(/code: '([A-Z][A-Z_]+)'/g)].map(([, code = '']) => code),
      ),
    );
    // Codes of yoga itself, of the engine's refusals, and of refusals that are union members of their own.
    const elsewhere = [
      'GRAPHQL_PARSE_FAILED',
      'GRAPHQL_VALIDATION_FAILED',
      'OPERATION_RESOLUTION_FAILURE',
      'LEDGER_UNAVAILABLE',
    ];
    const members = new Set(['RUN_NOT_RUNNING', 'REVISION_REFUSED']);
    const table = reference.slice(reference.indexOf('## Errors'), reference.indexOf('## Limits'));
    const documented = new Set(
      [...table.matchAll(/^\| (.+?) \| \d+ \|/gm)].flatMap(([, cell = '']) =>
        [...cell.matchAll(/`([A-Z_]+)`/g)].map(([, code = '']) => code),
      ),
    );
    expect([...documented].toSorted()).toEqual(
      [...given, ...elsewhere].filter((code) => !members.has(code)).toSorted(),
    );
  });

  it('names each metric', () => {
    const source = readRepositoryFile('src/server/observe/metrics.ts');
    const names = [...source.matchAll(/'(headgate_\w+)'/g)].map(([, name = '']) => name);
    const left = [
      'headgate_operations_running',
      'headgate_websocket_connections',
      'headgate_spending_paused',
    ];
    expect(names.filter((name) => !reference.includes(`\`${name}\``)).toSorted()).toEqual(left.toSorted());
  });
});

describe('the client in the documents', () => {
  const file = join(repositoryRoot, 'test', 'docs', 'client', 'client.ts');

  it('is the one that is compiled and run here', () => {
    const shown = fencesOf(clients).find(({ text }) => text.includes('SummarizeText'));
    expect(shown?.text).toBe(
      readFileSync(file, 'utf8').replaceAll("'../../generated/", "'./generated/").trimEnd(),
    );
  });

  it('summarizes, is told what is wrong, and follows the spend', async () => {
    const { stdout } = await run(process.execPath, [file], {
      env: { ...closedEnvironment(), HEADGATE_URL: served.url },
    });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/harbour.*\(\$0\)$/);
    expect(lines[1]).toBe('/text: must have at least 1 characters');
    expect(lines[2]).toMatch(/^\d+ runs, \$0$/);
  });
});

it.skipIf(spawnSync('python3', ['--version']).status !== 0)(
  'the program of docs/clients.md in Python runs a task',
  async () => {
    const program = fencesOf(clients).find(({ language }) => language === 'python');
    const { stdout } = await run('python3', ['-c', program?.text ?? ''], {
      env: { ...closedEnvironment(), HEADGATE_URL: served.url },
    });
    expect(stdout).toContain("'__typename': 'Run'");
    expect(stdout).toContain("'status': 'SUCCEEDED'");
  },
  60_000,
);

describe('streaming to a browser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-guides-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('the server and the page of the document show a text as it comes, and how its run ended', async () => {
    const fences = fencesOf(readRepositoryFile('docs/streaming.md'));
    const [server, page] = ['ts', 'js'].map((name) => fences.find(({ language }) => language === name)?.text);
    const program = join(folder, 'server.mts');
    writeFileSync(program, server ?? '');
    const port = await freePort();
    const child = spawn(process.execPath, [program], {
      env: { ...closedEnvironment(), HEADGATE_URL: served.url, PORT: String(port) },
      stdio: 'ignore',
    });
    onTestFinished(async () => {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    });
    const shown: string[] = [];
    const logged: unknown[][] = [];
    // The page's own fetch resolves paths against where it came from.
    const fetchHere = async (path: string, init: RequestInit): Promise<Response> => {
      for (;;) {
        try {
          return await fetch(`http://127.0.0.1:${port}${path}`, init);
        } catch (error) {
          if (child.exitCode !== null) throw error;
        }
      }
    };
    const AsyncFunction = (async () => undefined).constructor as new (
      ...parts: string[]
    ) => (...values: unknown[]) => Promise<void>;
    await new AsyncFunction('fetch', 'text', 'show', 'console', page ?? '')(
      fetchHere,
      'The harbour froze in January. Ships waited outside for nine days. The ice broke on the tenth.',
      (text: string) => void shown.push(text),
      { log: (...values: unknown[]) => void logged.push(values) },
    );
    expect(shown.at(-1)).toContain('harbour');
    expect(logged).toEqual([['Run', { summary: expect.stringContaining('harbour') as string }]]);
  }, 30_000);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
