// OTLP: spans sent to a collector as JSON over HTTP, switched on by OpenTelemetry's own environment variables.
import { randomBytes } from 'node:crypto';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import type {
  Attributes,
  AttributeValue,
  Context,
  Span,
  SpanContext,
  SpanOptions,
  SpanStatus,
  Tracer,
} from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { Clock } from '../../common/clock.ts';

/**
 * The official SDK is not a dependency: see docs/decisions/server-own-otlp-exporter.md. Where it is loaded all the same
 * (`node --import …`), spans go to it and this stays off. Format: https://opentelemetry.io/docs/specs/otlp/#otlphttp, JSON encoding.
 */
export interface OtlpSettings {
  /** `http://localhost:4318/v1/traces`. */
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly timeoutMs: number;
  readonly delayMs: number;
  readonly maxQueue: number;
  readonly maxBatch: number;
  readonly resource: Attributes;
  /** Share of the traces that are kept, 0 to 1. */
  readonly ratio: number;
}

type Env = { readonly [name: string]: string | undefined };

/** null: the variables do not ask for traces. */
export function otlpSettings(env: Env): OtlpSettings | null {
  if (env['OTEL_SDK_DISABLED'] === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none') return null;
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const url =
    env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ??
    (base === undefined ? undefined : `${base.replace(/\/$/, '')}/v1/traces`);
  if (url === undefined || !URL.canParse(url)) return null;
  return {
    url,
    headers: pairs(env['OTEL_EXPORTER_OTLP_TRACES_HEADERS'] ?? env['OTEL_EXPORTER_OTLP_HEADERS']),
    timeoutMs: wholeNumber(env['OTEL_EXPORTER_OTLP_TIMEOUT'], 10_000),
    delayMs: wholeNumber(env['OTEL_BSP_SCHEDULE_DELAY'], 5000),
    maxQueue: wholeNumber(env['OTEL_BSP_MAX_QUEUE_SIZE'], 2048),
    maxBatch: wholeNumber(env['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'], 512),
    resource: {
      ...pairs(env['OTEL_RESOURCE_ATTRIBUTES']),
      'service.name': env['OTEL_SERVICE_NAME'] ?? 'headgate',
    },
    ratio: ratioOf(env['OTEL_TRACES_SAMPLER'], env['OTEL_TRACES_SAMPLER_ARG']),
  };
}

/** `a=1,b=two%20words`, as the specification writes them. */
function pairs(text: string | undefined): { readonly [name: string]: string } {
  const found = (text ?? '').split(',').flatMap((pair) => {
    const at = pair.indexOf('=');
    return at <= 0
      ? []
      : [[pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())] as const];
  });
  return Object.fromEntries(found);
}

function wholeNumber(text: string | undefined, otherwise: number): number {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : otherwise;
}

function ratioOf(sampler: string | undefined, argument: string | undefined): number {
  if (sampler?.endsWith('always_off') === true) return 0;
  if (sampler?.endsWith('traceidratio') !== true) return 1;
  const ratio = Number(argument ?? '1');
  return Number.isFinite(ratio) ? Math.min(1, Math.max(0, ratio)) : 1;
}

const SAMPLED = 1;

class OtlpSpan implements Span {
  readonly #context: SpanContext;
  readonly #onEnd: (span: OtlpSpan) => void;
  readonly parentSpanId: string | undefined;
  readonly kind: number;
  readonly startMs: number;
  readonly attributes: Attributes;
  name: string;
  status: SpanStatus = { code: SpanStatusCode.UNSET };
  endMs: number | undefined;

