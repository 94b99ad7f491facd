// A loopback server that answers with recorded answers: the status, headers and body that a vendor once sent, byte for byte.
//
//   const server = await startCassetteServer();
//   server.play(readCassette('oai-chat-success')[0]);      // the answer to the next request
//   baseUrl of an `openai` provider: `${server.url}/v1`; of an `anthropic` provider: server.url
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listSharedData, readSharedData } from './shared-data.ts';

export interface RecordedAnswer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
  /** What the recorded client asked. */
  readonly method: string;
  readonly path: string;
  readonly stream: boolean;
}

export interface CassetteServer {
  readonly url: string;
  play(answer: RecordedAnswer): void;
  close(): Promise<void>;
}

interface CassetteFile {
  readonly interactions: readonly {
    readonly request: { readonly method: string; readonly url: string; readonly body: unknown };
    readonly response: {
      readonly status: number;
      readonly headers: { readonly [name: string]: string };
      readonly body: unknown;
    };
  }[];
}

/** Headers of the recorded connection: this one has its own. */
const OF_THE_CONNECTION = new Set([
  'connection',
  'transfer-encoding',
  'content-length',
  'content-encoding',
  'keep-alive',
  'alt-svc',
]);

/** The answers of one cassette, in the order in which they were recorded. */
export function readCassette(name: string): readonly RecordedAnswer[] {
  const { interactions } = JSON.parse(readSharedData(`cassettes/${name}.json`)) as CassetteFile;
  return interactions.map(({ request, response }) => ({
    status: response.status,
    headers: Object.fromEntries(
      Object.entries(response.headers).filter(([header]) => !OF_THE_CONNECTION.has(header)),
    ),
    body: typeof response.body === 'string' ? response.body : JSON.stringify(response.body),
    method: request.method,
    path: new URL(request.url).pathname,
    stream: (request.body as { stream?: unknown } | null)?.stream === true,
  }));
}

export function cassetteNames(): readonly string[] {
  return listSharedData('cassettes')
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length));
}

/** A recorded body without its headers: JSON, or one event a line (`*.chunks.txt`). */
export function readRecordedBody(file: string, status = 200): RecordedAnswer {
  const text = readSharedData(`cassettes/streams/${file}`);
  const isStream = file.endsWith('.chunks.txt');
  const lines = isStream ? text.split('\n').filter((line) => line.trim() !== '') : [];
  const events = lines.map(
    (line) => `event: ${(JSON.parse(line) as { type: string }).type}\ndata: ${line}\n\n`,
  );
  return {
    status,
    headers: { 'content-type': isStream ? 'text/event-stream' : 'application/json' },
    body: isStream ? events.join('') : text,
    method: 'POST',
    path: '',
    stream: isStream,
  };
}

export interface Recording extends RecordedAnswer {
  readonly api: 'chat' | 'responses' | 'anthropic';
}

/** Answers that vendors' own adapters were recorded with, by their ids. */
export function readRecordings(): ReadonlyMap<string, Recording> {
  const lines = readSharedData('recordings/vercel-ai.ndjson').trim().split('\n');
  return new Map(
    lines.map((line) => {
      const { id, api, stream, status, headers, body } = JSON.parse(line) as {
        readonly id: string;
        readonly api: Recording['api'];
        readonly stream: boolean;
      } & Pick<RecordedAnswer, 'status' | 'headers' | 'body'>;
      return [id, { api, stream, status, headers, body, method: 'POST', path: '' }];
    }),
  );
}

export async function startCassetteServer(): Promise<CassetteServer> {
  const waiting: RecordedAnswer[] = [];
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const answer = waiting.shift();
      if (answer === undefined) response.writeHead(599).end('nothing was given to play');
      else response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    play: (answer) => void waiting.push(answer),
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
