// Prices that are likely written for another unit.
import { formatUsd } from '../../../common/money.ts';
import { memberPlace } from '../located.ts';
import type { PriceDefinition } from '../types.ts';
import type { Report, Rule } from './rule.ts';

/** A tenth of a cent for a million tokens: no model is sold for a tenth of that. */
const LEAST_NANO_USD = 1_000_000n;
const PER_TOKENS = ['input', 'cachedInput', 'cacheWrite', 'output', 'reasoning'] as const;

export const prices: Rule = {
  diagnostics: [
    {
      code: 'price-unlikely',
      severity: 'warning',
      title: 'A price that is likely a slip',
      why: 'Prices are dollars per million tokens. One per token or per thousand is so small that budgets would hardly notice what is spent.',
      remedy: 'Write the price of a million tokens.',
    },
  ],
  check({ project }, report) {
    for (const { price } of [
      ...Object.values(project?.providers ?? {}),
      ...Object.values(project?.models ?? {}),
    ])
      if (price) checkPrice(price, report);
  },
};

function checkPrice(price: PriceDefinition, report: Report): void {
  if (price.kind === 'free') return;
  for (const name of PER_TOKENS) {
    const amount = price[name];
    if (amount !== null && amount > 0n && amount < LEAST_NANO_USD)
      report(
        'price-unlikely',
        memberPlace(price, name, price.at),
        `\`${name}\` would be $${formatUsd(amount)} for a million tokens.`,
        `Write the price of a million tokens; $${formatUsd(amount)} for one token would be $${formatUsd(amount * 1_000_000n)}.`,
      );
  }
  if (price.cachedInput !== null && price.cachedInput > price.input && price.input > 0n)
    report(
      'price-unlikely',
      memberPlace(price, 'cachedInput', price.at),
      'Input from the cache would cost more than input that is not.',
      '`cachedInput` is what the provider reads from its cache, `cacheWrite` what it writes to it.',
    );
}
