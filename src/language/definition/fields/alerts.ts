// `alerts:`: where alerts go, by name, and the cost reports that go with them.
import { keepMemberPlaces } from '../located.ts';
import type { Reader } from '../reader.ts';
import type { AlertSinkDefinition, AlertTarget, AlertTopic, NamedOrWritten } from '../types.ts';
import type { DocumentNode } from '../../document/types.ts';
import { timeZone } from './budgets.ts';
import type { Kind } from './kind.ts';
import { scalar, show } from './kind.ts';
import { secret } from './providers.ts';
import { listOf, mapped, oneOrMore, optional, record, required } from './record.ts';
import type { RecordValue } from './record.ts';
import { choice } from './scalars.ts';
import { duration, rate } from './units.ts';

/** What alerts are about, as sinks choose among them. */
const TOPICS = [
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
] as const satisfies readonly AlertTopic[];

const ADDRESS = /^[^\s@<>,;"]+@[^\s@<>,;"]+$/;

/** A secret's name, or an address that holds none. */
function secretOr(scheme: RegExp, example: string): Kind<NamedOrWritten> {
  return {
    label: `\`\${{ secrets.NAME }}\`, or an address without a secret, such as \`${example}\``,
    schema: () => ({ type: 'string', minLength: 1 }),
    read(node, reader) {
      const text = node.kind === 'scalar' && typeof node.value === 'string' ? node.value.trim() : '';
      if (text.startsWith('${{')) {
        const named = secret.read(node, reader);
        return named && { kind: 'secret', name: named.name };
      }
      const url = scheme.test(text) ? URL.parse(text) : null;
      if (url !== null && url.hostname !== '') return { kind: 'text', text };
      reader.report(
        'invalid-value',
        node.at,
        `${show(node)} is no address that a sink can have.`,
        `Write \`\${{ secrets.NAME }}\` and set the environment variable NAME, or an address without a secret, such as \`${example}\`.`,
      );
      return undefined;
    },
  };
}

const onlySecret: Kind<NamedOrWritten> = mapped(secret, ({ name }) => ({ kind: 'secret' as const, name }));

const address: Kind<string> = scalar({
  label: 'e-mail address',
  noun: 'an e-mail address',
  schema: { type: 'string', pattern: ADDRESS.source },
  remedy: 'Write an address alone: `cfo@example.com`.',
  parse: ({ value }) =>
    typeof value === 'string' && ADDRESS.test(value) && value.length <= 254 ? value : undefined,
});

const report = mapped(
  record(
    {
      name: 'Report',
      noun: 'A report',
      summary: 'What was spent in a whole day or week, with what was spent in the one before.',
      inPlace: (text) => (text === 'day' || text === 'week' ? `{ every: ${text} }` : undefined),
    },
    {
      every: required(
        choice('day', 'week'),
        'How often; a week begins on Monday. It is sent when the day or week is over.',
      ),
      by: optional(
        choice('team', 'task', 'caller', 'provider', 'model'),
        'What the costs are listed by.',
        '`team`',
      ),
      timeZone: optional(timeZone, 'Whose midnight ends the day.', '`UTC`'),
    },
  ),
  ({ every, by, timeZone: zone, at }, node) => keepMemberPlaces({ every, by, timeZone: zone, at }, node),
);

