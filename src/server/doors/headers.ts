// Headers of a client that go on to the provider: whatever is not about the way to here, who asks, or how the body is packed.
import type { IncomingHttpHeaders } from 'node:http';

const STAYS = new Set([
  'accept',
  'accept-encoding',
  'alt-used',
  'api-key',
  'authorization',
  'chatgpt-account-id',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'openai-organization',
  'openai-project',
  'origin',
  'proxy-authorization',
  'proxy-connection',
  'referer',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-api-key',
  'x-real-ip',
]);
const STAYS_BEGIN = /^(?:x-forwarded-|x-headgate-|sec-|cf-|proxy-|access-control-)/;

export function headersToForward(headers: IncomingHttpHeaders): { readonly [name: string]: string } {
  const forwarded: { [name: string]: string } = {};
  for (const name in headers) {
    if (STAYS.has(name) || STAYS_BEGIN.test(name)) continue;
    const value = headers[name];
    if (value !== undefined) forwarded[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return forwarded;
}
