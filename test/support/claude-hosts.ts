// Amazon Bedrock and Google Vertex AI as their documents describe them, before a server that speaks Anthropic's own protocol: the model in the address, the
// version in the body, Bedrock's streams in frames of its own.
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { repositoryRoot } from './repository.ts';

/** Where `npm run door-clients` puts the hosts' SDKs, which are no dependency of ours. */
export const HOST_SDKS = join(repositoryRoot, '.cache', 'door-clients');
export const hostSdksInstalled = existsSync(join(HOST_SDKS, 'node_modules/@anthropic-ai/bedrock-sdk'));

export interface HostedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: { readonly [member: string]: unknown };
}

export interface ClaudeHosts {
  readonly url: string;
  readonly requests: HostedRequest[];
  /** The next answer, in place of what the server behind it says. */
  refuse: {
    readonly status: number;
    readonly headers: { readonly [name: string]: string };
    readonly body: object;
  } | null;
  close(): Promise<void>;
}

const BEDROCK = /^\/model\/([^/]+)\/(invoke|invoke-with-response-stream)$/;
const VERTEX =
  /^\/v1\/projects\/[^/]+\/locations\/[^/]+\/publishers\/anthropic\/models\/([^/:]+):(rawPredict|streamRawPredict)$/;

/** `behind`: the server that answers, by its address. */
export async function startClaudeHosts(behind: () => string): Promise<ClaudeHosts> {
  const requests: HostedRequest[] = [];
  const state: Pick<ClaudeHosts, 'refuse'> = { refuse: null };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '';
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as HostedRequest['body'];
    requests.push({ path, headers: request.headers, body });
    const [, model, how] = BEDROCK.exec(path) ?? VERTEX.exec(path) ?? [];
    const { refuse } = state;
    if (
      refuse !== null ||
      model === undefined ||
      'model' in body ||
      body['anthropic_version'] === undefined
    ) {
      const {
        status,
        headers,
        body: told,
      } = refuse ?? { status: 400, headers: {}, body: { message: `no such path: ${path}` } };
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(told));
      return;
    }
    const { anthropic_version: _, ...asked } = body;
    const isPacked = how === 'invoke-with-response-stream';
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const answer = await fetch(`${behind()}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...asked,
        model: decodeURIComponent(model),
        ...(isPacked ? { stream: true } : {}),
      }),
      signal: gone.signal,
    });
    const packs = isPacked && answer.ok;
    response.writeHead(answer.status, {
      'content-type': packs
        ? 'application/vnd.amazon.eventstream'
        : (answer.headers.get('content-type') ?? ''),
      'x-amzn-requestid': 'req-bedrock',
      'request-id': 'req-vertex',
    });
    let rest = '';
    for await (const chunk of answer.body ?? []) {
      if (!packs) {
        response.write(chunk);
        continue;
      }
      const events = (rest + Buffer.from(chunk).toString('utf8')).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) response.write(frameOf(event));
    }
    response.end();
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

/** One event of a stream in the frame that Bedrock sends it in: two lengths and their sum, headers, the payload, a sum over all. */
function frameOf(event: string): Buffer {
  const data = /^data: (.*)$/m.exec(event)?.[1] ?? '';
  const payload = Buffer.from(JSON.stringify({ bytes: Buffer.from(data).toString('base64') }));
  const headers = Buffer.concat(
    Object.entries({
      ':event-type': 'chunk',
      ':content-type': 'application/json',
      ':message-type': 'event',
    }).map(([name, value]) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(value.length);
      return Buffer.concat([
        Buffer.from([name.length]),
        Buffer.from(name),
        Buffer.from([7]),
        length,
        Buffer.from(value),
      ]);
    }),
  );
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(16 + headers.length + payload.length, 0);
  prelude.writeUInt32BE(headers.length, 4);
  const start = Buffer.concat([prelude, sumOf(prelude), headers, payload]);
  return Buffer.concat([start, sumOf(start)]);
}

function sumOf(bytes: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum;
}
