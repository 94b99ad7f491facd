// An exchanger over HTTP: what the adapters share in passing clients' own bodies on, from the headers to the outcome.
import type { Clock } from '../../../common/clock.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { ClientProtocol, ExchangeContext, ExchangeRequest } from '../exchange-port.ts';
import type { CallOutcome, ErrorClass } from '../port.ts';
import { CallReport } from './call-report.ts';
import type { Lesson, ReportedProvider } from './call-report.ts';
import type { Pool, WireTarget } from './http-pool.ts';
import type { AnswerReader } from './reading.ts';
import type { Redactor } from './redact.ts';
import { headOf, relay } from './relay.ts';
import type { Credentials } from './remote.ts';
import { RefusedByProvider } from './sdk-request.ts';
import type { SdkRequests, SdkTarget } from './sdk-request.ts';

/** The part of an exchange that a vendor's folder knows. */
export interface ExchangeProtocol {
  readonly speaks: readonly ClientProtocol[];
  /** Below the base URL: `/chat/completions`. */
  path(protocol: ClientProtocol): string;
  /** The body as it is sent: the model's name replaced, and no more than has to be. */
  body(request: ExchangeRequest): string;
  /** The client did not ask for the event with the usage, and was given it all the same. */
  hidesUsage(request: ExchangeRequest): boolean;
  reader(protocol: ClientProtocol): AnswerReader;
  /** How the key is sent to a server that is told the client's version of the protocol; left out: as the SDK does. */
  keyHeaders?(headers: { readonly [name: string]: string }, key: string): { readonly [name: string]: string };
}

export interface ExchangeParts {
  readonly reported: ReportedProvider;
  readonly protocol: ExchangeProtocol;
  /** Puts together the address, the key and the headers that the provider was given. */
  readonly requests: Pick<SdkRequests, 'target'>;
  readonly pool: Pool;
  readonly clock: Clock;
}

/** Faults of the request itself, which a client of the protocol knows how to read. */
const OF_THE_REQUEST: ReadonlySet<ErrorClass> = new Set([
  'invalid_request',
  'context_length',
  'content_filter',
]);

/** What repairs the requests of steps does not touch the bodies of clients. */
const NOTHING_LEARNT: Lesson = { learnt: false, remedy: null };

export async function exchange(
  { reported, protocol, requests, pool, clock }: ExchangeParts,
  request: ExchangeRequest,
  { credentials, redactor }: { readonly credentials: Credentials; readonly redactor: Redactor },
  context: ExchangeContext,
): Promise<CallOutcome> {
  const { signal, receiver } = context;
  const reader = protocol.reader(request.protocol);
  const report = new CallReport(reported, redactor, reader.reading, () => clock.nowMs());
  if (signal.aborted) return fail(report.abandoned(signal));
  try {
    const { stream } = request;
    const known = requests.target(
      protocol.path(request.protocol),
      { model: request.model },
      { stream, credentials },
    );
    const sdkTarget = known instanceof Promise ? await known : known;
    const target = targetOf(sdkTarget, protocol, request, credentials.key);
    const response = await pool.post(target, protocol.body(request), {
      signal,
      async beforeSend() {
        await context.beforeSend?.();
        signal.throwIfAborted();
        report.sent = true;
      },
    });
    if (response.status < 200 || response.status >= 300) {
      const text = await response.text().catch(() => '');
      const error = report.thrown(new RefusedByProvider(response, text), () => NOTHING_LEARNT);
      if (OF_THE_REQUEST.has(error.class)) receiver.refused(headOf(response), redactor.exact(text));
      return fail(error);
    }
    report.response = response;
    context.onProgress?.('headers');
    const hidesUsage = protocol.hidesUsage(request);
    const end = await relay({ response, reader, context, stream, hidesUsage, clock });
    if (signal.aborted && end.kind !== 'complete') return fail(report.abandoned(signal));
    // What a provider withheld, it says to the client itself.
    reader.reading.blocked = null;
    const lost = report.lost(end, response, () => NOTHING_LEARNT);
    if (lost !== undefined) return fail(lost);
    const notes = end.kind === 'complete' ? end.notes : [];
    const text = reader.reading.usage === null ? reader.reading.text : '';
    return succeed(report.answer(response, { requestedModel: request.model, text, json: [], notes }));
  } catch (error) {
    if (signal.aborted) return fail(report.abandoned(signal));
    return fail(report.thrown(error, () => NOTHING_LEARNT));
  }
}

/** The client's headers, and over them the provider's own: its key, and what the workflows say. */
function targetOf(
  { origin, path, own }: SdkTarget,
  protocol: ExchangeProtocol,
  request: ExchangeRequest,
  key: string | null,
): WireTarget {
  const headers: { [name: string]: string } = { ...request.headers };
  for (const [name, value] of own)
    if (!(name === 'anthropic-version' && headers[name] !== undefined)) headers[name] = value;
  headers['content-type'] = 'application/json';
  headers['accept-encoding'] = 'identity';
  const sent = key === null ? headers : (protocol.keyHeaders?.(headers, key) ?? headers);
  const query = request.search.replace(/^\?/, '');
  return {
    origin,
    path: query === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${query}`,
    headers: Object.entries(sent).flat(),
  };
}
