// Valid workflows of any shape: what the property tests of the loader are run on.
import fc from 'fast-check';
import type { Json } from '../../../../src/common/json.ts';

const word = fc.constantFrom('alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta');
const prose = fc.oneof(
  fc.constantFrom(
    'Hello.',
    'Say it\nin two lines:\n  indented',
    '"quoted" and \'quoted\'',
    '# no comment',
    '- no list',
    'a: b',
    '  led by spaces',
    '{ braces }',
    'ends in spaces  \n',
    '100%',
    'yes',
    '2026-11-22',
    'é🎉',
  ),
  fc
    .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 })
    .filter((text) => text.trim() !== '' && !text.includes('${{')),
);
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const duration = fc.oneof(
  fc.integer({ min: 1, max: 999 }).map((ms) => `${ms}ms`),
  fc.integer({ min: 1, max: 90 }).map((s) => `${s}s`),
  fc.constantFrom('2m', '1m30s', '1h'),
);
const dollars = fc.integer({ min: 1, max: 1_000_000_000 }).map((cents) => `$${(cents / 100).toFixed(2)}`);
const share = fc.integer({ min: 1, max: 99 }).map((value) => `${value}%`);
const rate = fc
  .tuple(fc.integer({ min: 100, max: 9999 }), fc.constantFrom('s', 'min'))
  .map(([amount, per]) => `${amount}/${per}`);

/** Without the members that were left out. */
function said(members: { readonly [key: string]: unknown }): { [key: string]: Json } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [key: string]: Json;
  };
}

const price = fc.oneof(
  fc.constant('free'),
  fc
    .record({ input: dollars, output: dollars, cachedInput: maybe(dollars), request: maybe(dollars) })
    .map(said),
);
const limits = fc.record({ requests: maybe(rate), tokens: maybe(rate) }).map(said);

const provider = fc
  .record({
    adapter: fc.constantFrom('openai', 'anthropic'),
    baseUrl: maybe(
      fc.constantFrom('http://127.0.0.1:1/v1', '${{ default(env.BASE, "http://127.0.0.1:2") }}'),
    ),
    apiKey: maybe(fc.constant('${{ secrets.SOME_KEY }}')),
    api: maybe(fc.constantFrom('chat', 'responses')),
    headers: maybe(fc.constant({ 'X-Team': 'a ${{ env.TEAM }}' })),
    policy: maybe(fc.constant('patient')),
    limits: maybe(limits),
    price: fc.constant('free'),
  })
  // Only OpenAI's protocol has two endpoints.
  .map(({ api, ...rest }) => said(rest.adapter === 'openai' ? { ...rest, api } : rest));

const policy = fc
  .record({
    timeout: maybe(fc.constantFrom('20s', '1m', '90s')),
    retry: maybe(
      fc
        .record({
          attempts: maybe(fc.integer({ min: 0, max: 4 })),
          backoff: maybe(fc.constantFrom('exponential', 'constant')),
          initialDelay: maybe(fc.constantFrom('50ms', '250ms')),
          maxDelay: maybe(fc.constantFrom('1s', '4s')),
        })
        .map(said),
    ),
    circuitBreaker: maybe(
      fc.oneof(
        fc.record({ failures: fc.integer({ min: 1, max: 9 }) }),
        fc
          .record({ threshold: share, minimumCalls: maybe(fc.constant(2)), halfOpenAfter: maybe(duration) })
          .map(said),
      ),
    ),
    bulkhead: maybe(
      fc.record({ concurrent: fc.integer({ min: 1, max: 50 }), queue: fc.integer({ min: 0, max: 50 }) }),
    ),
  })
  .map(said);

const models = ['one/small', 'one/large:latest', 'two/vendor/model-1'];
const hedge = maybe(
  fc.record({ after: fc.constantFrom('p95', '300ms'), atMost: maybe(fc.constantFrom(1, 2)) }).map(said),
);
const candidates = fc.oneof(
  fc.subarray(models, { minLength: 2 }),
  fc
    .subarray(models, { minLength: 2 })
    .chain((keys) =>
      fc.tuple(...keys.map((key) => fc.tuple(fc.constant(key), fc.integer({ min: 2, max: 99 })))),
    )
    .map((pairs) => Object.fromEntries(pairs)),
);
const rule = (when: fc.Arbitrary<string>): fc.Arbitrary<Json> =>
  fc.record({ when, from: candidates, hedge }).map(said);
const lastRule = fc.record({ from: candidates, hedge }).map(said);
const route = (when: fc.Arbitrary<string>): fc.Arbitrary<Json> =>
  fc
    .tuple(
      fc.uniqueArray(rule(when), { maxLength: 2, selector: (value) => (value as { when: string }).when }),
      lastRule,
    )
    .map(([rules, last]) => [...rules, last]);

const budget = fc
  .record({
    limit: fc.oneof(
      dollars.map((text) => text.replace('$', '$9')),
      fc.constantFrom('200M tokens', '1000 calls'),
    ),
    per: fc.constantFrom('run', 'minute', 'day', 'month', '24h'),
    each: maybe(fc.constantFrom('caller', 'team', 'tags.customer')),
    when: maybe(fc.constant('caller.tier == "trial"')),
    warnAt: maybe(fc.uniqueArray(share, { minLength: 1, maxLength: 3 })),
    then: maybe(fc.constantFrom('reject', 'downgrade', 'warn')),
  })
  .map(said);

