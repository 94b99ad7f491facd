// What people and machines that run the server see: health, metrics, logs, traces, masked errors.
import { SpanStatusCode } from '@opentelemetry/api';
import type { Attributes, Span, SpanOptions, Tracer } from '@opentelemetry/api';
import { pino } from 'pino';
import type { Logger } from 'pino';
import { describe, expect, it } from 'vitest';
import { servicesOf } from '../../src/serve.ts';
import { traceRuns } from '../../src/server/observe/traces.ts';
import { makeAttempt, makeRun, makeStep } from '../support/ledger-records.ts';
import { openRealApp, serveReal as serve, sharedApp, codeOf, post } from './real.ts';

const RUN = {
  query:
    'mutation { runTask(task: { summarize: { text: "the secret text" } }) { ... on Run { id } ... on Refusal { code } } }',
};

/** A log that is kept, line by line. */
function memoryLog(): {
  readonly log: Logger;
  readonly lines: () => readonly Record<string, unknown>[];
} {
  const lines: string[] = [];
  return {
    log: pino({ base: null, timestamp: false }, { write: (line: string) => lines.push(line) }),
    lines: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

/** Every run fails in the engine itself, which no provider's answer can bring about. */
async function serveFailing(log: Logger, error: Error): Promise<Awaited<ReturnType<typeof serve>>> {
  const services = await servicesOf((await sharedApp()).app);
  const engine = { ...services.engine, run: () => Promise.reject(error) };
  return serve({ log, services: { ...services, engine } });
}

describe('health', () => {
  it('/health/live answers while the process does', async () => {
    const { base } = await serve();
    const response = await fetch(`${base}/health/live`);
    expect([response.status, await response.json()]).toEqual([200, { status: 'live' }]);
  });

  it('/health/ready names the revision, the problems of a refused one, and how the ledger does', async () => {
    const { base, app, files } = await serve({}, await openRealApp());
    const ready = await fetch(`${base}/health/ready`);
    expect([ready.status, await ready.json()]).toMatchObject([
      200,
      {
        status: 'ready',
        revision: { hash: app.revisions.active().plan.hash },
        problems: [],
        ledger: { ok: true },
        running: 0,
        paused: [],
      },
    ]);
    const good = files.get('summarize.yaml') ?? '';
    files.set('summarize.yaml', good.replace('maxOutputTokens', 'maxOutputToken'));
    await app.revisions.reload();
    const refused = await fetch(`${base}/health/ready`);
    expect([refused.status, await refused.json()]).toMatchObject([
      200,
      {
        status: 'ready',
        revision: { hash: app.revisions.active().plan.hash },
        problems: [{ code: 'unknown-key', severity: 'error', file: 'summarize.yaml', line: 8 }],
      },
    ]);
  });

  it('/health/ready is 503 while the ledger cannot be used', async () => {
    const { base } = await serve({ ledgerHealth: () => Promise.resolve({ ok: false, detail: 'disk full' }) });
    const response = await fetch(`${base}/health/ready`);
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { status: 'unready', ledger: { ok: false, detail: 'disk full' } },
    ]);
  });

  it('is asked with GET, and there is nothing elsewhere', async () => {
    const { base } = await serve();
    expect((await fetch(`${base}/health/live`, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${base}/elsewhere`)).status).toBe(404);
    expect((await fetch(`${base}/graphql/elsewhere`)).status).toBe(404);
  });
});

describe('metrics', () => {
  it('count what was written', async () => {
    const { base, url } = await serve({}, await openRealApp());
    await post(url, RUN);
    await post(url, RUN);
    const response = await fetch(`${base}/metrics`);
    const text = await response.text();
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(text).toContain('headgate_runs_total{team="",task="summarize",status="succeeded"} 2');
    expect(text).toContain(
      'headgate_attempts_total{provider="up",model="small",status="succeeded",error_class=""} 2',
    );
    expect(text).toContain(
      'headgate_cost_usd_total{team="",task="summarize",provider="up",model="small"} 0.000003',
    );
    expect(text).toContain('headgate_tokens_total{provider="up",model="small",direction="input"} 240');
    expect(text).toContain('headgate_circuit_open{provider="up",model="small"} 0');
    expect(text).toContain('headgate_http_requests_total{path="/graphql",status="200"} 2');
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
  });

  it('are for keys that may read statistics', async () => {
    const { base, keys } = await serve({}, await openRealApp());
    const make = async (scopes: readonly string[]) =>
      (
        await keys.create({
          caller: 'x',
          team: null,
          tier: null,
          tags: {},
          scopes,
          expiresAtMs: null,
          requestsPerMinute: null,
        })
      ).secret;
    const ask = async (headers: Record<string, string>) =>
      (await fetch(`${base}/metrics`, { headers })).status;
    const [runner, reader] = [await make(['run:*']), await make(['read:stats'])];
    expect(await ask({})).toBe(401);
    expect(await ask({ authorization: `Bearer ${runner}` })).toBe(403);
    expect(await ask({ authorization: `Bearer ${reader}` })).toBe(200);
  });
});

describe('the log', () => {
  it('has one line per run, without what was said in it (INV-9)', async () => {
    const { log, lines } = memoryLog();
    const { url, app } = await serve({ log });
    const { data } = await post(url, RUN);
    expect(lines().filter(({ msg }) => msg === 'run')).toEqual([
      {
        level: 30,
        runId: data.runTask.id,
        task: 'summarize',
        status: 'succeeded',
        caller: 'local',
        costUsd: '0.0000015',
        latencyMs: expect.any(Number) as number,
        model: 'up/small',
        attempts: 1,
        inputTokens: expect.any(Number) as number,
        outputTokens: expect.any(Number) as number,
        revision: app.revisions.active().plan.hash.slice(0, 12),
        msg: 'run',
      },
    ]);
    expect(JSON.stringify(lines())).not.toContain('secret text');
  });

  it('has the error that a client was only given an id of', async () => {
    const { log, lines } = memoryLog();
    const { url } = await serveFailing(log, new Error('boom at /srv/x'));
    const answer = await post(url, RUN);
    expect(codeOf(answer)).toBe('INTERNAL_SERVER_ERROR');
    expect(answer.errors[0]?.message).toBe('Unexpected error.');
    expect(JSON.stringify(answer.errors)).not.toContain('boom');
    const { errorId } = answer.errors[0]?.extensions ?? {};
    expect(lines().find((line) => line['errorId'] === errorId)).toMatchObject({
      msg: 'unexpected error',
      err: { message: 'boom at /srv/x' },
    });
  });

  it("has a ledger's failure to its last word, of which the client is told the kind alone", async () => {
    const { HeadgateError } = await import('../../src/errors/headgate-error.ts');
    const { LedgerUnavailable } = await import('../../src/errors/ledger-unavailable.ts');
    const { log, lines } = memoryLog();
    const cause = new HeadgateError('DISK_FULL', 'SQLITE_FULL at /srv/data', 'Make room.');
    const { url } = await serveFailing(
      log,
      new LedgerUnavailable('SQLITE_FULL at /srv/data', 'Make room.', { cause }),
    );
    const answer = await post(url, RUN);
    expect(answer.errors[0]).toMatchObject({
      message: 'The ledger is unavailable: its disk is full.',
      extensions: { code: 'LEDGER_UNAVAILABLE' },
    });
    expect(JSON.stringify(answer.errors)).not.toMatch(/SQLITE|srv/);
    const { errorId } = answer.errors[0]?.extensions ?? {};
    expect(lines().find((line) => line['errorId'] === errorId)).toMatchObject({
      err: { message: expect.stringContaining('SQLITE_FULL at /srv/data') as string },
    });
  });
});

interface KeptSpan {
  readonly name: string;
  readonly attributes: Attributes;
  status?: SpanStatusCode;
  readonly startMs: number;
  endMs?: number;
}

/** A tracer that keeps its spans; the parts of the interface that are not used here do nothing. */
function memoryTracer(): { readonly tracer: Tracer; readonly spans: KeptSpan[] } {
  const spans: KeptSpan[] = [];
  const startSpan = (name: string, options: SpanOptions = {}): Span => {
    const kept: KeptSpan = {
      name,
      attributes: { ...options.attributes },
      startMs: options.startTime as number,
    };
    spans.push(kept);
    const span: Pick<
      Span,
      'isRecording' | 'setAttribute' | 'setAttributes' | 'setStatus' | 'end' | 'spanContext'
    > = {
      isRecording: () => true,
      spanContext: () => ({ traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1 }),
      setAttribute(key, value) {
        kept.attributes[key] = value;
        return this as Span;
      },
      setAttributes(attributes) {
        Object.assign(kept.attributes, attributes);
        return this as Span;
      },
      setStatus({ code }) {
        kept.status = code;
        return this as Span;
      },
      end(at) {
        kept.endMs = at as number;
      },
    };
    return span as Span;
  };
  return { tracer: { startSpan, startActiveSpan: () => undefined as never }, spans };
}

describe('traces', () => {
  it('have a span per run, step and attempt, by the conventions for generative AI', async () => {
    const { ledger } = (await sharedApp()).app;
    const { tracer, spans } = memoryTracer();
    const stop = traceRuns(ledger, tracer);
    const run = makeRun('run_1', { startedAtMs: 1000 });
    const tried = makeAttempt('att_1', run, { startedAtMs: 1001, inputTokens: 120, outputTokens: 30 });
    await ledger.openRun(run);
    await ledger.openAttempt(tried);
    const error = {
      code: 'TIMEOUT',
      message: 'm',
      remedy: 'r',
      retryAfterMs: null,
      step: 'main',
      details: {},
    };
    await ledger.closeAttempt(
      {
        ...tried,
        status: 'failed',
        errorClass: 'timeout',
        costNanoUsd: 5n,
        finishedAtMs: 1500,
        requestId: 'req_1',
      },
      null,
    );
    await ledger.recordStep(
      makeStep(run.id, 'main', {
        status: 'failed',
        startedAtMs: 1000,
        finishedAtMs: 1500,
        output: null,
        error,
      }),
    );
    await ledger.finishRun({ ...run, status: 'failed', error, finishedAtMs: 1501, costNanoUsd: 5n });
    stop();
    expect(spans.map(({ name, startMs, endMs, status }) => [name, startMs, endMs, status])).toEqual([
      ['invoke_workflow summarize', 1000, 1501, SpanStatusCode.ERROR],
      ['chat gpt-5.6-luna', 1001, 1500, SpanStatusCode.ERROR],
      ['step main', 1000, 1500, SpanStatusCode.ERROR],
    ]);
    expect(spans[1]?.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-5.6-luna',
      'gen_ai.response.id': 'req_1',
      'gen_ai.usage.input_tokens': 120,
      'gen_ai.usage.output_tokens': 30,
      'error.type': 'timeout',
    });
    expect(spans[0]?.attributes).toMatchObject({
      'gen_ai.workflow.name': 'summarize',
      'headgate.run.id': run.id,
      'headgate.cost.usd': '0.000000005',
    });
  });

  it('cost nothing to speak of where no SDK is registered', async () => {
    const { ledger } = (await sharedApp()).app;
    const stop = traceRuns(ledger);
    await ledger.openRun(makeRun('run_2'));
    expect(await ledger.run('run_2')).toMatchObject({ status: 'running' });
    stop();
  });
});
