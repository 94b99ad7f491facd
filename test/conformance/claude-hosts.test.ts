// Claude at Bedrock and at Vertex AI, by Anthropic's SDKs for them where `npm run door-clients` has installed them, against loopback servers of their forms.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Vendor } from '../../src/language/definition/vendors.ts';
import type { ModelRequest, Provider } from '../../src/engine/providers/port.ts';
import { createProviderRegistry } from '../../src/engine/providers/registry.ts';
import { systemClock } from '../../src/common/clock.ts';
import { hostSdksInstalled, HOST_SDKS, startClaudeHosts } from '../support/claude-hosts.ts';
import type { ClaudeHosts } from '../support/claude-hosts.ts';
import { startFaultServer } from '../support/fault-server.ts';
import type { FaultServer } from '../support/fault-server.ts';
import { listen, planOf, planProvider, request, resolveLiteral } from '../support/provider-plan.ts';
import { answerOf, failureOf, SIXTY } from '../support/provider-remotes.ts';

type Host = Extract<Vendor, 'bedrock' | 'vertex'>;

const KEYS: { readonly [name: string]: string } = {
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  GOOGLE_TOKEN: 'ya29.token-of-google-0123456789',
};

let server: FaultServer;
let hosts: ClaudeHosts;
beforeAll(async () => {
  server = await startFaultServer();
  hosts = await startClaudeHosts(() => server.url);
});
afterAll(async () => {
  await hosts.close();
  await server.close();
  vi.restoreAllMocks();
});
afterEach(() => {
  server.reset();
  hosts.refuse = null;
  hosts.requests.length = 0;
});

function providerOf(host: Host, secrets: { readonly [name: string]: string } = KEYS): Provider {
  const fields = {
    adapter: 'anthropic',
    vendor: host,
    url: host === 'vertex' ? `${hosts.url}/v1` : hosts.url,
    apiKeySecret: host === 'vertex' ? 'GOOGLE_TOKEN' : null,
    sdkOptions: { region: 'eu-west-1', ...(host === 'vertex' ? { project: 'ours' } : {}) },
  } as const;
  return createProviderRegistry({
    readSecret: (name) => secrets[name],
    clock: systemClock,
    resolveTemplate: resolveLiteral,
  }).get(planOf(planProvider('test', fields)), 'test');
}

