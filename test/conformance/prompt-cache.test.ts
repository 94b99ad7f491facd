// Prompt caching against a server that keeps prompts as the vendors document it and bills for it: what tasks cost, with and without.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openApp } from '../../src/app.ts';
import type { App } from '../../src/app.ts';
import { systemClock } from '../../src/common/clock.ts';
import { LOCAL_CALLER } from '../../src/engine/execution/local-caller.ts';
import type { AttemptRecord } from '../../src/engine/execution/records.ts';
import { parseUsd } from '../../src/common/money.ts';
import { storyOf } from '../../src/ledger/story.ts';
import { headgate } from '../cli/support.ts';
import { startCachingUpstream } from '../support/caching-upstream.ts';
import type { CachingRates, CachingUpstream } from '../support/caching-upstream.ts';
import { repositoryRoot } from '../support/repository.ts';

/** The catalogue's prices, in nano-dollars a token; the least lengths are those of the vendors' documents. */
const RATES: { readonly [model: string]: CachingRates } = {
  'claude-sonnet-5': { input: 2_000n, cached: 200n, write: 2_500n, output: 10_000n, leastTokens: 1_024 },
  'claude-haiku-4-5': { input: 1_000n, cached: 100n, write: 1_250n, output: 5_000n, leastTokens: 4_096 },
  'gpt-5.6-luna': { input: 200n, cached: 20n, write: 250n, output: 1_200n, leastTokens: 1_024 },
};
const MINUTE_MS = 60_000;

/** About 2,000 tokens as counted here, and more as this vendor counts. */
const RULES = Array.from(
  { length: 150 },
  (_, index) =>
    `${index + 1}. Whoever asks about invoice number ${index} is told what the ledger says of it.`,
).join('\n');

let aheadMs = 0;
/** In the past, so that what is exported is over. */
const AGO_MS = 2 * 24 * 60 * MINUTE_MS;
const clock = {
  ...systemClock,
  nowMs: () => systemClock.nowMs() - AGO_MS + aheadMs,
  monotonicMs: () => systemClock.monotonicMs() + aheadMs,
};

