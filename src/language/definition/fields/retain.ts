// `retain:`, of a task and of an exposed name.
import { keepMemberPlaces } from '../located.ts';
import type { RetainDefinition } from '../types.ts';
import type { Kind } from './kind.ts';
import { mapped, optional, record } from './record.ts';
import { choice } from './scalars.ts';
import { duration } from './units.ts';

const DAY_MS = 86_400_000;

export const retain: Kind<RetainDefinition> = mapped(
  record(
    {
      name: 'Retain',
      noun: 'A retention',
      summary: "What is kept of a run's input and output. Costs and counts are always kept.",
      inPlace: (text) => `{ ${/^\d+[a-z]+$/.test(text) ? 'for' : 'content'}: ${text} }`,
    },
    {
      content: optional(
        choice('full', 'redacted', 'hash'),
        '`full` keeps texts, `redacted` replaces addresses, numbers and the like, `hash` keeps only what tells equal from unequal.',
        '`full`',
      ),
      for: optional(duration({ most: 3660 * DAY_MS }), 'How long.', '`30d`'),
    },
  ),
  ({ content, for: forMs, at }, node) => keepMemberPlaces({ content, forMs, at }, node),
);
