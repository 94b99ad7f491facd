// Workflows, an upstream that fails now and then, and what was served of them, for tests of replays.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApp, type App } from '../../src/app.ts';
import { seededRandom } from '../../src/common/random.ts';
import type { Caller } from '../../src/engine/budget/port.ts';
import type { Behaviour, FaultServer } from '../support/fault-server.ts';

export const PROJECT = (url: string): string => `headgate: 1
providers:
  near: { adapter: openai, baseUrl: "${url}", apiKey: "\${{ secrets.KEY }}" }
  far: { adapter: openai, baseUrl: "${url}", apiKey: "\${{ secrets.KEY }}" }
models:
  near/small: { context: 128k, maxOutputTokens: 4096, price: { input: $0.15, output: $0.6 }, capabilities: [text, structuredOutput, streaming] }
  far/large: { context: 128k, maxOutputTokens: 4096, price: { input: $2.5, output: $10 }, capabilities: [text, structuredOutput, streaming] }
policies:
  default: { retry: { attempts: 1, initialDelay: 20ms, maxDelay: 40ms }, timeout: 2s }
budgets:
  all: { limit: $50, per: day }
routes:
  main:
    - from: [near/small, far/large]
`;

export const SHORTEN = `task: shorten
input:
  text: string
  careful: { type: boolean, default: false }
steps:
  answer:
    route: main
    prompt: "Shorten: \${{ input.text }}"
    maxOutputTokens: 300
  check:
    when: input.careful
    route: main
    prompt: "Check: \${{ steps.answer.text }}"
    maxOutputTokens: 100
output: \${{ steps.answer }}
`;

const REVIEW = `task: review
input:
  parts: [string]
cache: { for: 1h }
steps:
  looked:
    each: input.parts
    as: part
    route: main
    prompt: "Look at \${{ part }}"
    maxOutputTokens: 200
output: \${{ steps.looked }}
`;

export function workflowsFolder(url: string, files: { readonly [name: string]: string } = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-replay-'));
  mkdirSync(folder, { recursive: true });
  const all = { 'headgate.yaml': PROJECT(url), 'shorten.yaml': SHORTEN, 'review.yaml': REVIEW, ...files };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
  return folder;
}

export function remove(...folders: readonly string[]): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

const caller = (name: string): Caller => ({
  name,
  team: 'crew',
  tier: null,
  tags: {},
  scopes: ['admin'],
  keyId: null,
});

/** One after the other in three lines: refusals, overloads, cut answers, a timeout, repeated inputs. Gives the data folder. */
export async function serveAnHour(upstream: FaultServer, workflows: string, rounds: number): Promise<string> {
  const random = seededRandom(11);
  upstream.otherwise((): Behaviour => {
    const drawn = random();
    if (drawn < 0.06) return { refuse: 'overloaded' };
    if (drawn < 0.1) return { status: 500 };
    if (drawn < 0.12) return { cutAtToken: 3 };
    return { tokens: 5 + Math.floor(random() * 40), usage: { inputTokens: 20 + Math.floor(random() * 500) } };
  });
  const data = mkdtempSync(join(tmpdir(), 'headgate-replay-data-'));
  const app = await openApp({
    workflows,
    dataDirectory: data,
    env: { KEY: 'k' },
    synchronous: 'normal',
    random: seededRandom(5),
  });
  try {
    await Promise.all(['ana', 'ben', 'cleo'].map((name) => serveOne(app, name, rounds)));
  } finally {
    await app.close();
  }
  return data;
}

async function serveOne({ engine }: App, name: string, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await engine.run({
      task: 'shorten',
      input: { text: `${name} ${round}`, careful: round % 3 === 0 },
      caller: caller(name),
    });
    await engine.run({
      task: 'review',
      input: { parts: ['a', 'b', `c${Math.floor(round / 2)}`].slice(0, 1 + (round % 3)) },
      caller: caller(name),
    });
  }
}
