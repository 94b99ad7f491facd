// An app with exposed names, served on the loopback interface before an upstream that speaks all protocols.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApp } from '../../src/app.ts';
import { serveApp } from '../../src/serve.ts';
import type { App } from '../../src/app.ts';
import type { AttemptRecord, RunRecord } from '../../src/engine/execution/records.ts';
import { doorUpstream } from './door-upstream.ts';
import type { DoorUpstream } from './door-upstream.ts';

export interface DoorsFixture {
  readonly app: App;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly upstream: DoorUpstream;
  /** The runs so far, oldest first, once all of them are over. */
  runs(): Promise<readonly RunRecord[]>;
  attempts(runId: string): Promise<readonly AttemptRecord[]>;
  /** Makes a key; from then on the server asks for one. */
  key(key: KeyAsked): Promise<string>;
  close(): Promise<void>;
}

export interface KeyAsked {
  readonly caller: string;
  readonly scopes?: readonly string[];
  readonly maxBodyBytes?: number;
}

const PROVIDERS = `headgate: 1
providers:
  openai: { adapter: openai, baseUrl: "\${{ env.OPENAI_BASE_URL }}", apiKey: "\${{ secrets.OPENAI_API_KEY }}", policy: quick }
  chatonly: { adapter: openai, api: chat, baseUrl: "\${{ env.OPENAI_BASE_URL }}", apiKey: "\${{ secrets.OPENAI_API_KEY }}", policy: quick }
  anthropic: { adapter: anthropic, baseUrl: "\${{ env.ANTHROPIC_BASE_URL }}", apiKey: "\${{ secrets.ANTHROPIC_API_KEY }}", policy: quick }
models:
  openai/gpt-5.6-luna: { price: { input: $1, output: $10 }, context: 400k, maxOutputTokens: 128k }
  openai/gpt-5.6-terra: { price: { input: $1, output: $10 }, context: 400k, maxOutputTokens: 128k }
  openai/text-embedding-3-small: { price: { input: $1, output: $1 }, context: 20 }
  chatonly/gpt-5.6-luna: { price: { input: $1, output: $10 }, context: 400k, maxOutputTokens: 128k }
  anthropic/claude-sonnet-5: { price: { input: $3, output: $15 }, context: 1M, maxOutputTokens: 128k }
  anthropic/claude-haiku-4-5: { price: { input: $1, output: $5 }, context: 200k, maxOutputTokens: 64k }
policies:
  quick: { retry: { attempts: 0 } }
`;

const NAMES = `
routes:
  by-size:
    - { when: prompt.tokens > 5000, from: [openai/gpt-5.6-terra] }
    - { from: [openai/gpt-5.6-luna] }
expose:
  fast: { route: by-size }
  gpt-5.6-luna: { from: [openai/gpt-5.6-luna, anthropic/claude-haiku-4-5], maxOutputTokens: 8k }
  claude-sonnet-5: { from: [anthropic/claude-sonnet-5] }
  two: { from: [openai/gpt-5.6-luna, openai/gpt-5.6-terra], maxOutputTokens: 1k }
  plain: { from: [chatonly/gpt-5.6-luna], maxOutputTokens: 1k }
  vectors: { from: [openai/text-embedding-3-small, openai/gpt-5.6-luna] }
  kept: { from: [openai/gpt-5.6-luna], maxOutputTokens: 1k, retain: { content: full } }
  triage: { task: triage, input: message }
`;

const TRIAGE = `task: triage
input: { message: string }
steps:
  answer: { route: by-size, prompt: "What is this about? \${{ input.message }}", maxOutputTokens: 100 }
`;

/** `more`: further lines of the project file, such as budgets; `project`: all lines before them. */
export async function doorsFixture(
  more = '',
  project: string = `${PROVIDERS}${NAMES}`,
): Promise<DoorsFixture> {
  const upstream = await doorUpstream();
  const folder = mkdtempSync(join(tmpdir(), 'headgate-doors-'));
  const workflows = join(folder, 'workflows');
  mkdirSync(workflows);
  writeFileSync(join(workflows, 'headgate.yaml'), `${project}${more}`);
  writeFileSync(join(workflows, 'triage.yaml'), TRIAGE);
  const app = await openApp({
    workflows,
    dataDirectory: join(folder, 'data'),
    env: {
      UPSTREAM: upstream.url,
      OPENAI_BASE_URL: `${upstream.url}/v1`,
      ANTHROPIC_BASE_URL: upstream.url,
      OPENAI_API_KEY: 'sk-upstream-openai',
      ANTHROPIC_API_KEY: 'sk-upstream-anthropic',
    },
  });
  const served = await serveApp(app, { port: 0, watch: false });
  let admin: string | undefined;
  return {
    app,
    url: served.url,
    upstream,
    async runs() {
      // A client has the end of a stream before its run has.
      for (;;) {
        // Nor are they in the tables at once; this waits for them, however busy the machine is.
        await app.ledger.verify();
        const { rows } = await app.ledger.runs({}, { limit: 100 });
        if (rows.every(({ status }) => status !== 'running')) return rows.toReversed();
      }
    },
    async attempts(runId) {
      return (await app.ledger.attemptsOf([runId])).get(runId) ?? [];
    },
    async key({ scopes = ['run:*'], ...asked }) {
      admin ??= await createKey(served.url, { caller: 'root', scopes: ['admin'] });
      return createKey(served.url, { ...asked, scopes }, admin);
    },
    async close() {
      await served.close(0);
      await app.close(0);
      await upstream.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function createKey(url: string, input: KeyAsked, authorization?: string): Promise<string> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(authorization === undefined ? {} : { authorization: `Bearer ${authorization}` }),
    },
    body: JSON.stringify({
      query: 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
      variables: { input },
    }),
  });
  const { data, errors = [] } = (await response.json()) as {
    data?: { createApiKey: { secret: string } } | null;
    errors?: { message: string }[];
  };
  if (data === undefined || data === null) throw new Error(errors[0]?.message);
  return data.createApiKey.secret;
}
