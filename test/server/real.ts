// The whole app behind the API, with providers that answer as a test tells them to: real workflows, engine, ledger and statistics, opened once a file.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import { openApp } from '../../src/app.ts';
import type { App } from '../../src/app.ts';
import { systemClock } from '../../src/common/clock.ts';
import type { Caller } from '../../src/engine/budget/port.ts';
import { servicesOf } from '../../src/serve.ts';
import { buildSchema } from '../../src/server/graphql/schema.ts';
import type { ServerOptions } from '../../src/server/options.ts';
import { createServer } from '../../src/server/server.ts';
import type { RunningServer } from '../../src/server/server.ts';
import { scriptedProviders } from '../support/scripted-provider.ts';
import type { Script, ScriptedCall } from '../support/scripted-provider.ts';

export const ADMIN: Caller = {
  name: 'root',
  team: null,
  tier: null,
  tags: {},
  scopes: ['admin'],
  keyId: 'key_root',
};

const TASK_INPUT = `input:
  text: { type: string, minLength: 1, maxLength: 200000 }
  sentences: { type: integer, minimum: 1, maximum: 20, default: 3 }
steps:
  main:
    prompt: \${{ input.text }}
    maxOutputTokens: 400
`;
export const summarizeAs = (name: string): string => `task: ${name}\n${TASK_INPUT}`;

/** A run takes 120 tokens in and 30 out, and so 1,500 nano-dollars. */
const PROJECT = `headgate: 1
providers:
  up: { adapter: openai, baseUrl: "http://127.0.0.1:9", apiKey: "\${{ secrets.UP_KEY }}", policy: once }
models:
  up/small: { context: 32k, price: { input: $0.01, output: $0.01 } }
policies:
  once: { timeout: 60s, retry: { attempts: 1 } }
routes:
  default:
    - from: [up/small]
`;

const REVIEW = `task: code-review
input: { diff: string }
steps:
  main:
    prompt: \${{ input.diff }}
    maxOutputTokens: 400
`;

const MAIL = `task: email-parse
input:
  raw: { type: string, maxLength: 2000000 }
  id: integer?
steps:
  main:
    prompt: \${{ input.raw.truncate(1000) }}
    maxOutputTokens: 400
`;

export interface RealApp {
  readonly app: App;
  /** The workflow files, by path; what is changed is taken by `app.revisions.reload()`. */
  readonly files: Map<string, string>;
  /** What the providers were asked, in order. */
  readonly calls: ScriptedCall[];
  /** How the providers answer from now on. */
  readonly answer: (script: Script) => void;
}

const SHORT: Script = () => ({ text: 'short', usage: { inputTokens: 120, outputTokens: 30 } });

const opened: { readonly app: App; readonly dataDirectory: string }[] = [];
afterAll(async () => {
  for (const { app, dataDirectory } of opened.splice(0)) {
    await app.close(0);
    rmSync(dataDirectory, { recursive: true, force: true });
  }
});

/** Closed after the tests of the file. */
export async function openRealApp(): Promise<RealApp> {
  const files = new Map([
    ['headgate.yaml', PROJECT],
    ['summarize.yaml', summarizeAs('summarize')],
    ['code-review.yaml', REVIEW],
    ['email-parse.yaml', MAIL],
  ]);
  let script = SHORT;
  const providers = scriptedProviders(systemClock, (call, number) => script(call, number));
  const dataDirectory = mkdtempSync(join(tmpdir(), 'headgate-real-'));
  const app = await openApp({
    workflows: {
      description: 'the files of a test',
      read: async () => ({
        files: [...files].map(([path, text]) => ({ path, text })),
        commit: null,
        dirty: false,
      }),
      watch: async () => async () => undefined,
    },
    dataDirectory,
    env: { UP_KEY: 'sk-test' },
    synchronous: 'normal',
    wrapProviders: () => providers,
  });
  opened.push({ app, dataDirectory });
  return { app, files, calls: providers.calls, answer: (given) => void (script = given) };
}

let shared: Promise<RealApp> | undefined;
/** One for all tests of a file, each of which leaves it as it was; what was asked and how it is answered begin anew. */
export async function sharedApp(): Promise<RealApp> {
  const real = await (shared ??= openRealApp());
  real.calls.length = 0;
  real.answer(SHORT);
  return real;
}

const running: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close(200)));
});

export interface RealServed extends RealApp {
  readonly services: ServerOptions['services'];
  readonly keys: ServerOptions['services']['keys'];
  readonly url: string;
  readonly base: string;
  readonly server: RunningServer;
  /** Reads of the ledger that the API asked for, by name. */
  readonly reads: string[];
}

/** The app on a free port, until the end of the test. */
export async function serveReal(options: Partial<ServerOptions> = {}, given?: RealApp): Promise<RealServed> {
  const real = given ?? (await sharedApp());
  const services = await servicesOf(real.app);
  const reads: string[] = [];
  const counted = new Proxy(services.ledger, {
    get(ledger, name: keyof typeof services.ledger) {
      const value: unknown = ledger[name];
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        reads.push(name);
        return Reflect.apply(value, ledger, args) as unknown;
      };
    },
  });
  const server = await createServer({
    services: { ...services, ledger: counted },
    schemaFor: (plan) => buildSchema({ plan }),
    port: 0,
    mode: 'development',
    ...options,
  });
  running.push(server);
  return {
    ...real,
    services,
    keys: services.keys,
    url: `${server.url}/graphql`,
    base: server.url,
    server,
    reads,
  };
}

/** A number that the server tells at /metrics; undefined: it tells none of that name. */
export async function metric(base: string, name: string): Promise<number | undefined> {
  const text = await (await fetch(`${base}/metrics`)).text();
  const found = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, 'm').exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
