// The OpenAI SDK's client for one provider: loaded at the first call, kept as long as the key stays the same.
import type { OpenAI } from 'openai';
import { keptPerKey, sdkOptions, type SdkSettings } from '../shared/sdk-client.ts';

export function createClientSource(settings: SdkSettings): (key: string | null) => Promise<OpenAI> {
  return keptPerKey(async (key) => {
    const { OpenAI: Client } = await import('openai');
    return new (withFixedHeaders(Client))({
      organization: null,
      project: null,
      ...settings.sdkOptions,
      // Everything that the SDK would otherwise read from the environment is said here (INV-6).
      adminAPIKey: null,
      webhookSecret: null,
      ...sdkOptions(settings, key),
    });
  });
}

type BuiltRequest = Awaited<ReturnType<OpenAI['buildRequest']>>;

/**
 * The SDK's class, building the address and the headers of a kind of request once: they depend on nothing but the client, which is made anew
 * for another key, and merging them from five sources costs a quarter of a call.
 */
function withFixedHeaders(Client: typeof OpenAI): typeof OpenAI {
  return class extends Client {
    readonly #built = new Map<string, BuiltRequest>();

    override async buildRequest(
      ...[options, context]: Parameters<OpenAI['buildRequest']>
    ): Promise<BuiltRequest> {
      const kind = `${options.method} ${options.path} ${String(options.stream === true)}`;
      const built = this.#built.get(kind);
      if (built === undefined) {
        const first = await super.buildRequest(options, context);
        this.#built.set(kind, first);
        return first;
      }
      const { method, headers } = built.req;
      const req = { method, headers, body: JSON.stringify(options.body), ...options.fetchOptions };
      // The headers are those that the SDK has finalized; the body is built as it builds it.
      return { url: built.url, timeout: built.timeout, req: req as BuiltRequest['req'] };
    }
  };
}
