// Values with units, parsed once, here: `250ms`, `30s`, `$0.05`, `500/min`, `200k`, `50%`, `8x`.
import { parseUsd } from '../../../common/money.ts';
import type { NanoUsd } from '../../../common/money.ts';
import { formatDuration } from '../../../common/units.ts';
import type { DocumentNode, ScalarNode } from '../../document/types.ts';
import { limitWords } from './foreign-words.ts';
import { scalar } from './kind.ts';
import type { Kind } from './kind.ts';
import type { RateDefinition } from '../types.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|min|m|h|d|w))+$/;

function textOf(node: ScalarNode): string {
  return (typeof node.value === 'string' ? node.value : node.text).trim();
}

/** `1h30m` → 5,400,000; `undefined` for what is no duration, or not a whole number of milliseconds. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|min|m|h|d|w)/g))
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  const rounded = Math.round(total);
  return Math.abs(total - rounded) < 1e-6 && Number.isSafeInteger(rounded) ? rounded : undefined;
}

/** `most` is a year where nothing else is said: what is longer is a slip. */
export function duration(limits: { readonly least?: number; readonly most?: number } = {}): Kind<number> {
  const { least = 1, most = 366 * 86_400_000 } = limits;
  return scalar({
    label: 'duration, such as `250ms`, `30s`, `5m`, `24h`, `7d`',
    noun: `a duration${least > 1 || limits.most !== undefined ? ` between ${formatDuration(least)} and ${formatDuration(most)}` : ''}`,
    schema: {
      type: 'string',
      pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|min|m|h|d|w))+$',
      description: 'A duration: 250ms, 30s, 5m, 24h, 7d.',
    },
    remedy: (node) => durationRemedy(node, least, most),
    parse(node) {
      const ms = parseDuration(textOf(node));
      return ms !== undefined && ms >= least && ms <= most ? ms : undefined;
    },
  });
}

/** Out of range, or a unit that is written otherwise: what to write is said of this very value. */
function durationRemedy(node: DocumentNode, least: number, most: number): string {
  const written = node.kind === 'scalar' ? textOf(node) : '';
  if (parseDuration(written) !== undefined)
    return `Write a duration between ${formatDuration(least)} and ${formatDuration(most)}.`;
  const meant = written
    .toLowerCase()
    .replaceAll(/\s+/g, '')
    .replaceAll(/(\d)(?:seconds?|secs?)(?![a-z])/g, '$1s')
    .replaceAll(/(\d)(?:minutes?|mins?)(?![a-z])/g, '$1m')
    .replaceAll(/(\d)(?:hours?|hrs?)(?![a-z])/g, '$1h')
    .replaceAll(/(\d)days?(?![a-z])/g, '$1d');
  const ms = parseDuration(meant);
  return ms !== undefined && ms >= least && ms <= most
    ? `Did you mean \`${meant}\`? A duration is a number with its unit: \`250ms\`, \`30s\`, \`5m\`, \`24h\`, \`7d\`.`
    : 'Write a number with its unit: `250ms`, `30s`, `5m`, `24h`, `7d`.';
}

export const money: Kind<NanoUsd> = scalar({
  label: 'dollars, such as `$0.05`',
  noun: 'an amount of dollars',
  schema: {
    type: 'string',
    pattern: '^\\$[0-9]{1,12}(\\.[0-9]{1,9})?$',
    description: 'Dollars: $0.05, $400. Nine places at most.',
  },
  remedy(node) {
    const meant = node.kind === 'scalar' ? limitWords(textOf(node))?.limit : undefined;
    return meant !== undefined && parseUsd(meant) !== undefined
      ? `Write \`${meant}\`: dollars have their sign.`
      : 'Write dollars with their sign: `$5`, `$0.05`; at most nine places.';
  },
  parse(node) {
    const text = textOf(node);
    return text.startsWith('$') ? parseUsd(text) : undefined;
  },
});

export const percent: Kind<number> = scalar({
  label: 'share, such as `50%`',
  noun: 'a share above 0%, up to 100%',
  schema: {
    type: 'string',
    pattern: '^(100(\\.0{1,3})?|(?!0+(\\.0+)?%)[0-9]{1,2}(\\.[0-9]{1,3})?)%$',
    description: 'A share: 50%.',
  },
  remedy: 'Write a share with its sign: `50%`.',
  parse(node) {
    const match = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(textOf(node));
    const value = match ? Number(match[1]) / 100 : Number.NaN;
    return value > 0 && value <= 1 ? value : undefined;
  },
});

export const factor: Kind<number> = scalar({
  label: 'factor, such as `8x`',
  noun: 'a factor of 1 or more',
  schema: { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?x$', description: 'A factor: 8x.' },
  remedy: 'Write a number with an x: `8x`.',
  parse(node) {
    const match = /^(\d{1,6}(?:\.\d+)?)x$/.exec(textOf(node));
    const value = match ? Number(match[1]) : 0;
    return value >= 1 ? value : undefined;
  },
});

const COUNT = /^(\d+(?:\.\d+)?)([kM]?)$/;

/** `200k` → 200,000; `undefined` for what is not a whole, positive count. */
export function parseCount(text: string): number | undefined {
  const match = COUNT.exec(text.replaceAll('_', ''));
  if (!match) return undefined;
  const value = Math.round(Number(match[1]) * ({ k: 1000, M: 1_000_000 }[match[2] ?? ''] ?? 1) * 1000) / 1000;
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

export const tokens: Kind<number> = scalar({
  label: 'tokens, such as `400` or `128k`',
  noun: 'a number of tokens',
  schema: {
    oneOf: [
      { type: 'integer', minimum: 1 },
      { type: 'string', pattern: '^[0-9][0-9_]*(\\.[0-9]+)?[kM]?$' },
    ],
    description: 'Tokens: 400, 128k, 1M.',
  },
  remedy: 'Write a whole number, with `k` or `M` if you like: `400`, `128k`.',
  parse: (node) => parseCount(textOf(node)),
});

const WINDOWS: Readonly<Record<string, number>> = {
  s: 1000,
  sec: 1000,
  second: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
};

export const rate: Kind<RateDefinition> = scalar({
  label: 'rate, such as `500/min` or `200k/min`',
  noun: 'a rate',
  schema: {
    type: 'string',
    pattern: '^[0-9][0-9_]*(\\.[0-9]+)?[kM]?/(s|sec|second|m|min|minute|h|hour|d|day)$',
    description: 'A rate: 500/min, 200k/min, 10/s.',
  },
  remedy: 'Write a count per second, minute, hour or day: `500/min`, `200k/min`.',
  parse(node) {
    const [amountText = '', window = ''] = textOf(node)
      .split('/')
      .map((part) => part.trim());
    const amount = parseCount(amountText);
    const perMs = Object.hasOwn(WINDOWS, window) ? WINDOWS[window] : undefined;
    return amount === undefined || perMs === undefined ? undefined : { amount, perMs };
  },
});