const sinkRecord = record(
  {
    name: 'AlertSink',
    noun: 'A sink of alerts',
    summary:
      'Where alerts go. It has one of `webhook`, `slack`, `email` and `pagerduty`. Each alert that it takes is delivered at least once, also over restarts.',
    inPlace: (text) => (/^https?:/.test(text) ? `{ webhook: ${text} }` : undefined),
  },
  {
    webhook: optional(
      secretOr(/^https?:\/\//, 'https://hooks.example.com/headgate'),
      'An address that alerts are posted to, as JSON.',
      'another of the four',
    ),
    slack: optional(
      onlySecret,
      'The address of an incoming webhook of Slack, which is a secret.',
      'another of the four',
    ),
    email: optional(
      oneOrMore(address, { noun: 'addresses', most: 50 }),
      'Who gets them by e-mail. Needs `smtp`.',
      'another of the four',
    ),
    pagerduty: optional(
      onlySecret,
      'The integration key of a service of PagerDuty (Events API v2).',
      'another of the four',
    ),
    secret: optional(
      onlySecret,
      'With `webhook`: what each request is signed with, as Standard Webhooks says.',
      'requests are not signed',
    ),
    smtp: optional(
      secretOr(/^smtps?:\/\//, 'smtp://relay.example.com:25'),
      'With `email`: the server that takes the mail, `smtps://user:password@host:465`.',
      'needed with `email`',
    ),
    sender: optional(address, 'With `email`: whom it comes from.', 'the first of `email`'),
    endpoint: optional(
      secretOr(/^https?:\/\//, 'https://events.eu.pagerduty.com/v2/enqueue'),
      'With `pagerduty`: another address of the Events API.',
      '`https://events.pagerduty.com/v2/enqueue`',
    ),
    kinds: optional(
      listOf(choice(...TOPICS), { noun: 'kinds of alerts', least: 1, example: 'budget, pause' }),
      'What it hears of.',
      'everything',
    ),
    from: optional(
      choice('info', 'warning', 'critical'),
      'The least severity that it hears of.',
      '`info`; with `pagerduty`, `critical`',
    ),
    dedupe: optional(
      duration({ most: 7 * 86_400_000 }),
      'The same kind about the same thing is not told again for so long.',
      '`1h`',
    ),
    rate: optional(
      rate,
      'The most messages that it gets; what goes beyond waits and comes together, as a digest.',
      '`20/h`',
    ),
    report: optional(report, 'A report of what was spent.', 'none'),
  },
);

type Read = RecordValue<(typeof sinkRecord)['fields']>;

export const alertSink: Kind<Omit<AlertSinkDefinition, 'name'>> = mapped(sinkRecord, (read, node, reader) => {
  const target = targetOf(read, node, reader);
  if (target === undefined) return undefined;
  const { kinds, from, dedupe, rate: most, report: spent, at } = read;
  if (spent !== null && target.kind === 'pagerduty') {
    reader.report(
      'conflicting-keys',
      at,
      '`report` is nothing to wake anybody for.',
      'Send it to another sink.',
    );
    return undefined;
  }
  return keepMemberPlaces({ at, target, kinds, from, dedupeMs: dedupe, rate: most, report: spent }, node);
});

/** Which keys go with which of the four. */
const COMPANIONS = { secret: 'webhook', smtp: 'email', sender: 'email', endpoint: 'pagerduty' } as const;

function targetOf(read: Read, node: DocumentNode, reader: Reader): AlertTarget | undefined {
  const written = (['webhook', 'slack', 'email', 'pagerduty'] as const).filter((key) => read[key] !== null);
  const keys = node.kind === 'map' ? node.entries.map(({ key }) => key) : [];
  const [kind] = written;
  if (kind === undefined) {
    // One that is written and wrong has been told already.
    if (!keys.some((key) => ['webhook', 'slack', 'email', 'pagerduty'].includes(key)))
      reader.report(
        'missing-key',
        read.at,
        'A sink of alerts needs `webhook`, `slack`, `email` or `pagerduty`.',
        'Say where it leads: `webhook: ${{ secrets.HOOK_URL }}`.',
      );
    return undefined;
  }
  if (written.length > 1) {
    reader.report(
      'conflicting-keys',
      read.at,
      `${written.map((key) => `\`${key}\``).join(' and ')} both say where it leads.`,
      'Make a sink of each.',
    );
    return undefined;
  }
  for (const [key, owner] of Object.entries(COMPANIONS))
    if (read[key as keyof typeof COMPANIONS] !== null && owner !== kind) {
      reader.report(
        'conflicting-keys',
        read.at,
        `\`${key}\` means nothing without \`${owner}\`.`,
        `Remove it.`,
      );
      return undefined;
    }
  const { webhook, slack, email, pagerduty, secret: signed, smtp, sender, endpoint } = read;
  if (webhook !== null) return { kind: 'webhook', url: webhook, secret: signed };
  if (slack !== null) return { kind: 'slack', url: slack };
  if (pagerduty !== null) return { kind: 'pagerduty', key: pagerduty, endpoint };
  if (email === null) return undefined;
  if (smtp === null) {
    if (!keys.includes('smtp'))
      reader.report(
        'missing-key',
        read.at,
        '`email` needs `smtp`: the server that takes the mail.',
        'Add `smtp: ${{ secrets.SMTP_URL }}`, and set it to `smtps://user:password@host:465`.',
      );
    return undefined;
  }
  return { kind: 'email', to: email, smtp, sender };
}