let upstream: CachingUpstream;
let folder: string;
let app: App | undefined;
let lastData = '';
beforeAll(async () => {
  upstream = await startCachingUpstream(RATES, clock.nowMs);
});
afterAll(() => upstream.close());
beforeEach(() => {
  upstream.calls.length = 0;
  Object.assign(upstream, { keeps: true, refuses: false });
  // What earlier tests have left there is forgotten.
  aheadMs += 60 * MINUTE_MS;
  folder = mkdtempSync(join(tmpdir(), 'headgate-prompt-cache-'));
});
afterEach(async () => {
  await app?.close(0);
  app = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function open(workflows: string): Promise<App> {
  app = await openApp({
    workflows,
    dataDirectory: (lastData = mkdtempSync(join(folder, 'data-'))),
    clock,
    synchronous: 'normal',
    env: {
      OPENAI_BASE_URL: `${upstream.url}/v1`,
      ANTHROPIC_BASE_URL: upstream.url,
      OPENAI_API_KEY: 'sk-openai',
      ANTHROPIC_API_KEY: 'sk-anthropic',
      // Whatever is asked of OpenAI's own address comes here too.
      HTTP_PROXY: upstream.url,
      NO_PROXY: '127.0.0.1',
    },
  });
  return app;
}

interface Asked {
  readonly model: string;
  readonly project?: string;
  readonly step?: string;
  readonly api?: 'chat' | 'responses';
}

/** One task with a long beginning: `ask`. */
async function openTask({ model, project = '', step = '', api = 'chat' }: Asked): Promise<App> {
  const workflows = join(folder, 'workflows');
  mkdirSync(workflows);
  writeFileSync(
    join(workflows, 'headgate.yaml'),
    `headgate: 1
providers:
  anthropic: { adapter: anthropic, baseUrl: "\${{ env.ANTHROPIC_BASE_URL }}", apiKey: "\${{ secrets.ANTHROPIC_API_KEY }}" }
  openai: { adapter: openai, api: ${api}, baseUrl: "http://api.openai.com/v1", apiKey: "\${{ secrets.OPENAI_API_KEY }}" }
routes:
  default: [ { from: [${model}] } ]
${project}`,
  );
  writeFileSync(
    join(workflows, 'ask.yaml'),
    `task: ask
input: { question: string }
steps:
  answer:
    system: |
${RULES.replaceAll(/^/gm, '      ')}
    prompt: |
      Answer in one sentence.
      \${{ input.question }}
    maxOutputTokens: 50
${step}`,
  );
  return open(workflows);
}

async function ask(of: App, task: string, input: object): Promise<readonly AttemptRecord[]> {
  const result = await of.engine.run({
    task,
    input: input as { [name: string]: string },
    caller: LOCAL_CALLER,
  });
  if (result.kind !== 'run') throw new Error(result.message);
  const { run } = result.snapshot;
  expect(run.error).toBeNull();
  return result.snapshot.attempts;
}

/** So many questions, so far apart; each settled at what the vendor bills, and within what was held. */
async function askTimes(of: App, times: number, apartMs: number): Promise<readonly AttemptRecord[]> {
  const all: AttemptRecord[] = [];
  for (let time = 0; time < times; time += 1) {
    if (time > 0) aheadMs += apartMs;
    all.push(...(await ask(of, 'ask', { question: `What became of invoice ${time}?` })));
  }
  expect(all.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n)).toBe(upstream.billed());
  for (const { heldNanoUsd, costNanoUsd } of all) expect(heldNanoUsd).toBeGreaterThanOrEqual(costNanoUsd);
  return all;
}

const bodies = (): string => JSON.stringify(upstream.calls.map(({ body }) => body));
const plain = (): bigint => upstream.calls.reduce((sum, { plainNanoUsd }) => sum + plainNanoUsd, 0n);

describe('a task whose prompt begins alike', () => {
  it('INV-2: is written to the cache by the second call that comes soon and read from then on, at what the arithmetic says', async () => {
    const of = await openTask({ model: 'anthropic/claude-sonnet-5' });
    const attempts = await askTimes(of, 8, MINUTE_MS);
    const [first, second, third] = upstream.calls;
    const tokens = second?.written ?? 0;
    expect(tokens).toBeGreaterThan(1_024);
    expect(first).toMatchObject({ read: 0, written: 0 });
    expect(third).toMatchObject({ read: tokens, written: 0 });
    // One write at a quarter more, six reads at a tenth.
    const saved = BigInt(tokens) * (6n * 1_800n - 500n);
    expect(plain() - upstream.billed()).toBe(saved);
    expect(
      attempts.reduce((sum, { savedPromptCacheNanoUsd = 0n }) => sum + savedPromptCacheNanoUsd, 0n),
    ).toBe(saved);
  });

  it('is shown in what was saved, as its own cause, and told in the story of a run', async () => {
    const of = await openTask({
      model: 'anthropic/claude-sonnet-5',
      project: 'baseline: anthropic/claude-sonnet-5\n',
    });
    await askTimes(of, 4, MINUTE_MS);
    const { total } = await of.stats.savings({ span: { calendar: 'day' } });
    expect(total.parts.find(({ cause }) => cause === 'prompt_cache')?.amountNanoUsd).toBe(
      plain() - upstream.billed(),
    );
    const { rows } = await of.ledger.runs({}, { limit: 10 });
    const last = rows.find(
      ({ startedAtMs }) => startedAtMs === Math.max(...rows.map((row) => row.startedAtMs)),
    );
    if (last === undefined) throw new Error('no run');
    const { text } = storyOf(last, (await of.ledger.attemptsOf([last.id])).get(last.id) ?? []);
    expect(text).toMatch(/\d+ of \d+ tokens of input were read from the provider's cache/);
    expect(text).toContain('it was read or written there within 5m');
    expect(text).toContain('by the prompt cache');
  });

  it('is not written where calls come too seldom to read it', async () => {
    await askTimes(await openTask({ model: 'anthropic/claude-sonnet-5' }), 6, 10 * MINUTE_MS);
    expect(bodies()).not.toContain('cache_control');
    expect(upstream.billed()).toBe(plain());
  });

  it('is not asked for where it is shorter than the model keeps', async () => {
    await askTimes(await openTask({ model: 'anthropic/claude-haiku-4-5' }), 4, MINUTE_MS);
    expect(bodies()).not.toContain('cache_control');
  });

  it.each([
    ['the project', { project: 'promptCache: off\n' }],
    ['the step', { step: '    promptCache: off\n' }],
  ])('is not asked for where %s says off', async (_, off) => {
    await askTimes(await openTask({ model: 'anthropic/claude-sonnet-5', ...off }), 4, MINUTE_MS);
    expect(bodies()).not.toContain('cache_control');
  });

  it('is given up after a few writes that the vendor bills and never finds again', async () => {
    upstream.keeps = false;
    await askTimes(await openTask({ model: 'anthropic/claude-sonnet-5' }), 12, 10_000);
    const written = upstream.calls.filter((call) => call.written > 0);
    expect(written).toHaveLength(5);
    expect(upstream.calls.at(-1)?.body).toMatchObject({ system: expect.any(String) });
  });

  it('goes without it at a server that refuses the marks, and the call is answered', async () => {
    upstream.refuses = true;
    await askTimes(await openTask({ model: 'anthropic/claude-sonnet-5' }), 4, MINUTE_MS);
    expect(bodies()).not.toContain('cache_control');
  });

  it.each(['chat', 'responses'] as const)(
    'is all that GPT-5.6 writes (%s), which would write every prompt to its end, for nothing',
    async (api) => {
      const of = await openTask({ model: 'openai/gpt-5.6-luna', api });
      await askTimes(of, 6, 10 * MINUTE_MS);
      const [first, second, third] = upstream.calls;
      expect(first).toMatchObject({ read: 0, written: 0 });
      const tokens = second?.written ?? 0;
      expect(tokens).toBeLessThan(second?.inputTokens ?? 0);
      expect(third).toMatchObject({ read: tokens, written: 0 });
      expect(plain() - upstream.billed()).toBe(BigInt(tokens) * (4n * 180n - 50n));
      expect(new Set(upstream.calls.map(({ body }) => body['prompt_cache_key'])).size).toBe(2);
    },
  );
});

it('GPT-5.6 goes on writing whole prompts where the very same ones come again, and reads them', async () => {
  const of = await openTask({ model: 'openai/gpt-5.6-luna' });
  for (let time = 0; time < 5; time += 1) {
    await ask(of, 'ask', { question: 'What became of invoice 7?' });
    aheadMs += MINUTE_MS;
  }
  const [first, second, ...later] = upstream.calls;
  expect(first).toMatchObject({ read: 0, written: 0 });
  expect(second?.written).toBe(second?.inputTokens);
  for (const call of later) expect(call.read).toBe(call.inputTokens);
});

it('is in a replay of what was recorded without it, at what it would have saved', async () => {
  const off = await openTask({ model: 'anthropic/claude-sonnet-5', project: 'promptCache: off\n' });
  await askTimes(off, 8, MINUTE_MS);
  const recorded = upstream.billed();
  await app?.close(0);
  app = undefined;
  const workflows = join(folder, 'workflows');
  const head = join(folder, 'head');
  cpSync(workflows, head, { recursive: true });
  const file = join(head, 'headgate.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('promptCache: off\n', ''));
  const traffic = join(folder, 'traffic.hgt');
  expect(await headgate(['traffic', 'export', traffic, '--data', lastData])).toMatchObject({ code: 0 });
  const replayed = async (from: string, to: string): Promise<{ before: bigint; after: bigint }> => {
    const { code, out, err } = await headgate(
      ['replay', from, to, '--traffic', traffic, '--format', 'json'],
      { OPENAI_API_KEY: 'k', ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: upstream.url },
    );
    expect({ code, err }).toMatchObject({ code: 0 });
    const told = JSON.parse(out) as { readonly before: { cost: string }; readonly after: { cost: string } };
    return { before: parseUsd(told.before.cost) ?? 0n, after: parseUsd(told.after.cost) ?? 0n };
  };
  const { before, after } = await replayed(workflows, head);
  expect(before).toBe(recorded);
  // Six reads at a tenth and one write at a quarter more, of the tokens that it is taken to have.
  const tokens = BigInt(Math.floor((`${RULES}\n`.length + 'Answer in one sentence.\n'.length) / 4));
  expect(before - after).toBe(tokens * (6n * 1_800n - 500n));
}, 30_000);

describe('the shipped tasks', () => {
  const inputs = [
    ['summarize', { text: 'The harbour froze in January. Ships waited outside.' }],
    ['email-parse', { raw: readFileSync(join(repositoryRoot, 'workflows/tests/meeting.eml'), 'utf8') }],
  ] as const;

  async function bill(): Promise<{ readonly billed: bigint; readonly recorded: bigint }> {
    const of = await open(join(folder, 'workflows'));
    upstream.calls.length = 0;
    let recorded = 0n;
    for (let time = 0; time < 3; time += 1) {
      aheadMs += MINUTE_MS;
      for (const [task, input] of inputs) {
        const varied = {
          ...input,
          ...(task === 'summarize' ? { sentences: time + 1 } : { today: `2026-11-2${time}` }),
        };
        for (const { costNanoUsd } of await ask(of, task, varied)) recorded += costNanoUsd;
      }
    }
    return { billed: upstream.billed(), recorded };
  }

  it('cost the same with and without, since what they begin with is shorter than any vendor keeps', async () => {
    cpSync(join(repositoryRoot, 'workflows'), join(folder, 'workflows'), { recursive: true });
    const withCache = await bill();
    expect(withCache.billed).toBe(plain());
    await app?.close(0);
    const file = join(folder, 'workflows/headgate.yaml');
    writeFileSync(file, `${readFileSync(file, 'utf8')}\npromptCache: off\n`);
    const without = await bill();
    expect(without).toEqual(withCache);
    expect(withCache.recorded).toBe(withCache.billed);
  });
});