const loopGuard = fc
  .record({
    same: maybe(fc.constantFrom('input', 'nearly')),
    repeats: fc.integer({ min: 2, max: 50 }),
    within: maybe(fc.constant('1m')),
    then: maybe(fc.constantFrom('reject', 'pause')),
    ignore: maybe(fc.constant(['at'])),
  })
  .map(said);

export const arbitraryProject: fc.Arbitrary<Json> = fc
  .record({
    headgate: fc.constant(1),
    providers: fc.tuple(provider, provider).map(([one, two]) => ({ one, two })),
    models: fc
      .tuple(maybe(price), fc.integer({ min: 1, max: 9 }))
      .map(([cost, quality]) =>
        Object.fromEntries(models.map((key) => [key, said({ price: cost, context: '128k', quality })])),
      ),
    policies: policy.map((patient) => ({ patient })),
    routes: route(fc.constantFrom('caller.tier == "trial"', 'prompt.tokens < 4000', 'env.HERE != null')).map(
      (rules) => ({ default: rules }),
    ),
    budgets: maybe(fc.dictionary(word, budget, { maxKeys: 3, noNullPrototype: true })),
    guards: maybe(
      fc
        .record({
          loop: maybe(fc.oneof(loopGuard, fc.array(loopGuard, { minLength: 1, maxLength: 3 }))),
          surge: maybe(fc.constant({ spend: '8x', over: '15m', baseline: '7d', floor: '$5' })),
        })
        .map(said),
    ),
  })
  .map(said);

const schema: fc.Arbitrary<Json> = fc.letrec<{ schema: Json }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<Json>(
      'string',
      'integer',
      'number',
      'boolean',
      'date',
      'datetime',
      'any',
      'string[]',
      'integer?',
      { enum: ['a', 'b', 'c'] },
      ['low', 'high'],
      { type: 'string', maxLength: 20 },
      { type: ['integer', 'null'], minimum: 1 },
    ),
    tie('schema')
      .filter((item) => typeof item !== 'string' || !item.endsWith('?'))
      .map((item) => [item]),
    fc.dictionary(word, tie('schema'), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
  ),
})).schema;

/** A chain of steps, each of which reads the input and the one before it. */
export const arbitraryTask: fc.Arbitrary<Json> = fc
  .record({
    description: maybe(prose),
    extra: fc.dictionary(word, schema, { maxKeys: 3, noNullPrototype: true }),
    allowance: maybe(
      fc
        .record({
          deadline: maybe(duration),
          attempts: fc.integer({ min: 20, max: 60 }),
          cost: maybe(dollars),
        })
        .map(said),
    ),
    priority: maybe(fc.integer({ min: -100, max: 100 })),
    budget: maybe(budget),
    cache: maybe(fc.constant({ for: '24h' })),
    loop: maybe(fc.constant('off')),
    steps: fc.array(
      fc.record({
        kind: fc.constantFrom('model', 'structured', 'csv', 'chunk', 'each'),
        before: prose,
        when: maybe(fc.constantFrom('input.count > 3', 'size(input.text) < 100 || input.count == 1')),
        route: maybe(route(fc.constantFrom('input.count > 1', 'prompt.tokens < 100'))),
        schema: fc.dictionary(word, schema, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
        maxOutputTokens: maybe(fc.integer({ min: 1, max: 4000 })),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    output: fc.boolean(),
  })
  .map(({ extra, steps, output, ...rest }) => {
    const made = steps.map((step, index) => [`s${index}`, makeStep(step, index)] as const);
    const all = `{${made.map(([key]) => `"${key}": steps.${key}`).join(', ')}}`;
    return {
      task: 'any-task',
      ...said(rest),
      input: { ...extra, text: 'string', count: { type: 'integer', default: 2 } },
      steps: Object.fromEntries(made),
      ...(output
        ? { output: { all: `\${{ ${all} }}`, input: '${{ input }}', fixed: [1, 'two', { three: true }] } }
        : {}),
    };
  });

interface MadeStep {
  readonly kind: 'model' | 'structured' | 'csv' | 'chunk' | 'each';
  readonly before: string;
  readonly when: string | undefined;
  readonly route: Json | undefined;
  readonly schema: { readonly [key: string]: Json };
  readonly maxOutputTokens: number | undefined;
}

function makeStep(
  { kind, before, when, route: rules, schema: output, maxOutputTokens }: MadeStep,
  index: number,
): Json {
  const previous = index === 0 ? '${{ input.text }}' : `\${{ steps.s${index - 1}.toJson() }}`;
  const prompt = `${before} ${previous} \${{ input.count }}`;
  switch (kind) {
    case 'csv':
      return said({ when, parse: 'csv', from: previous });
    case 'chunk':
      return said({ when, chunk: '1k', overlap: 10, from: previous });
    case 'each':
      return said({
        when,
        each: '${{ input.text.lines() }}',
        as: 'line',
        prompt: `${prompt} \${{ line }}`,
        route: rules,
        maxOutputTokens,
      });
    case 'structured':
      return said({ when, prompt, output, accept: 'output != null', route: rules, maxOutputTokens });
    case 'model':
      return said({ when, prompt, system: before, route: rules, maxOutputTokens, temperature: 0.5 });
  }
}
