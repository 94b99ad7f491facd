// Provider: what can be called, and how it does now.
import type { Builder } from '../builder.ts';
import type { RequestContext } from '../context.ts';
import type { ProviderShape, Refs } from '../refs.ts';
import type { Enums } from './enums.ts';

export function defineProvider(builder: Builder, refs: Refs, enums: Enums): void {
  builder.node(refs.provider, {
    description: 'A provider of models, and its state in this process.',
    id: { resolve: ({ name }) => name },
    loadOne: (name, context) => {
      const status = context.services.providers.get(name);
      return status === undefined ? null : { name, status };
    },
    fields: (t) => ({
      name: t.exposeString('name'),
      adapter: t.string({ nullable: true, resolve: ({ status }) => status?.adapter ?? null }),
      available: t.boolean({
        description: 'It has what it needs to be called.',
        resolve: ({ status }) => status !== null && status.unavailable === null,
      }),
      unavailable: t.string({
        nullable: true,
        description: 'What is missing, and what to do about it.',
        resolve: ({ name, status }) =>
          status === null ? `${name} is not in the active revision` : status.unavailable,
      }),
      models: t.field({ type: [refs.providerModel], resolve: ({ status }) => status?.models ?? [] }),
    }),
  });

  refs.providerModel.implement({
    description: 'One model of a provider: its circuit, its queue, its latency and its rate headroom.',
    fields: (t) => ({
      key: t.exposeString('key', { description: '`provider/model`.' }),
      model: t.exposeString('model'),
      circuit: t.expose('circuit', { type: enums.circuitState }),
      circuitRetryAfterMs: t.exposeFloat('circuitRetryAfterMs'),
      inFlight: t.exposeInt('inFlight'),
      queued: t.exposeInt('queued'),
      latencyMs: t.exposeFloat('latencyMs', {
        nullable: true,
        description: 'Peak-sensitive moving average.',
      }),
      latencyP95Ms: t.exposeFloat('latencyP95Ms', { nullable: true }),
      firstTokenMs: t.exposeFloat('firstTokenMs', { nullable: true }),
      requestHeadroom: t.exposeFloat('requestHeadroom', {
        nullable: true,
        description: 'Share of the request limit that is left, 0 to 1.',
      }),
      tokenHeadroom: t.exposeFloat('tokenHeadroom', {
        nullable: true,
        description: 'Share of the token limit that is left, 0 to 1.',
      }),
      rateClosedForMs: t.exposeFloat('rateClosedForMs', {
        description: 'How long the provider still wants to be left alone.',
      }),
    }),
  });
}

export function providerShape(name: string, context: RequestContext): ProviderShape {
  return { name, status: context.services.providers.get(name) ?? null };
}
