// Messages as each sink gets them, over loopback: signed webhooks, Slack's blocks, PagerDuty's events and mail.
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AlertRecord } from '../../../src/engine/execution/recorder.ts';
import type { AlertTarget, PlanAlertSink } from '../../../src/language/plan/types.ts';
import { alertMessage, TOPIC_OF } from '../../../src/server/alerts/message.ts';
import { createSend } from '../../../src/server/alerts/send.ts';
import { httpSink, smtpSink } from './sinks.ts';

const AT_MS = Date.UTC(2026, 10, 28, 9);
const paused: AlertRecord = {
  id: 'alr_1',
  kind: 'paused',
  severity: 'critical',
  message: 'Spending of all is paused by ana: <a loop> & more',
  remedy: 'Resume it.',
  scope: 'all',
  atMs: AT_MS,
  runId: null,
  details: { by: 'ana' },
};
const message = alertMessage([paused], AT_MS);

const sinkOf = (target: AlertTarget): PlanAlertSink => ({
  name: 'ops',
  target,
  kinds: null,
  from: 'info',
  dedupeMs: 0,
  rate: { amount: 1, perMs: 1 },
  report: null,
});
const secret = (name: string) => ({ kind: 'secret' as const, name });
const sendWith = (env: { readonly [name: string]: string }) => createSend(env, () => AT_MS);

describe('a webhook', () => {
  it('gets JSON that is signed as Standard Webhooks says', async () => {
    const hook = await httpSink();
    const key = Buffer.from('a key of some length');
    const env = { URL: hook.url, KEY: `whsec_${key.toString('base64')}` };
    await sendWith(env)(sinkOf({ kind: 'webhook', url: secret('URL'), secret: secret('KEY') }), message);
    const [{ headers, text } = { headers: {}, text: '' }] = hook.posted;
    expect(JSON.parse(text)).toMatchObject({
      id: message.id,
      type: 'alerts',
      at: '2026-11-28T09:00:00Z',
      total: 1,
      alerts: [
        { id: 'alr_1', kind: 'paused', severity: 'critical', scope: 'all', at: '2026-11-28T09:00:00Z' },
      ],
    });
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${text}`;
    expect(headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
    );
  });

  it.each([
    [503, 'it answered 503'],
    [302, 'it answered 302'],
    [404, 'it answered 404'],
  ])('that answers %d did not take it', async (status, said) => {
    const hook = await httpSink(status);
    const sent = sendWith({ URL: hook.url })(
      sinkOf({ kind: 'webhook', url: secret('URL'), secret: null }),
      message,
    );
    await expect(sent).rejects.toMatchObject({ code: 'ALERT_NOT_DELIVERED' });
    await expect(sent).rejects.toThrow(said);
  });

  it('INV-9: no error says its secret, be it unset, unreachable or no address', async () => {
    for (const url of ['http://127.0.0.1:1/T000/very-secret-path', 'very-secret-path']) {
      const sent = sendWith({ URL: url })(sinkOf({ kind: 'slack', url: secret('URL') }), message);
      const error = await sent.then(
        () => undefined,
        (thrown: unknown) => thrown as Error,
      );
      expect(error?.message).toMatch(/The sink "ops"/);
      expect(JSON.stringify([error?.message, error?.stack])).not.toContain('very-secret-path');
    }
    await expect(sendWith({})(sinkOf({ kind: 'slack', url: secret('URL') }), message)).rejects.toThrow(
      'URL is not set',
    );
  });
});

describe('the others', () => {
  it('Slack gets a text and blocks, escaped as it asks', async () => {
    const hook = await httpSink();
    await sendWith({ URL: hook.url })(sinkOf({ kind: 'slack', url: secret('URL') }), message);
    const body = JSON.parse(hook.posted[0]?.text ?? '') as {
      text: string;
      blocks: { text: { text: string } }[];
    };
    expect(body.text).toBe('critical: Spending of all is paused by ana: &lt;a loop&gt; &amp; more');
    expect(body.blocks[1]?.text.text).toContain('Resume it.');
  });

  it('PagerDuty gets an event that the end of the pause resolves', async () => {
    const hook = await httpSink();
    const sink = sinkOf({
      kind: 'pagerduty',
      key: secret('KEY'),
      endpoint: { kind: 'text', text: hook.url },
    });
    await sendWith({ KEY: 'routing-key' })(sink, message);
    await sendWith({ KEY: 'routing-key' })(sink, alertMessage([{ ...paused, kind: 'resumed' }], AT_MS));
    const [trigger, resolve] = hook.posted.map(({ text }) => JSON.parse(text) as Record<string, unknown>);
    expect(trigger).toMatchObject({
      routing_key: 'routing-key',
      event_action: 'trigger',
      payload: { severity: 'critical', component: 'all', class: 'paused' },
    });
    expect(resolve).toEqual({
      routing_key: 'routing-key',
      event_action: 'resolve',
      dedup_key: trigger?.['dedup_key'],
    });
  });

  it('mail goes to everybody named, with what to do in it', async () => {
    const { url, mails } = await smtpSink();
    const target: AlertTarget = {
      kind: 'email',
      to: ['cfo@example.com', 'ops@example.com'],
      smtp: secret('SMTP'),
      sender: 'headgate@example.com',
    };
    await sendWith({ SMTP: url })(sinkOf(target), message);
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatchObject({
      from: 'headgate@example.com',
      to: ['cfo@example.com', 'ops@example.com'],
    });
    expect(mails[0]?.text).toContain('Resume it.');
    expect(mails[0]?.text).toMatch(/^Subject: critical: Spending of all is paused/m);
  });
});

it('every kind of alert belongs to a topic that a sink can choose', () => {
  expect(new Set(Object.values(TOPIC_OF))).toEqual(
    new Set([
      'budget',
      'forecast',
      'surge',
      'loop',
      'pause',
      'circuit',
      'revision',
      'prices',
      'unreconciled',
      'usage',
      'ledger',
      'run',
    ]),
  );
});
