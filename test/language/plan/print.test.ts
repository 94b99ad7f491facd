// printPlan: what a plan looks like to people, held by the shipped workflows; and that a stored plan is the same plan.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalPlanText, decodePlan, encodePlan, planHash } from '../../../src/language/plan/encode.ts';
import {
  printPlan,
  printPrice,
  printSchema,
  printTemplate,
  printWindow,
} from '../../../src/language/plan/print.ts';
import type { Plan } from '../../../src/language/plan/types.ts';
import { compileDirectory } from '../../../src/revisions/compile.ts';
import { repositoryRoot } from '../../support/repository.ts';

const AT_MS = Date.UTC(2026, 10, 22);

async function shipped(): Promise<Plan> {
  const { plan, problems } = await compileDirectory(`${repositoryRoot}workflows`, { env: {}, nowMs: AT_MS });
  if (plan === null) throw new Error(problems.map(({ message }) => message).join('\n'));
  return plan;
}

describe('printPlan', () => {
  it('shows the shipped workflows as they were reviewed', async () => {
    const text = printPlan(await shipped());
    // The hash changes with each release of Headgate; what the plan says does not.
    await expect(`${text.replaceAll(/\b[0-9a-f]{12}\b/g, 'HASH')}\n`).toMatchFileSnapshot(
      'golden/shipped.txt',
    );
  });

  it('shows one task alone', async () => {
    const plan = await shipped();
    const text = printPlan(plan, 'summarize');
    expect(text).toContain('task summarize');
    expect(text).not.toContain('task email-parse');
    expect(text).not.toContain('budgets');
  });

  it.each([
    [{ type: 'string', maxLength: 10 }, 'string (maxLength 10)'],
    [{ enum: ['a', 1], default: 'a' }, '"a" | 1 = "a"'],
    [
      { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'string' } }, required: ['a'] },
      '{ a: integer, b?: string }',
    ],
    [{ type: 'array', items: { type: 'string' } }, '[string]'],
    [{ anyOf: [{ type: 'string' }] }, '{"anyOf":[{"type":"string"}]}'],
    [{ type: ['string', 'null'], format: 'date' }, 'string | null (format date)'],
    [{}, 'any'],
  ])('writes the schema %j as %s', (schema, text) => {
    expect(printSchema(schema)).toBe(text);
  });

  it('writes templates, prices and windows as people do', () => {
    expect(
      printTemplate({
        kind: 'object',
        members: {
          a: { kind: 'literal', value: 1 },
          b: { kind: 'list', items: [{ kind: 'expression', source: 'input.x' }] },
          c: { kind: 'text', parts: ['hi ', { source: 'input.y' }] },
        },
      }),
    ).toBe('{ a: 1, b: [${{ input.x }}], c: "hi ${{ input.y }}" }');
    expect(printPrice({ kind: 'free' })).toEqual(['free']);
    const rates = {
      fromInputTokens: 0,
      input: 1n,
      cachedInput: 1n,
      cacheWrite: 1n,
      output: 2_000_000_000n,
      reasoning: 3n,
      request: 4n,
    };
    expect(
      printPrice({
        kind: 'rates',
        source: 'yaml',
        tiers: [rates, { ...rates, fromInputTokens: 200_000, request: 0n, reasoning: 2_000_000_000n }],
      }),
    ).toEqual([
      'input $0.000000001, cached $0.000000001, cache write $0.000000001, output $2, reasoning $0.000000003, request $0.000000004 each a million tokens (yaml)',
      'from 200000 input tokens: input $0.000000001, cached $0.000000001, cache write $0.000000001, output $2 a million tokens',
    ]);
    expect(printWindow({ kind: 'rolling', ms: 3_600_000 })).toBe('rolling 1h');
    expect(printWindow({ kind: 'run' })).toBe('run');
  });
});

describe('a stored plan', () => {
  it('INV-6: is the same plan when it is read again: equal, frozen, with the same hash', async () => {
    const plan = await shipped();
    const again = decodePlan(encodePlan(plan));
    expect(again).toEqual(plan);
    expect(planHash(again)).toBe(plan.hash);
    expect(Object.isFrozen(again.tasks['summarize']?.steps[0])).toBe(true);
    expect(encodePlan(again)).toBe(encodePlan(plan));
  });

  it('is refused when its text was changed', async () => {
    const text = encodePlan(await shipped());
    expect(() => decodePlan(text.replace('"attempts":60', '"attempts":61'))).toThrow(
      'does not have that hash',
    );
  });

  it('keeps integers of any size, and has one text whatever the order of its keys', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.string(), fc.integer(), (big, text, small) => {
        const one = canonicalPlanText({ big, text, small });
        expect(one).toBe(canonicalPlanText({ small, big, text }));
        expect(one).toContain(`{"$bigint":"${big}"}`);
      }),
    );
  });

  it('has another hash for another meaning, and the same for another environment', async () => {
    const plan = await shipped();
    expect(planHash({ ...plan, budgets: [] })).not.toBe(plan.hash);
    const { plan: elsewhere } = await compileDirectory(`${repositoryRoot}workflows`, {
      env: { OLLAMA_BASE_URL: 'http://gpu:1' },
      nowMs: AT_MS,
    });
    expect(elsewhere?.hash).toBe(plan.hash);
    expect(elsewhere?.environment).not.toEqual(plan.environment);
  });
});
