// The body of a request, read once, with a bound: bytes beyond it are not kept.
import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import { sideBySide } from '../common/side-by-side.ts';

const afterReading = sideBySide();

export function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/(graphql\+)?json\s*(;|,|$)/i.test(contentType);
}

/** Rejects with a GraphQLError whose status is 413 for too much, 400 for what is not JSON. */
export function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const declared = Number(request.headers['content-length'] ?? 0);
  return declared > maxBytes
    ? Promise.reject(tooLarge(maxBytes))
    : readText(request, maxBytes).then(parseJson);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new GraphQLError(`The body is not JSON: ${(error as Error).message}`, {
      extensions: {
        code: 'BAD_REQUEST',
        remedy: 'Send {"query": "…", "variables": {…}}.',
        http: { status: 400 },
      },
    });
  }
}

function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        request.pause();
        request.removeAllListeners('data');
        reject(tooLarge(maxBytes));
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () => {
      const whole = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      afterReading(() => resolve(whole.toString('utf8')));
    });
    request.on('error', reject);
    // Every request closes: the error is made only for those that were not read to their end.
    request.on('close', () => {
      if (!request.readableEnded) reject(new Error('the client went away before its request was read'));
    });
  });
}

function tooLarge(maxBytes: number): GraphQLError {
  return new GraphQLError(`The body has more than ${maxBytes} bytes.`, {
    extensions: {
      code: 'BODY_TOO_LARGE',
      limit: 'maxBodyBytes',
      remedy: 'Send less, or start the server with a larger limit.',
      http: { status: 413, headers: { Connection: 'close' } },
    },
  });
}
