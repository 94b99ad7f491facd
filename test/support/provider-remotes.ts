// The providers behind HTTP, as the conformance suites see them: one fault server and one provider for each protocol.
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { PlanProvider } from '../../src/language/plan/types.ts';
import type {
  CallOutcome,
  ModelRequest,
  Provider,
  ProviderAnswer,
  ProviderError,
} from '../../src/engine/providers/port.ts';
import { startFaultServer } from './fault-server.ts';
import type { Behaviour, FaultServer } from './fault-server.ts';
import { listen, request, testProvider } from './provider-plan.ts';

export interface Remote {
  readonly label: string;
  readonly fields: Partial<PlanProvider>;
  readonly path: string;
  readonly url: (server: FaultServer) => string;
}

export const CHAT: Remote = {
  label: 'openai chat',
  fields: { adapter: 'openai', api: 'chat' },
  path: '/v1/chat/completions',
  url: (server) => server.openaiUrl,
};
export const RESPONSES: Remote = {
  label: 'openai responses',
  fields: { adapter: 'openai', api: 'responses' },
  path: '/v1/responses',
  url: (server) => server.openaiUrl,
};
export const MESSAGES: Remote = {
  label: 'anthropic',
  fields: { adapter: 'anthropic' },
  path: '/v1/messages',
  url: (server) => server.url,
};
export const REMOTES = [CHAT, RESPONSES, MESSAGES];

/** The text of the fault server's good answer. */
export const SIXTY = Array.from({ length: 60 }, (_, index) => `t${index + 1}`).join(' ');

export interface RemoteUnderTest {
  readonly server: FaultServer;
  readonly provider: Provider;
  /** One call that meets this behaviour. */
  readonly call: (behaviour: Behaviour, fields?: Partial<ModelRequest>) => Promise<CallOutcome>;
}

/** Starts a server and a provider for the suite around it. After each test, whatever happened, the next call must be served. */
export function useRemote(remote: Remote): RemoteUnderTest {
  const under = {} as { -readonly [Key in keyof RemoteUnderTest]: RemoteUnderTest[Key] };
  beforeAll(async () => {
    const server = await startFaultServer();
    const provider = testProvider({ ...remote.fields, url: remote.url(server) });
    Object.assign(under, {
      server,
      provider,
      call: (behaviour: Behaviour, fields: Partial<ModelRequest> = {}) => {
        server.script(behaviour);
        return provider.call(request(fields), listen().context);
      },
    } satisfies RemoteUnderTest);
  });
  afterEach(async () => {
    under.server.reset();
    const healthy = await under.provider.call(request({ stream: true }), listen().context);
    expect(healthy).toMatchObject({ ok: true, value: { text: SIXTY } });
    under.server.reset();
  });
  afterAll(async () => {
    await under.provider.close();
    await under.server.close();
  });
  return under;
}

export function answerOf(outcome: CallOutcome): ProviderAnswer {
  if (!outcome.ok) throw new Error(`expected an answer, got ${JSON.stringify(outcome.error)}`);
  return outcome.value;
}

export function failureOf(outcome: CallOutcome): ProviderError {
  if (outcome.ok) throw new Error(`expected a failure, got ${JSON.stringify(outcome.value)}`);
  return outcome.error;
}

/** Resolves when that many pieces of `SIXTY` have been given to the caller, several of them together or one by one. */
export async function untilHeard(deltas: readonly string[], count: number): Promise<void> {
  while (deltas.join('').split('t').length <= count)
    await new Promise((resolve) => void setImmediate(resolve));
}
