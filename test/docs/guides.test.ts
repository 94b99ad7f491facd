// docs/streaming.md and docs/moving.md: their programs run, and their YAML compiles; what docs/operating says of size is what the bench has measured.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { compileFiles } from '../../src/revisions/compile.ts';
import { fencesOf } from '../support/fences.ts';
import { readRepositoryFile } from '../support/repository.ts';
import { closedEnvironment, serve, type Served } from '../support/served.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('streaming to a browser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-guides-'));
  let served: Served;
  beforeAll(async () => {
    served = await serve();
  }, 60_000);
  afterAll(async () => {
    await served.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

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

describe('moving from the SDKs', () => {
  const text = readRepositoryFile('docs/moving.md');

  it.each(
    fencesOf(text).flatMap(({ language, text: yaml, line }) => (language === 'yaml' ? [[line, yaml]] : [])),
  )('the YAML at line %s compiles without a remark', async (_line, yaml) => {
    const project = `headgate: 1
providers:
  openai: { adapter: openai, apiKey: "\${{ secrets.OPENAI_API_KEY }}" }
  anthropic: { adapter: anthropic, apiKey: "\${{ secrets.ANTHROPIC_API_KEY }}" }
${yaml}
`;
    const files = [{ path: 'headgate.yaml', text: project }];
    const { problems } = await compileFiles(files, { env: { OPENAI_API_KEY: 'k', ANTHROPIC_API_KEY: 'k' } });
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('names only keys that the language has', () => {
    const rows = text.split('\n').filter((line) => /^\| .* \| .* \|$/.test(line));
    const keys = rows.flatMap((row) =>
      [...(row.split(' | ')[1] ?? '').matchAll(/`(\w+):/g)].map(([, key]) => key),
    );
    expect(keys.length).toBeGreaterThan(5);
    const known = ['task', 'project'].map((name) => readRepositoryFile(`schema/${name}.json`)).join();
    for (const key of keys) expect(known).toContain(`"${key}":`);
  });
});

describe('sizing', () => {
  const page = readRepositoryFile('docs/operating/README.md');
  const { reports } = JSON.parse(readRepositoryFile('bench/results.json')) as {
    readonly reports: readonly {
      readonly bench: string;
      readonly lines: readonly { readonly what: string; readonly value: number; readonly note?: string }[];
    }[];
  };
  const line = (bench: string, what: RegExp) =>
    reports.find((report) => report.bench === bench)?.lines.find((one) => what.test(one.what));
  const told = (pattern: RegExp): number => Number(pattern.exec(page)?.[1]?.replaceAll(',', ''));

  it('says what the bench has measured, within a fifth', () => {
    const perSecond = line('graphql', /^headgate: 32 in flight/)?.value ?? 0;
    expect(Math.abs(told(/some ([\d,]+) over GraphQL/) / perSecond - 1)).toBeLessThan(0.2);
    const megabytes = Number(
      /([\d,]+) MB/.exec(line('ledger', /^start with 1,000,000/)?.note ?? '')?.[1]?.replace(',', ''),
    );
    expect(Math.abs((told(/([\d.]+) kB an attempt/) * 1_000) / megabytes - 1)).toBeLessThan(0.2);
    expect(line('ledger', /^start with 1,000,000/)?.value).toBeLessThan(1_000);
    const thousandAtOnce = line('soak', /^resident memory, the most$/)?.value ?? 0;
    expect(told(/(\d+) MB for a thousand runs/)).toBeGreaterThan(thousandAtOnce * 0.8);
  });
});
