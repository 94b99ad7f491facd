// The difference of two revisions is empty exactly when their meaning is equal: over generated workflows, and over every place of a plan.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../src/common/json.ts';
import { decodePlan, encodePlan, planHash } from '../../../src/language/plan/encode.ts';
import type { Plan } from '../../../src/language/plan/types.ts';
import { diffPlans } from '../../../src/revisions/diff/diff.ts';
import { differences, keyedPlan } from '../../../src/revisions/diff/keyed.ts';
import { FILES, planOf, type Files } from './support.ts';
import { sized } from '../../support/cases.ts';

/** What a generated revision means; two with the same meaning may be written in many ways. */
const meaning = fc.record({
  limit: fc.constantFrom(5, 10),
  per: fc.constantFrom('day', 'month'),
  then: fc.constantFrom('reject', 'downgrade'),
  timeoutS: fc.constantFrom(30, 60),
  retries: fc.constantFrom(0, 2),
  candidates: fc.constantFrom('local/m1, local/m2', 'local/m2, local/m1', 'local/m1'),
  outputTokens: fc.constantFrom(1000, 1024),
  word: fc.constantFrom('Greet', 'Hail'),
  tones: fc.constantFrom('kind, plain', 'kind'),
  isNameRequired: fc.boolean(),
  repeats: fc.constantFrom(20, 30),
  hasSecondTask: fc.boolean(),
});
type Meaning = typeof meaning extends fc.Arbitrary<infer Value> ? Value : never;

/** How it is written: nothing of it may show in a difference. */
const style = fc.record({
  comment: fc.constantFrom('', '# a remark\n', '\n\n'),
  reversed: fc.boolean(),
  milliseconds: fc.boolean(),
  flow: fc.boolean(),
  defaults: fc.boolean(),
  quotes: fc.boolean(),
});
type Style = typeof style extends fc.Arbitrary<infer Value> ? Value : never;

function write(is: Meaning, how: Style): Files {
  const inOrder = (sections: readonly string[]): string =>
    (how.reversed ? sections.toReversed() : sections).join('');
  const timeout = how.milliseconds
    ? `${is.timeoutS * 1000}ms`
    : is.timeoutS === 60
      ? '1m'
      : `${is.timeoutS}s`;
  const quoted = (text: string): string => (how.quotes ? JSON.stringify(text) : text);
  const tokens = how.milliseconds ? String(is.outputTokens) : is.outputTokens === 1000 ? '1k' : '1024';
  const policy = how.flow
    ? `policies: { p: { timeout: ${timeout}, retry: { attempts: ${is.retries} } } }\n`
    : `policies:\n  p:\n    retry:\n      attempts: ${is.retries}\n    timeout: ${timeout}\n`;
  const project = inOrder([
    `${how.comment}headgate: 1\n`,
    'providers:\n  local: { adapter: openai, baseUrl: http://127.0.0.1:9/v1, policy: p }\n',
    'models:\n  local/m1: { context: 10k, price: { input: $1, output: $2 } }\n  local/m2: { context: 10k, price: free }\n',
    policy,
    `routes:\n  default:\n    - ${how.defaults ? 'pick: first\n      ' : ''}from: [${is.candidates}]\n`,
    `budgets:\n  all: { limit: $${is.limit}, per: ${is.per}, then: ${is.then} }\n`,
    `guards:\n  loop: { same: input, repeats: ${is.repeats}, within: 1m, then: reject }\n`,
  ]);
  const task = inOrder([
    `${how.comment}task: greet\n`,
    `input:\n  text: string\n  name: ${is.isNameRequired ? 'string' : quoted('string?')}\n  tone: { enum: [${is.tones}], default: kind }\n`,
    `steps:\n  answer:\n    prompt: ${quoted(`${is.word} \${{ input.text }} \${{ input.tone }}`)}\n${how.defaults || is.outputTokens !== 1024 ? `    maxOutputTokens: ${tokens}\n` : ''}`,
  ]);
  const second = 'task: second\ninput: { text: string }\nsteps:\n  answer: { prompt: "${{ input.text }}" }\n';
  const files = {
    'headgate.yaml': project,
    'greet.yaml': task,
    ...(is.hasSecondTask ? { 'second.yaml': second } : {}),
  };
  return how.reversed ? Object.fromEntries(Object.entries(files).toReversed()) : files;
}

/** Mostly the same meaning, or one that differs in a single point: what is far apart proves little. */
const pair = fc
  .tuple(meaning, meaning, fc.constantFrom('same', 'near', 'far'), fc.nat(), style, style)
  .map(([first, other, distance, seed, how, otherwise]) => {
    const members = Object.keys(first) as (keyof Meaning)[];
    const member = members[seed % members.length] ?? 'limit';
    const second =
      distance === 'same' ? first : distance === 'far' ? other : { ...first, [member]: other[member] };
    return { first, second, how, otherwise };
  });

