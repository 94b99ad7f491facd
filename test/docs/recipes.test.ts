// docs/recipes.md and docs/operating: tried as they are written, against a server with a month of its own.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { openApp, type App } from '../../src/app.ts';
import { writeServerAddress } from '../../src/cli/server-address.ts';
import { systemClock } from '../../src/common/clock.ts';
import { LOCAL_CALLER } from '../../src/engine/execution/local-caller.ts';
import { serveApp } from '../../src/serve.ts';
import { headgate, temporaryFolder } from '../cli/support.ts';
import { readRepositoryFile, repositoryFiles } from '../support/repository.ts';
import { scriptedProviders } from '../support/scripted-provider.ts';

const recipes = readRepositoryFile('docs/recipes.md');
const operating = readRepositoryFile('docs/operating/README.md');

/** The commands of fences that are marked so, without their remarks. */
function commandsOf(page: string, mark: string): readonly string[] {
  const fences = [...page.matchAll(/^```(sh[^\n]*)\n([\s\S]*?)^```/gm)].filter(([, info]) => info === mark);
  return fences.flatMap(([, , text = '']) =>
    text
      .split('\n')
      .filter((line) => line.startsWith('headgate '))
      .map((line) => line.replace(/\s+# .*$/, '')),
  );
}

/** As a shell would: quotes, and what is written to a file. */
function words(line: string): { readonly args: readonly string[]; readonly to: string | undefined } {
  const found = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
  const into = found.indexOf('>');
  return {
    args: found.slice(1, into === -1 ? undefined : into),
    to: into === -1 ? undefined : found[into + 1],
  };
}

const folder = temporaryFolder();
const data = join(folder, 'data');
const told: string[] = [];
let app: App;
let server: Awaited<ReturnType<typeof serveApp>>;
let forget: () => void;
let run: string;
const slack = createServer((request, response) => {
  request.on('data', (chunk: Buffer) => told.push(chunk.toString()));
  request.on('end', () => response.end('ok'));
});

beforeAll(async () => {
  slack.listen(0, '127.0.0.1');
  await new Promise((resolve) => slack.once('listening', resolve));
  const { port } = slack.address() as AddressInfo;
  // The recipe's own lines, with a budget that a test can spend.
  const recipe = /^```yaml\n(budgets:[\s\S]*?)^```/m.exec(recipes)?.[1] ?? '';
  const { budgets, alerts } = parse(recipe.replace('$400', '$0.005')) as Record<string, unknown>;
  const workflows = temporaryFolder({
    'headgate.yaml': stringify({
      headgate: 1,
      providers: { paid: { adapter: 'openai', baseUrl: 'http://127.0.0.1:9/v1' } },
      models: { 'paid/gpt-5': { context: '8k', price: { input: '$1', output: '$10' } } },
      routes: { main: [{ from: ['paid/gpt-5'] }] },
      budgets,
      alerts,
    }),
    'summarize.yaml':
      'task: summarize\ninput: { text: string }\nsteps:\n  answer: { route: main, prompt: "${{ input.text }}", maxOutputTokens: 10 }\n',
  });
  app = await openApp({
    workflows,
    dataDirectory: data,
    env: { SLACK_URL: `http://127.0.0.1:${port}/` },
    synchronous: 'normal',
    wrapProviders: () =>
      scriptedProviders(systemClock, () => ({
        text: 'It is.',
        usage: { inputTokens: 1000, outputTokens: 10 },
      })),
  });
  server = await serveApp(app, { host: '127.0.0.1', port: 0, mode: 'development', watch: false });
  forget = writeServerAddress(data, server.url);
  for (const text of ['One?', 'Two?', 'Three?', 'Four?']) {
    const result = await app.engine.run({
      task: 'summarize',
      input: { text },
      caller: { ...LOCAL_CALLER, team: 'growth' },
      options: { tags: { endpoint: '/search' } },
    });
    if (result.kind === 'run') run = result.snapshot.run.id;
  }
}, 60_000);
afterAll(async () => {
  forget();
  await server.close(0);
  await app.close(0);
  slack.close();
});

describe('the recipes', () => {
  it.each([...commandsOf(recipes, 'sh'), ...commandsOf(operating, 'sh')])('%s', async (line) => {
    const { args, to } = words(line.replace('2026-11', new Date().toISOString().slice(0, 7)));
    const at = args[0] === 'ledger' ? ['--data', data] : ['--server', server.url];
    const place =
      args[0] === 'ledger' ? args.map((arg) => (arg.endsWith('.db') ? join(folder, 'a.db') : arg)) : args;
    const once = args[0] === 'top' ? ['--count', '1'] : [];
    const { code, out, err } = await headgate([...place, ...at, ...once]);
    expect([code, code === 0 ? '' : err]).toEqual([0, '']);
    if (to !== undefined) writeFileSync(join(folder, to), out);
  });

  it('a CSV for finance has a line for each team and provider', async () => {
    const line = commandsOf(recipes, 'sh').find((each) => each.includes('csv')) ?? '';
    const { args } = words(line.replace('2026-11', new Date().toISOString().slice(0, 7)));
    const { out } = await headgate([...args, '--data', data]);
    expect(out.split('\r\n')[0]).toMatch(/^from,to,team,provider,cost_usd,/);
    expect(out).toMatch(/,growth,paid,0\.0044,/);
  });

  it('Slack hears of 80 %', async () => {
    await expect.poll(() => told.join('\n'), { timeout: 20_000 }).toContain('80 %');
  });

  it.each([
    ['alerts', 'test', '--json', '--server'],
    ['alerts', '--json', 'test', '--server'],
    ['alerts', 'test', '--json', '--data'],
  ])('%s %s %s %s says as JSON which sink took the message', async (...args) => {
    const { code, out, err } = await headgate([...args, args.at(-1) === '--data' ? data : server.url]);
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual([
      expect.objectContaining({ name: 'money', kind: 'slack', failure: null }),
    ]);
  });

  it('nothing tells a command with dollars that a shell would take: of $12.34 it makes 2.34', () => {
    const pages = repositoryFiles().filter((path) =>
      /^(?:README\.md|docs\/(?!decisions\/).*\.md|src\/.*\.ts)$/.test(path),
    );
    const commands = pages.flatMap((page) =>
      [...readRepositoryFile(page).matchAll(/headgate [a-z][^\n`]*/g)].map(([line]) => line),
    );
    expect(commands.length).toBeGreaterThan(50);
    expect(commands.filter((line) => /--[\w-]+[ =]"?\$\d/.test(line))).toEqual([]);
  });

  it('why tells the run', async () => {
    const { args } = words(commandsOf(recipes, 'sh why')[0] ?? '');
    const { code, out } = await headgate([...args.slice(0, -1), run, '--server', server.url]);
    expect([code, out]).toEqual([0, expect.stringContaining('paid/gpt-5')]);
  });

  it('a restore goes on from the backup', async () => {
    const at = (arg: string): string => (/^(yesterday\.db|elsewhere)$/.test(arg) ? join(folder, arg) : arg);
    for (const line of commandsOf(recipes, 'sh restore')) {
      const args = words(line).args.map(at);
      const { code, err } = await headgate([...args, ...(args.includes('--data') ? [] : ['--data', data])]);
      expect([code, code === 0 ? '' : err]).toEqual([0, '']);
    }
    expect(existsSync(join(folder, 'elsewhere', 'headgate.db'))).toBe(true);
  });
});