  constructor(
    name: string,
    spanContext: SpanContext,
    parentSpanId: string | undefined,
    options: SpanOptions,
    nowMs: number,
    onEnd: (span: OtlpSpan) => void,
  ) {
    this.name = name;
    this.#context = spanContext;
    this.parentSpanId = parentSpanId;
    // The protocol counts kinds from 1, the API from 0.
    this.kind = (options.kind ?? 0) + 1;
    this.startMs = typeof options.startTime === 'number' ? options.startTime : nowMs;
    this.attributes = { ...options.attributes };
    this.#onEnd = onEnd;
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  setAttribute(key: string, value: AttributeValue): this {
    this.attributes[key] = value;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    Object.assign(this.attributes, attributes);
    return this;
  }

  setStatus(status: SpanStatus): this {
    this.status = status;
    return this;
  }

  updateName(name: string): this {
    this.name = name;
    return this;
  }

  end(endTime?: unknown): void {
    if (this.endMs !== undefined) return;
    this.endMs = typeof endTime === 'number' ? endTime : this.startMs;
    this.#onEnd(this);
  }

  isRecording(): boolean {
    return this.endMs === undefined;
  }

  // Events and links are not made here; the interface has them.
  addEvent(): this {
    return this;
  }

  addLink(): this {
    return this;
  }

  addLinks(): this {
    return this;
  }

  recordException(): void {}
}

export interface OtlpExporter {
  readonly tracer: Tracer;
  /** Sends what waits. Never rejects: a collector that is away is a line in the log. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export function createOtlpExporter(settings: OtlpSettings, clock: Clock, log: Logger): OtlpExporter {
  const waiting: OtlpSpan[] = [];
  let dropped = 0;
  let cancel: (() => void) | undefined;
  let failing = false;

  const onEnd = (span: OtlpSpan): void => {
    if (waiting.length >= settings.maxQueue) {
      dropped += 1;
      return;
    }
    waiting.push(span);
    if (waiting.length >= settings.maxBatch) void flush();
    else
      cancel ??= clock.after(settings.delayMs, () => {
        cancel = undefined;
        void flush();
      });
  };

  async function flush(): Promise<void> {
    cancel?.();
    cancel = undefined;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, settings.maxBatch);
      try {
        const response = await fetch(settings.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...settings.headers },
          body: JSON.stringify(requestOf(batch, settings.resource)),
          signal: AbortSignal.timeout(settings.timeoutMs),
        });
        await response.body?.cancel();
        if (!response.ok) throw new Error(`the collector answers ${response.status}`);
        failing = false;
      } catch (error) {
        // Told once per outage: traces are not worth a line per run.
        if (!failing)
          log.warn(
            { err: error, url: settings.url, dropped: dropped + batch.length },
            'traces cannot be sent',
          );
        failing = true;
        dropped = 0;
      }
    }
  }

  function startSpan(name: string, options: SpanOptions = {}, context?: Context): Span {
    const parent = context === undefined ? undefined : trace.getSpanContext(context);
    const traceId = parent?.traceId ?? randomBytes(16).toString('hex');
    if (!isSampled(traceId, settings.ratio))
      return trace.wrapSpanContext({ traceId, spanId: '0'.repeat(16), traceFlags: 0 });
    const own: SpanContext = { traceId, spanId: randomBytes(8).toString('hex'), traceFlags: SAMPLED };
    return new OtlpSpan(name, own, parent?.spanId, options, clock.nowMs(), onEnd);
  }

  return {
    // Nothing here starts active spans: events come from the ledger's commits, outside any call.
    tracer: { startSpan, startActiveSpan: () => undefined as never },
    flush,
    close: flush,
  };
}

/** The exporter that the environment asks for; null: it asks for none, or an SDK is loaded that has its own. */
export function startTraces(env: Env, clock: Clock, log: Logger): OtlpExporter | null {
  const settings = otlpSettings(env);
  const probe = trace.getTracer('headgate').startSpan('probe');
  const hasSdk = probe.isRecording();
  probe.end();
  return settings === null || hasSdk ? null : createOtlpExporter(settings, clock, log);
}

/** By the last 56 bits of the trace's id, so that all who sample alike keep the same traces. */
function isSampled(traceId: string, ratio: number): boolean {
  return ratio >= 1 || Number.parseInt(traceId.slice(-14), 16) < ratio * 2 ** 56;
}

function requestOf(spans: readonly OtlpSpan[], resource: Attributes): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributeList(resource) },
        scopeSpans: [{ scope: { name: 'headgate' }, spans: spans.map(spanJson) }],
      },
    ],
  };
}

function spanJson(span: OtlpSpan): object {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: nanoText(span.startMs),
    endTimeUnixNano: nanoText(span.endMs ?? span.startMs),
    attributes: attributeList(span.attributes),
    status: {
      code: span.status.code,
      ...(span.status.message === undefined ? {} : { message: span.status.message }),
    },
  };
}

/** Milliseconds with a fraction → nanoseconds as decimal text, which the protocol asks for. */
function nanoText(ms: number): string {
  const whole = Math.floor(ms);
  return (BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1_000_000))).toString();
}

function attributeList(attributes: Attributes): object[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: anyValue(value) }],
  );
}

function anyValue(value: AttributeValue): object {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'number':
      return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
    default:
      return { arrayValue: { values: (value as readonly AttributeValue[]).map(anyValue) } };
  }
}
