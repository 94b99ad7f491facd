// The whole app behind the API, with providers that answer as a test tells them to: real workflows, engine, ledger and statistics, opened once a file.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { graphql } from 'graphql';
import type { ExecutionResult, GraphQLSchema } from 'graphql';
import { onTestFinished } from 'vitest';
import { openApp } from '../../src/app.ts';
import type { App } from '../../src/app.ts';
import { systemClock } from '../../src/common/clock.ts';
import type { Caller } from '../../src/engine/budget/port.ts';
import type { RunOptions } from '../../src/engine/execution/port.ts';
import type { Plan } from '../../src/language/plan/types.ts';
import { servicesOf } from '../../src/serve.ts';
import { createContext } from '../../src/server/graphql/context.ts';
import { buildSchema } from '../../src/server/graphql/schema.ts';
import type { ServerOptions } from '../../src/server/options.ts';
import { createServer } from '../../src/server/server.ts';
import type { RunningServer } from '../../src/server/server.ts';
import { closeAfterFile } from '../support/left-open.ts';
import { scriptedProviders } from '../support/scripted-provider.ts';
import type { Script, ScriptedCall } from '../support/scripted-provider.ts';

const caller = (name: string, scopes: readonly string[]): Caller => ({
  name,
  team: null,
  tier: null,
  tags: {},
  scopes,
  keyId: `key_${name}`,
});
export const ADMIN = caller('root', ['admin']);
export const ANA = caller('ana', ['run:*']);
export const BOB = caller('bob', ['run:summarize']);
export const AUDITOR = caller('auditor', ['read:all']);

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
export const PROJECT = `headgate: 1
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

/** Runs `summarize` to its end, and gives the run's id. */
export async function summarize({ engine }: App, caller = ADMIN, options: RunOptions = {}): Promise<string> {
  const result = await engine.run({ task: 'summarize', input: { text: 'a' }, caller, options });
  if (result.kind !== 'run') throw new Error(result.message);
  return result.snapshot.run.id;
}

/** The secret of a new key of that caller. */
export async function keyOf(keys: ServerOptions['services']['keys'], caller: Caller): Promise<string> {
  const { name, team, tier, tags, scopes } = caller;
  const limits = { expiresAtMs: null, requestsPerMinute: null };
  return (await keys.create({ caller: name, team, tier, tags, scopes, ...limits })).secret;
}

const SHORT: Script = () => ({ text: 'short', usage: { inputTokens: 120, outputTokens: 30 } });

const FILES = {
  'headgate.yaml': PROJECT,
  'summarize.yaml': summarizeAs('summarize'),
  'code-review.yaml': REVIEW,
  'email-parse.yaml': MAIL,
};

/** Closed after the tests of the file. */
export async function openRealApp(given: { readonly [path: string]: string } = FILES): Promise<RealApp> {
  const files = new Map(Object.entries(given));
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
  closeAfterFile(async () => {
    await app.close(0);
    rmSync(dataDirectory, { recursive: true, force: true });
  });
  return { app, files, calls: providers.calls, answer: (given) => void (script = given) };
}

let shared: Promise<RealApp> | undefined;
/** One for all tests of a file, each of which leaves it as it was; what was asked and how it is answered begin anew. */
export async function sharedApp(): Promise<RealApp> {
  if (!shared) {
    shared = openRealApp();
    closeAfterFile(() => void (shared = undefined));
  }
  const real = await shared;
  real.calls.length = 0;
  real.answer(SHORT);
  return real;
}

export interface RealServed extends RealApp {
  readonly services: ServerOptions['services'];
  readonly keys: ServerOptions['services']['keys'];
  readonly url: string;
  readonly base: string;
  readonly server: RunningServer;
  /** Reads of the ledger that the API asked for, by name. */
  readonly reads: string[];
}

async function countedServices({ app }: RealApp): Promise<Pick<RealServed, 'services' | 'reads'>> {
  const services = await servicesOf(app);
  const reads: string[] = [];
  const ledger = new Proxy(services.ledger, {
    get(target, name: keyof typeof services.ledger) {
      const value: unknown = target[name];
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        reads.push(name);
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
  return { services: { ...services, ledger }, reads };
}

// Each test asks for a shape of its own, and reads it without a cast a line.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyResult = ExecutionResult<any>;

export type Ask = (
  source: string,
  options?: { readonly caller?: Caller; readonly variables?: { readonly [name: string]: unknown } },
) => Promise<AnyResult>;

/** Asks the schema of the active plan in this process, as a caller, without a server around it. */
export async function asker(real: RealApp): Promise<{ readonly ask: Ask; readonly reads: string[] }> {
  const { services, reads } = await countedServices(real);
  const schemas = new WeakMap<Plan, GraphQLSchema>();
  const ask: Ask = async (source, { caller = ADMIN, variables = {} } = {}) => {
    const { plan } = real.app.revisions.active();
    const schema = schemas.get(plan) ?? buildSchema({ plan });
    schemas.set(plan, schema);
    return graphql({
      schema,
      source,
      variableValues: variables,
      contextValue: createContext({ services, caller }),
    });
  };
  return { ask, reads };
}

/** The app on a free port, until the end of the test. */
export async function serveReal(options: Partial<ServerOptions> = {}, given?: RealApp): Promise<RealServed> {
  const real = given ?? (await sharedApp());
  const { services, reads } = await countedServices(real);
  const server = await createServer({
    services,
    schemaFor: (plan) => buildSchema({ plan }),
    port: 0,
    mode: 'development',
    ...options,
  });
  onTestFinished(() => server.close(200));
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

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Each test asks for a shape of its own, and reads it without a cast a line.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly data: any;
  readonly errors: readonly GraphqlErrorJson[];
}

export interface GraphqlErrorJson {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly [key: string]: unknown };
}

/** Posts a GraphQL request, or any text in its place. */
export async function post(
  url: string,
  body: { readonly query: string; readonly variables?: object; readonly operationName?: string } | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const json = (await response.json()) as { data?: unknown; errors?: readonly GraphqlErrorJson[] };
  return { status: response.status, headers: response.headers, data: json.data, errors: json.errors ?? [] };
}

/** The first error's code. */
export function codeOf({ errors }: Pick<Answer | AnyResult, 'errors'>): unknown {
  return errors?.[0]?.extensions?.['code'];
}
