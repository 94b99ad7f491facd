// Starts the server on a free loopback port for one test, and speaks HTTP to it.
import { afterEach } from 'vitest';
import { buildSchema } from '../../src/server/graphql/schema.ts';
import type { ServerOptions } from '../../src/server/options.ts';
import { createServer } from '../../src/server/server.ts';
import type { RunningServer } from '../../src/server/server.ts';
import { createTestServices } from './graphql/support/services.ts';
import type { TestServices } from './graphql/support/services.ts';

const running: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close(200)));
});

export type Served = TestServices & {
  readonly url: string;
  readonly base: string;
  readonly server: RunningServer;
};

/** Closed after the test. */
export async function serve(options: Partial<ServerOptions> = {}, given?: TestServices): Promise<Served> {
  const test = given ?? (await createTestServices());
  const server = await createServer({
    services: test.services,
    schemaFor: (plan) => buildSchema({ plan }),
    port: 0,
    mode: 'development',
    ...options,
  });
  running.push(server);
  return { ...test, url: `${server.url}/graphql`, base: server.url, server };
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
export function codeOf(answer: Answer): unknown {
  return answer.errors[0]?.extensions?.['code'];
}
