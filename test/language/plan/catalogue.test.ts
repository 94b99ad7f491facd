// The price catalogue: rates in integers, tiers, vendors.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  CATALOGUE_VERSION,
  loadCatalogue,
  nanoFromDollars,
  ratesFromCatalogue,
  type Catalogue,
} from '../../../src/language/plan/catalogue.ts';

const AT_MS = Date.UTC(2026, 10, 22);
let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue();
});

const query = { baseUrl: null, adapterVendor: null, atMs: AT_MS };

describe('the price catalogue', () => {
  it('INV-1: turns dollars per million tokens into integer nano-dollars without a rounding error', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 13n }), (nano) => {
        const dollars = Number(
          `${nano / 1_000_000_000n}.${(nano % 1_000_000_000n).toString().padStart(9, '0')}`,
        );
        // Sixteen significant digits are what a double carries; the catalogue's own prices have fewer than eight.
        fc.pre(nano < 10n ** 13n);
        expect(nanoFromDollars(dollars)).toBe(nano);
      }),
    );
  });

  it('refuses a price that is not a number of dollars', () => {
    expect(() => nanoFromDollars(-1)).toThrow('not a price');
    expect(() => nanoFromDollars(Number.NaN)).toThrow('not a price');
  });

  it('names the package version that is installed', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
      dependencies: { [name: string]: string };
    };
    expect(manifest.dependencies['@pydantic/genai-prices']).toBe(CATALOGUE_VERSION);
  });

  it('knows input, cached input and output of a model', () => {
    const found = catalogue.find({ ...query, provider: 'anthropic', model: 'claude-haiku-4-5' });
    expect(found?.contextTokens).toBe(200_000);
    expect(found?.tiers).toEqual([
      {
        fromInputTokens: 0,
        input: 1_000_000_000n,
        cachedInput: 100_000_000n,
        cacheWrite: 1_250_000_000n,
        output: 5_000_000_000n,
        reasoning: 5_000_000_000n,
        request: 0n,
      },
    ]);
  });

  it("starts a tier one token beyond the catalogue's start, as the catalogue itself does", () => {
    const tiers = ratesFromCatalogue({
      input_mtok: { base: 3, tiers: [{ start: 200_000, price: 6 }] },
      output_mtok: 15,
    });
    expect(tiers?.map(({ fromInputTokens, input, output }) => ({ fromInputTokens, input, output }))).toEqual([
      { fromInputTokens: 0, input: 3_000_000_000n, output: 15_000_000_000n },
      { fromInputTokens: 200_001, input: 6_000_000_000n, output: 15_000_000_000n },
    ]);
  });

  it('takes the price that is in force at the time', () => {
    const at = (year: number, month: number): bigint | undefined =>
      catalogue.find({ ...query, provider: 'openai', model: 'o3', atMs: Date.UTC(year, month - 1, 1) })
        ?.tiers?.[0]?.input;
    expect(at(2025, 5)).toBe(10_000_000_000n);
    expect(at(2025, 7)).toBe(2_000_000_000n);
  });

  it('has no price for a model without one per token, and no entry for a model that it does not know', () => {
    expect(catalogue.find({ ...query, provider: 'openai', model: 'whisper-1' })?.tiers).toBeNull();
    expect(catalogue.find({ ...query, provider: 'openai', model: 'no-such-model' })).toBeUndefined();
    expect(catalogue.find({ ...query, provider: 'our-own', model: 'gpt-5' })).toBeUndefined();
  });

  it('finds a vendor by its base URL, and by the adapter only where no base URL leads elsewhere', () => {
    const found = catalogue.find({
      ...query,
      provider: 'router',
      baseUrl: 'https://openrouter.ai/api/v1',
      model: 'openai/gpt-5',
    });
    expect(found?.vendor).toBe('openrouter');
    expect(
      catalogue.find({ ...query, provider: 'gpt', adapterVendor: 'openai', model: 'gpt-5' })?.vendor,
    ).toBe('openai');
    expect(
      catalogue.find({
        ...query,
        provider: 'gpt',
        baseUrl: 'http://127.0.0.1:8000/v1',
        adapterVendor: 'openai',
        model: 'gpt-5',
      }),
    ).toBeUndefined();
  });
});
