// `fetch` for an SDK on undici.request: what one would write to spare the web streams of the SDK's own fetch.
import { Agent, request } from 'undici';

/** Of a `Response` only what an SDK reads of an answer that is JSON. */
export function createUndiciFetch(): { readonly fetch: typeof fetch; close(): Promise<void> } {
  const dispatcher = new Agent();
  const send = async (url: string, init: { method: string; headers: Headers; body: string }) => {
    const { statusCode, headers, body } = await request(url, {
      dispatcher,
      method: init.method,
      headers: [...init.headers].flat(),
      body: init.body,
    });
    return {
      url,
      status: statusCode,
      ok: statusCode >= 200 && statusCode < 300,
      headers: new Headers(headers as { [name: string]: string }),
      text: () => body.text(),
      json: () => body.json(),
    };
  };
  return { fetch: send as unknown as typeof fetch, close: () => dispatcher.close() };
}