describe('the plan of a pair of revisions', () => {
  it('is empty exactly when their meaning is equal, however they are written', async () => {
    const counts = { equal: 0, different: 0 };
    await fc.assert(
      fc.asyncProperty(pair, async ({ first, second, how, otherwise }) => {
        const [before, after] = await Promise.all([
          planOf(write(first, how)),
          planOf(write(second, otherwise)),
        ]);
        const isSame = canonicalJson(first) === canonicalJson(second);
        counts[isSame ? 'equal' : 'different'] += 1;
        expect(before.hash === after.hash).toBe(isSame);
        const { changes, effects } = diffPlans(before, after);
        expect(changes.length === 0).toBe(isSame);
        expect(effects.length === 0 || !isSame).toBe(true);
      }),
      { numRuns: sized(100) },
    );
    expect(Math.min(counts.equal, counts.different)).toBeGreaterThan(10);
  });

  it('tells of a change at every place that a plan has', async () => {
    const plan = await planOf(FILES);
    const places = leavesOf(plan);
    expect(places.length).toBeGreaterThan(150);
    const untold: string[] = [];
    const unknown: string[] = [];
    for (const path of places) {
      const altered = alter(plan, path);
      if (altered === undefined) continue;
      expect(planHash(altered)).not.toBe(plan.hash);
      const { changes } = diffPlans(plan, altered);
      if (changes.length === 0 || diffPlans(altered, plan).changes.length === 0) untold.push(path.join('.'));
      // Every difference is told by a concern that knows it, not only by its place.
      const covers = changes
        .filter(({ message }) => message !== 'is different')
        .flatMap((change) => change.covers);
      const differing = differences(keyedPlan(plan), keyedPlan(altered));
      unknown.push(
        ...differing.filter(
          (place) => !place.endsWith('/revision') && !covers.some((prefix) => place.startsWith(prefix)),
        ),
      );
    }
    expect(untold).toEqual([]);
    // The language's version, and a task's revision, follow from the rest.
    expect(unknown.filter((place) => place !== '/language')).toEqual([]);
  });

  it('is empty for a plan that was stored and read again', async () => {
    const plan = await planOf(FILES);
    const again = decodePlan(encodePlan(plan));
    expect(again).toEqual(plan);
    expect(diffPlans(plan, again).changes).toEqual([]);
  });
});

/** By the member's name. */
const INSTEAD_OF_NULL: { readonly [member: string]: unknown } = {
  baseUrl: { kind: 'literal', value: 'http://x' },
  apiKeySecret: 'X_KEY',
  requests: { amount: 1, perMs: 1 },
  tokens: { amount: 1, perMs: 1 },
  maxOutputTokens: 1,
  each: { kind: 'caller' },
  when: 'true',
  deprecated: 'x',
  baseline: 'openai/x',
  costNanoUsd: 1n,
  cache: { forMs: 1 },
  hedge: { after: { kind: 'delay', ms: 1 }, atMost: 1 },
  system: { kind: 'literal', value: 'x' },
  temperature: 1,
  structured: { type: 'object' },
  accept: 'true',
};

function leavesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, member]) => leavesOf(member, [...path, name]));
}

/** The plan with another value at one place; undefined: the place is no part of the meaning, or holds the keys of others. */
function alter(plan: Plan, path: readonly string[]): Plan | undefined {
  const [root, ...rest] = path;
  const last = path.at(-1);
  if (root === 'hash' || root === 'environment' || last === 'kind' || last === 'unit') return undefined;
  if (
    rest.at(-1) === 'id' ||
    last === 'key' ||
    (last === 'name' && ['tasks', 'providers'].includes(root ?? ''))
  )
    return undefined;
  const copy = structuredClone(plan) as unknown;
  let holder = copy as { [name: string]: unknown };
  for (const name of path.slice(0, -1)) holder = holder[name] as { [name: string]: unknown };
  if (last === undefined) return undefined;
  holder[last] = holder[last] === null ? INSTEAD_OF_NULL[last] : other(holder[last]);
  if (holder[last] === undefined) throw new Error(`what may ${path.join('.')} be instead of null?`);
  return copy as Plan;
}

function other(value: unknown): unknown {
  switch (typeof value) {
    case 'number':
      return value + 1;
    case 'bigint':
      return value + 1_000_000_000n;
    case 'boolean':
      return !value;
    case 'string':
      return `${value}x`;
    default:
      return 'x';
  }
}
