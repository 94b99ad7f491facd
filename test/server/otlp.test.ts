// Traces sent to a collector, as the standard variables say.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { createOtlpExporter, otlpSettings } from '../../src/server/observe/otlp.ts';
import { traceRuns } from '../../src/server/observe/traces.ts';
import { makeAttempt, makeRun } from '../support/ledger-records.ts';
import { sharedApp } from './real.ts';

interface Received {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: {
    readonly resourceSpans: readonly {
      readonly resource: { readonly attributes: readonly object[] };
      readonly scopeSpans: readonly { readonly spans: readonly { readonly [key: string]: unknown }[] }[];
    }[];
  };
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A collector on loopback that keeps what it is sent. */
async function collector(status = 200): Promise<{ readonly url: string; readonly received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      received.push({
        url: request.url ?? '',
        authorization: request.headers.authorization,
        body: JSON.parse(text) as Received['body'],
      });
      response.writeHead(status).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

describe('the settings', () => {
  it('are off unless an endpoint is named, and can be switched off', () => {
    const on = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };
    expect(otlpSettings({})).toBeNull();
    expect(otlpSettings({ ...on, OTEL_SDK_DISABLED: 'true' })).toBeNull();
    expect(otlpSettings({ ...on, OTEL_TRACES_EXPORTER: 'none' })).toBeNull();
    expect(otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'nowhere' })).toBeNull();
    expect(otlpSettings(on)).toMatchObject({
      url: 'http://collector:4318/v1/traces',
      ratio: 1,
      resource: { 'service.name': 'headgate' },
    });
  });

  it('follow the standard variables', () => {
    expect(
      otlpSettings({
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/t',
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x, tenant=a',
        OTEL_SERVICE_NAME: 'gate',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=prod',
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0.25',
        OTEL_BSP_SCHEDULE_DELAY: '100',
      }),
    ).toMatchObject({
      url: 'http://c/t',
      headers: { authorization: 'Bearer x', tenant: 'a' },
      resource: { 'service.name': 'gate', 'deployment.environment': 'prod' },
      ratio: 0.25,
      delayMs: 100,
    });
  });
});

describe('the exporter', () => {
  it('sends runs with their attempts under them', async () => {
    const { url, received } = await collector();
    const settings = otlpSettings({
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret',
    });
    if (settings === null) throw new Error('the settings are off');
    const exporter = createOtlpExporter(settings, systemClock, pino({ level: 'silent' }));
    const { ledger } = (await sharedApp()).app;
    const stop = traceRuns(ledger, exporter.tracer);
    const run = makeRun('run_1', { startedAtMs: 1_700_000_000_000 });
    const tried = makeAttempt('att_1', run, { startedAtMs: 1_700_000_000_001, inputTokens: 120 });
    await ledger.openRun(run);
    await ledger.openAttempt(tried);
    await ledger.closeAttempt(
      {
        ...tried,
        status: 'failed',
        errorClass: 'timeout',
        errorMessage: 'too slow',
        finishedAtMs: 1_700_000_000_400,
      },
      null,
    );
    await ledger.finishRun({ ...run, status: 'failed', finishedAtMs: 1_700_000_000_500 });
    stop();
    await exporter.close();

    const [sent] = received;
    expect([sent?.url, sent?.authorization]).toEqual(['/v1/traces', 'secret']);
    const [{ resource, scopeSpans } = { resource: { attributes: [] }, scopeSpans: [] }] =
      sent?.body.resourceSpans ?? [];
    expect(resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'headgate' } });
    const [chat, invoked] = scopeSpans[0]?.spans ?? [];
    expect(invoked).toMatchObject({
      name: 'invoke_workflow summarize',
      kind: 1,
      startTimeUnixNano: '1700000000000000000',
      endTimeUnixNano: '1700000000500000000',
    });
    expect(chat).toMatchObject({
      name: 'chat gpt-5.6-luna',
      kind: 3,
      traceId: invoked?.['traceId'],
      parentSpanId: invoked?.['spanId'],
      startTimeUnixNano: '1700000000001000000',
      status: { code: 2, message: 'too slow' },
    });
    expect(chat?.['attributes']).toContainEqual({
      key: 'gen_ai.usage.input_tokens',
      value: { intValue: '120' },
    });
    expect(invoked?.['traceId']).toMatch(/^[0-9a-f]{32}$/);
  });

  it('keeps nothing of traces that are not sampled, and everything of one that is', async () => {
    const { url, received } = await collector();
    const settings = otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_TRACES_SAMPLER: 'always_off' });
    if (settings === null) throw new Error('the settings are off');
    const exporter = createOtlpExporter(settings, systemClock, pino({ level: 'silent' }));
    exporter.tracer.startSpan('a').end();
    await exporter.close();
    expect(received).toEqual([]);
  });

  it('says once that the collector cannot be reached, and goes on', async () => {
    const { url } = await collector(503);
    const lines: string[] = [];
    const settings = otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_MAX_QUEUE_SIZE: '2' });
    if (settings === null) throw new Error('the settings are off');
    const exporter = createOtlpExporter(
      settings,
      systemClock,
      pino({}, { write: (line: string) => lines.push(line) }),
    );
    for (let index = 0; index < 5; index += 1) exporter.tracer.startSpan('a').end();
    await exporter.flush();
    exporter.tracer.startSpan('a').end();
    await exporter.flush();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('the collector answers 503');
  });
});