describe.runIf(hostSdksInstalled).each([
  [
    'bedrock',
    'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
    /^\/model\/eu\.anthropic\.claude-sonnet-4-5-20250929-v1%3A0\/invoke$/,
  ],
  [
    'vertex',
    'claude-sonnet-4-5@20250929',
    /^\/v1\/projects\/ours\/locations\/eu-west-1\/publishers\/anthropic\/models\/claude-sonnet-4-5%4020250929:rawPredict$/,
  ],
] as const)('claude at %s', (host, model, path) => {
  let provider: Provider;
  beforeEach(() => {
    vi.spyOn(process, 'cwd').mockReturnValue(HOST_SDKS);
  });
  beforeAll(() => {
    provider = providerOf(host);
  });
  afterAll(() => provider.close());
  const ask = (fields: Partial<ModelRequest> = {}): ModelRequest => request({ model, ...fields });

  it('answers with text, usage, a finish reason and the id of the request', async () => {
    const answer = answerOf(await provider.call(ask({ system: 'Be brief.' }), listen().context));
    expect(answer).toMatchObject({ text: SIXTY, finishReason: 'stop', requestId: `req-${host}` });
    expect(answer.usage).toMatchObject({ inputTokens: 20, outputTokens: 60 });
    const [sent] = hosts.requests;
    expect(decodeURIComponent(sent?.path ?? '')).toBe(
      decodeURIComponent(path.source.replaceAll(/\\|\^|\$/g, '')),
    );
    expect(sent?.headers.authorization).toMatch(
      host === 'bedrock'
        ? /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/\d{8}\/eu-west-1\/bedrock/
        : /^Bearer ya29\./,
    );
    expect(sent?.body).not.toHaveProperty('model');
  });

  it('gives the same text streamed, piece by piece', async () => {
    const heard = listen();
    const answer = answerOf(await provider.call(ask({ stream: true }), heard.context));
    expect(answer).toMatchObject({ text: SIXTY, usage: { inputTokens: 20, outputTokens: 60 } });
    expect(heard.deltas.join('')).toBe(SIXTY);
    expect(heard.deltas.length).toBeGreaterThan(10);
  });

  it('asks for a schema by a tool, which each host takes', async () => {
    server.script({ text: '{"kind":"good"}' });
    const structured = {
      name: 'answer',
      schema: { type: 'object', properties: { kind: { type: 'string' } }, required: ['kind'] },
    };
    const answer = answerOf(await provider.call(ask({ structured }), listen().context));
    expect(answer.json).toEqual({ kind: 'good' });
    expect(hosts.requests[0]?.body).toHaveProperty('tools');
  });

  it('INV-10: a stream that breaks is a failure', async () => {
    server.script({ cutAtToken: 10 });
    expect(failureOf(await provider.call(ask({ stream: true }), listen().context))).toMatchObject({
      class: expect.stringMatching(/cut_stream|malformed_stream/),
    });
  });

  it('is told apart when it throttles, and when it knows no such model', async () => {
    hosts.refuse = {
      status: 429,
      headers: { 'x-amzn-errortype': 'ThrottlingException' },
      body: { message: 'Too many tokens, please wait before trying again.' },
    };
    expect(failureOf(await provider.call(ask(), listen().context))).toMatchObject({
      class: 'rate_limited',
      billed: 'no',
      status: 429,
    });
    hosts.refuse = { status: 404, headers: {}, body: { message: 'Could not resolve the foundation model' } };
    expect(failureOf(await provider.call(ask(), listen().context))).toMatchObject({
      class: 'model_not_found',
    });
  });

  it('INV-9: no secret that signs is in what a host says back', async () => {
    const { AWS_SECRET_ACCESS_KEY: signs = '', GOOGLE_TOKEN: token = '' } = KEYS;
    hosts.refuse = { status: 400, headers: {}, body: { message: `bad request ${signs} ${token}` } };
    const { message } = failureOf(await provider.call(ask(), listen().context));
    expect(message).not.toContain(host === 'bedrock' ? signs : token);
  });

  it('fails as cancelled, unbilled, when the signal is aborted before the call', async () => {
    const outcome = await provider.call(ask(), listen(AbortSignal.abort()).context);
    expect(failureOf(outcome)).toMatchObject({ class: 'cancelled', billed: 'no' });
  });

  it('is asked to keep the beginning of a prompt as Anthropic is', async () => {
    expect(provider.promptCache?.(model)).toEqual({ leastTokens: 1_024, liveMs: 300_000 });
    const constant = { key: 'k', systemChars: 9, promptChars: 0, asked: true };
    answerOf(await provider.call(ask({ system: 'Be brief.', constant }), listen().context));
    expect(hosts.requests[0]?.body['system']).toEqual([
      { type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } },
    ]);
  });

  it('takes no body of a client, which could not be sent as it is', () => {
    expect(provider.exchanger).toBeUndefined();
  });
});

describe.runIf(hostSdksInstalled)('bedrock without anything that proves who calls', () => {
  it('fails as authentication, unbilled, and says what to set', async () => {
    vi.spyOn(process, 'cwd').mockReturnValue(HOST_SDKS);
    // No role is looked for on this machine, and no profile.
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_CONFIG_FILE', '/none');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/none');
    const provider = providerOf('bedrock', {});
    const failure = failureOf(await provider.call(request({ model: 'anthropic.claude' }), listen().context));
    expect(failure).toMatchObject({ class: 'authentication', billed: 'no', advice: 'elsewhere' });
    expect(failure.message).toContain('set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
    expect(hosts.requests).toEqual([]);
    await provider.close();
    vi.unstubAllEnvs();
  });
});

describe.each(['bedrock', 'vertex'] as const)('%s without its SDK', (host) => {
  it('INV-13: says which line installs it, is left out of routes, and fails unbilled', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'headgate-no-sdk-'));
    vi.resetModules();
    vi.spyOn(process, 'cwd').mockReturnValue(empty);
    // A module that has not found the SDK before.
    const { createAnthropicProtocol } = await import('../../src/engine/providers/anthropic/anthropic.ts');
    const protocol = createAnthropicProtocol(
      { name: 'test', baseUrl: hosts.url, headers: {}, sdkOptions: { region: 'eu-west-1' } },
      { lacks: [], vendor: host },
    );
    expect(protocol.missing?.()).toBe(
      `run \`npm install @anthropic-ai/${host}-sdk\` where Headgate is started, and start it again`,
    );
    rmSync(empty, { recursive: true, force: true });
  });
});
