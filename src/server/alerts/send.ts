// Sends one message to one sink. Secrets are read here, at the sending, and stand in no error (INV-9).
import { createHmac } from 'node:crypto';
import { EnvHttpProxyAgent, request } from 'undici';
import { HeadgateError } from '../../errors/headgate-error.ts';
import type { AlertTarget, NamedOrWritten, PlanAlertSink } from '../../language/plan/types.ts';
import { messageJson, RANK, textOf, type Message } from './message.ts';

export type Env = { readonly [name: string]: string | undefined };
export type Send = (sink: PlanAlertSink, message: Message) => Promise<void>;

/** A sink did not take a message. `retryAfterMs`: as it asks for; null: it does not say. */
export class SinkFailed extends HeadgateError {
  readonly retryAfterMs: number | null;
  constructor(sink: string, why: string, remedy: string, retryAfterMs: number | null = null) {
    super('ALERT_NOT_DELIVERED', `The sink "${sink}" did not take the message: ${why}`, remedy);
    this.retryAfterMs = retryAfterMs;
  }
}

const TIMEOUT_MS = 10_000;
const PAGERDUTY = 'https://events.pagerduty.com/v2/enqueue';

/** `nowMs`: for signatures. */
export function createSend(env: Env, nowMs: () => number): Send {
  return async (sink, message) => {
    const used: string[] = [];
    const read = (value: NamedOrWritten): string => {
      if (value.kind === 'text') return value.text;
      const found = env[value.name];
      if (found === undefined || found === '')
        throw new SinkFailed(
          sink.name,
          `${value.name} is not set`,
          `Set the environment variable ${value.name}.`,
        );
      used.push(found);
      return found;
    };
    try {
      await sendTo(sink, message, read, nowMs());
    } catch (error) {
      if (error instanceof SinkFailed) throw error;
      throw new SinkFailed(
        sink.name,
        withoutSecrets(error instanceof Error ? reason(error) : 'unknown', used),
        'Look at its address and at what listens there; it is tried again.',
      );
    }
  };
}

/** What a failed connection says is in its cause. */
function reason(error: Error): string {
  const { code } = error as { readonly code?: unknown };
  return error.message === '' && typeof code === 'string' ? code : error.message;
}

/** A secret address and each longer part of it, such as the password in it. */
function withoutSecrets(text: string, used: readonly string[]): string {
  const parts = used
    .flatMap((secret) => [secret, ...secret.split(/[/:@?&=]+/)])
    .filter((part) => part.length >= 6);
  return parts
    .toSorted((a, b) => b.length - a.length)
    .reduce((rest, part) => rest.replaceAll(part, '[redacted]'), text);
}

type Read = (value: NamedOrWritten) => string;

async function sendTo(sink: PlanAlertSink, message: Message, read: Read, nowMs: number): Promise<void> {
  const { target } = sink;
  switch (target.kind) {
    case 'webhook': {
      const body = messageJson(message);
      const secret = target.secret === null ? null : read(target.secret);
      return post(
        sink,
        read(target.url),
        body,
        secret === null ? {} : signature(message.id, body, secret, nowMs),
      );
    }
    case 'slack':
      return post(sink, read(target.url), JSON.stringify(slackBody(message)));
    case 'pagerduty': {
      const url = target.endpoint === null ? PAGERDUTY : read(target.endpoint);
      for (const event of pagerdutyEvents(message, read(target.key)))
        await post(sink, url, JSON.stringify(event));
      return;
    }
    case 'email':
      return mail(target, message, read);
  }
}

/** Standard Webhooks: `v1,` and the HMAC of id, time and body; a secret `whsec_…` is base64. */
function signature(
  id: string,
  body: string,
  secret: string,
  nowMs: number,
): { readonly [header: string]: string } {
  const timestamp = String(Math.floor(nowMs / 1000));
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
  const signed = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signed}` };
}

let dispatcher: EnvHttpProxyAgent | undefined;

async function post(
  sink: PlanAlertSink,
  url: string,
  body: string,
  headers: { readonly [header: string]: string } = {},
): Promise<void> {
  dispatcher ??= new EnvHttpProxyAgent();
  const response = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'headgate', ...headers },
    body,
    dispatcher,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  // Its own words may repeat what it was sent: they are not read.
  await response.body.dump({ limit: 65_536 });
  const { statusCode } = response;
  if (statusCode >= 200 && statusCode < 300) return;
  throw new SinkFailed(
    sink.name,
    `it answered ${statusCode}`,
    remedyFor(statusCode),
    retryAfter(response.headers),
  );
}

function remedyFor(status: number): string {
  if (status === 429 || status >= 500) return 'It is tried again by itself.';
  return status >= 300 && status < 400
    ? 'It leads elsewhere: write the address that it leads to.'
    : 'Look at its address and its secret; it is tried again.';
}

function retryAfter(headers: { readonly [name: string]: string | string[] | undefined }): number | null {
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : null;
}

/** `text` is what a notification shows, and what clients without blocks do. */
function slackBody(message: Message): object {
  const { title, lines } = textOf(message);
  const escape = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').slice(0, 2900);
  const section = (text: string): object => ({ type: 'section', text: { type: 'mrkdwn', text } });
  return {
    text: escape(title),
    blocks: [
      section(`*${escape(title)}*`),
      ...(lines.length === 0 ? [] : [section(escape(lines.join('\n')))]),
    ],
  };
}

/** One event an alert, so that each can be resolved; what has ended resolves what it was. */
function pagerdutyEvents(message: Message, routingKey: string): readonly object[] {
  if (message.kind !== 'alerts') {
    const { title } = textOf(message);
    return [
      trigger(routingKey, `headgate:${message.kind}`, {
        summary: title,
        severity: 'info',
        source: 'headgate',
      }),
    ];
  }
  return message.alerts.map((alert) => {
    const ended =
      alert.kind === 'resumed' || (alert.kind === 'circuit' && alert.details['state'] === 'closed');
    const kind = alert.kind === 'resumed' ? 'paused' : alert.kind;
    const key = `headgate:${kind}:${alert.scope}`;
    if (ended) return { routing_key: routingKey, event_action: 'resolve', dedup_key: key };
    return trigger(routingKey, key, {
      summary: alert.message.slice(0, 1024),
      severity: alert.severity,
      source: 'headgate',
      timestamp: new Date(alert.atMs).toISOString(),
      component: alert.scope,
      class: alert.kind,
      custom_details: { remedy: alert.remedy, run: alert.runId, ...alert.details },
    });
  });
}

function trigger(routingKey: string, key: string, payload: object): object {
  return { routing_key: routingKey, event_action: 'trigger', dedup_key: key.slice(0, 255), payload };
}

async function mail(
  target: Extract<AlertTarget, { kind: 'email' }>,
  message: Message,
  read: Read,
): Promise<void> {
  // Most servers send no mail.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    url: read(target.smtp),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const { title, lines } = textOf(message);
  const urgent =
    message.kind === 'alerts' && message.alerts.some(({ severity }) => RANK[severity] >= RANK.critical);
  try {
    await transport.sendMail({
      from: { name: 'Headgate', address: target.sender ?? target.to[0] ?? '' },
      to: [...target.to],
      subject: title.slice(0, 200),
      text: [title, '', ...lines].join('\n'),
      messageId: `<${message.id}@headgate>`,
      ...(urgent ? { priority: 'high' as const } : {}),
    });
  } finally {
    transport.close();
  }
}
