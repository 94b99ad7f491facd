// `budgets:`, a task's own `budget:`, and `guards:`.
import type {
  BudgetDefinition,
  BudgetEach,
  BudgetLimit,
  BudgetWindow,
  LoopGuardDefinition,
  LoopKindName,
  SurgeGuardDefinition,
  TaskBudgetDefinition,
} from '../types.ts';
import { parseUsd } from '../../../common/money.ts';
import type { Reader } from '../reader.ts';
import { expression } from './expressions.ts';
import { keepMemberPlaces, memberPlace } from '../located.ts';
import { limitWords, windowWord } from './foreign-words.ts';
import { scalar } from './kind.ts';
import type { Kind } from './kind.ts';
import { listOf, mapped, oneOrMore, optional, record, required } from './record.ts';
import { choice, integer, reference, text } from './scalars.ts';
import { duration, factor, money, parseCount, parseDuration, percent } from './units.ts';

export type UnnamedBudget = Omit<BudgetDefinition, 'name'>;

const DAY_MS = 86_400_000;

const limit: Kind<BudgetLimit> = scalar({
  label: 'dollars (`$5`), tokens (`2M tokens`) or calls (`500 calls`)',
  noun: 'a limit',
  schema: {
    type: 'string',
    pattern: '^(\\$[0-9]{1,12}(\\.[0-9]{1,9})?|[0-9][0-9_]*(\\.[0-9]+)?[kM]? (tokens|calls))$',
  },
  remedy(node) {
    const meant = node.kind === 'scalar' ? limitWords(node.text.replace(/^(["'])(.*)\1$/, '$2')) : undefined;
    if (meant === undefined) return 'Write dollars, `$5`; or tokens, `2M tokens`; or calls, `500 calls`.';
    const { limit: most, per: window } = meant;
    return window === undefined
      ? `Write \`limit: ${most}\`.`
      : `Write \`limit: ${most}\` and \`per: ${window}\`.`;
  },
  parse(node) {
    const value = typeof node.value === 'string' ? node.value.trim() : node.text;
    if (value.startsWith('$')) {
      const nanoUsd = parseUsd(value);
      return nanoUsd !== undefined && nanoUsd > 0n ? { unit: 'usd', nanoUsd } : undefined;
    }
    const [, amount = '', unit] = /^(\S+) (tokens|calls)$/.exec(value) ?? [];
    const count = parseCount(amount);
    if (count === undefined) return undefined;
    return unit === 'tokens' ? { unit, tokens: count } : { unit: 'calls', calls: count };
  },
});

type CalendarUnit = Extract<BudgetWindow, { readonly kind: 'calendar' }>['unit'];
const UNITS = ['minute', 'hour', 'day', 'week', 'month'] as const satisfies readonly CalendarUnit[];

const per: Kind<CalendarUnit | { readonly ms: number } | 'run'> = scalar({
  label: '`run`, `minute`, `hour`, `day`, `week`, `month`, or a duration for a window that rolls',
  noun: 'a window',
  schema: {
    type: 'string',
    pattern: '^(run|minute|hour|day|week|month|([0-9]+(\\.[0-9]+)?(ms|s|min|m|h|d|w))+)$',
  },
  remedy(node) {
    const window = node.kind === 'scalar' ? windowWord(node.text) : undefined;
    if (window !== undefined) return `Write \`per: ${window}\`.`;
    const rest = 'Write `day` for a day of the calendar, `24h` for the last 24 hours, or `run` for one run.';
    return node.kind === 'scalar' && /^(year|annual)/i.test(node.text)
      ? 'Write `per: 365d` for the last 365 days, or `month` for a month of the calendar.'
      : rest;
  },
  parse({ value }) {
    if (value === 'run') return value;
    const unit = UNITS.find((name) => name === value);
    if (unit) return unit;
    const ms = typeof value === 'string' ? parseDuration(value) : undefined;
    return ms !== undefined && ms >= 1000 && ms <= 400 * DAY_MS ? { ms } : undefined;
  },
});

export const timeZone: Kind<string> = scalar({
  label: 'time zone, such as `Europe/Berlin`',
  noun: 'a time zone',
  schema: { type: 'string', minLength: 1 },
  remedy: 'Write the name of a time zone: `UTC`, `Europe/Berlin`, `America/New_York`.',
  parse: ({ value }) => (typeof value === 'string' && isTimeZone(value) ? value : undefined),
});

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const each: Kind<BudgetEach> = scalar({
  label: '`caller`, `team`, `session`, or `tags.NAME`',
  noun: 'what an account can be kept for',
  schema: { type: 'string', pattern: '^(caller|team|session|tags\\.[A-Za-z_][A-Za-z0-9_]*)$' },
  remedy: 'Write `caller`, `team`, `session`, or a tag: `tags.customer`.',
  parse({ value }) {
    if (value === 'caller' || value === 'team' || value === 'session') return { kind: value };
    const tag = typeof value === 'string' ? /^tags\.([A-Za-z_][A-Za-z0-9_]*)$/.exec(value)?.[1] : undefined;
    return tag === undefined ? undefined : { kind: 'tag', tag };
  },
});

const shares = listOf(percent, { noun: 'shares', least: 1, example: '80%' });

const commonFields = {
  limit: required(limit, 'The most that may be spent and held in one window.'),
  per: required(
    per,
    'The window. `day` is a day of the calendar; `24h` the last 24 hours; `run` each run by itself.',
  ),
  timeZone: optional(timeZone, 'Where days and months of the calendar begin.', '`UTC`'),
  each: optional(
    each,
    'One account for each caller, team, session of a caller, or value of a tag. A session is what a client says it is: a coding agent and its sub-agents share one.',
    'one account in all',
  ),
  when: optional(expression, 'Only calls for which this holds; over `caller`.', 'all calls'),
  warnAt: optional(shares, 'Shares of the limit at which an alert is given.', 'none'),
  then: optional(
    choice('reject', 'downgrade', 'warn'),
    'What happens to a call that does not fit: `reject` refuses it, `downgrade` leaves only candidates that still fit, `warn` lets it pass with an alert.',
    '`reject`',
  ),
};

interface CommonValue {
  readonly limit: BudgetLimit;
  readonly per: CalendarUnit | 'run' | { readonly ms: number };
  readonly timeZone: string | null;
  readonly each: BudgetEach | null;
  readonly when: TaskBudgetDefinition['when'];
  readonly warnAt: readonly number[] | null;
  readonly then: TaskBudgetDefinition['then'] | null;
  readonly at: TaskBudgetDefinition['at'];
}

function common(value: CommonValue): TaskBudgetDefinition {
  const { limit: most, each: account, when, warnAt, then, at } = value;
  return {
    limit: most,
    per: windowOf(value),
    each: account,
    when,
    warnAt: [...(warnAt ?? [])].sort((left, right) => left - right),
    then: then ?? 'reject',
    at,
  };
}

function windowOf({ per: window, timeZone: zone }: CommonValue): BudgetWindow {
  if (window === 'run') return { kind: 'run' };
  return typeof window === 'string'
    ? { kind: 'calendar', unit: window, timeZone: zone ?? 'UTC' }
    : { kind: 'rolling', ms: window.ms };
}

function inPlace(text: string): string | undefined {
  const meant = limitWords(text);
  return meant && `{ limit: ${meant.limit}, per: ${meant.per ?? 'day'} }`;
}

export const taskBudget: Kind<TaskBudgetDefinition> = mapped(
  record(
    {
      name: 'TaskBudget',
      noun: 'A budget',
      summary: "A budget of this task alone, beside the project's.",
      inPlace,
    },
    commonFields,
  ),
  (value, node, reader) => {
    checkTimeZone(value, reader);
    return keepMemberPlaces(common(value), node);
  },
);

/** Only a window of the calendar begins somewhere. */
function checkTimeZone({ per: window, timeZone: zone, at }: CommonValue, reader: Reader): void {
  if (zone === null || (typeof window === 'string' && window !== 'run')) return;
  reader.report(
    'conflicting-keys',
    at,
    '`timeZone` means nothing for a window that is not of the calendar.',
    'Write `per: day` for a day of the calendar there, or remove `timeZone`.',
  );
}

export const budget: Kind<UnnamedBudget> = mapped(
  record(
    {
      name: 'Budget',
      noun: 'A budget',
      summary:
        'A limit on what is spent. Before each call its worst case is held; spent and held together never pass the limit. Every budget that applies has to agree.',
      inPlace,
    },
    {
      ...commonFields,
      provider: optional(reference('provider'), 'Only calls of this provider.'),
      model: optional(reference('model'), 'Only calls of this model, `provider/model`.'),
      task: optional(reference('task'), 'Only runs of this task.'),
    },
  ),
  (value, node, reader) => {
    const { provider, model, task, at } = value;
    checkTimeZone(value, reader);
    const scopes = [
      ...(provider ? [{ kind: 'provider' as const, provider }] : []),
      ...(model ? [{ kind: 'model' as const, model }] : []),
      ...(task ? [{ kind: 'task' as const, task }] : []),
    ];
    if (scopes.length > 1)
      reader.report(
        'conflicting-keys',
        at,
        'A budget is for one provider, one model or one task.',
        'Keep one of `provider`, `model` and `task`, or write two budgets.',
      );
    return keepMemberPlaces({ ...common(value), scope: scopes[0] ?? { kind: 'all' } }, node);
  },
);

const fieldNames = listOf(text, { noun: 'fields of the input' });

/** The kinds of loop guard, and what each may do; a kind without an answer that is surely the same has none to give again. */
const LOOP_KINDS: {
  readonly [Name in LoopKindName]: { readonly then: readonly (LoopGuardDefinition['then'] & string)[] };
} = {
  input: { then: ['reuse', 'reject', 'pause'] },
  nearly: { then: ['reject', 'pause'] },
  toolCall: { then: ['reject', 'pause'] },
};
const LOOP_KIND_NAMES = Object.keys(LOOP_KINDS) as LoopKindName[];

const loopGuard: Kind<LoopGuardDefinition> = mapped(
  record(
    {
      name: 'LoopGuard',
      noun: 'A loop guard',
      summary:
        'Notices a caller that sends the same thing over and over, and tasks that call each other without end.',
      schema: {
        allOf: LOOP_KIND_NAMES.map((name) => ({
          if: { properties: { same: { const: name } }, required: ['same'] },
          then: { properties: { then: { enum: LOOP_KINDS[name].then } } },
        })),
      },
    },
    {
      same: optional(
        choice(...LOOP_KIND_NAMES),
        'What is compared: `input`, the input of the task as it is; `nearly`, the input but for times, counters, identifiers, letter case and signs that nobody sees; `toolCall`, the calls of tools in the conversation of an agent that comes through a door.',
        '`input`',
      ),
      ignore: optional(fieldNames, 'Fields left out of the comparison, such as a time.', 'none'),
      repeats: optional(
        integer(2, 1_000_000),
        'So many equal runs within the time trip the guard.',
        '20; 40 for `nearly`; 8 for `toolCall`',
      ),
      within: optional(
        duration({ most: DAY_MS }),
        'The time in which they are counted.',
        '`1m`; `10m` for `nearly`',
      ),
      then: optional(
        choice('reuse', 'reject', 'pause'),
        "What happens: `reuse` answers with the last answer, `reject` refuses, `pause` stops the caller's spending until resumed.",
        '`reject`',
      ),
      each: optional(
        choice('caller', 'session'),
        'Whose tries are counted together: those of a caller, or of one session that a client of a door says.',
        '`caller`',
      ),
      depth: optional(integer(1, 100), 'The deepest nesting of tasks that call tasks.', '8'),
      fanOut: optional(integer(1, 100_000), 'The most items and child runs of one run.', '200'),
    },
  ),
  ({ same, ignore, repeats, within, then, each: whose, depth, fanOut, at }, node, reader) => {
    const guard = keepMemberPlaces(
      {
        same: same ?? 'input',
        ignore: ignore ?? [],
        repeats,
        withinMs: within,
        then,
        each: whose,
        depth,
        fanOut,
        at,
      },
      node,
    );
    const allowed = LOOP_KINDS[guard.same].then;
    if (then !== null && !allowed.includes(then))
      reader.report(
        'conflicting-keys',
        memberPlace(guard, 'then', at),
        `\`then: ${then}\` means nothing with \`same: ${guard.same}\`: there is no answer that is surely the same.`,
        `Write ${allowed.map((name) => `\`then: ${name}\``).join(' or ')}.`,
      );
    return guard;
  },
);

/** More would only slow each request down. */
const MOST_LOOP_GUARDS = 8;

export const loopGuards: Kind<readonly LoopGuardDefinition[]> = oneOrMore(loopGuard, {
  noun: 'loop guards',
  most: MOST_LOOP_GUARDS,
});

export const surgeGuard: Kind<SurgeGuardDefinition> = mapped(
  record(
    { name: 'SurgeGuard', noun: 'A surge guard', summary: 'Notices that far more is spent than usual.' },
    {
      spend: required(factor, 'So many times the usual trips the guard.'),
      over: required(duration({ most: DAY_MS }), 'The time that is looked at.'),
      baseline: required(duration({ most: 90 * DAY_MS }), 'The time from which the usual is taken.'),
      floor: required(money, 'Below this nothing is a surge.'),
      then: optional(choice('warn', 'pause'), 'What happens.', '`warn`'),
    },
  ),
  ({ spend, over, baseline, floor, then, at }, node) =>
    keepMemberPlaces(
      {
        factor: spend,
        overMs: over,
        baselineMs: baseline,
        floorNanoUsd: floor,
        then: then ?? 'warn',
        at,
      },
      node,
    ),
);
