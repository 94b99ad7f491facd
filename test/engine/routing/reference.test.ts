// The reference names what the code knows: every strategy, every reason to skip.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { SkipCode } from '../../../src/engine/routing/port.ts';
import { strategies } from '../../../src/engine/routing/strategies/registry.ts';

const text = readFileSync(new URL('../../../docs/reference/routing.md', import.meta.url), 'utf8');

/** A reason that is added to the type is missed here by the compiler. */
const REASONS: { readonly [code in SkipCode]: true } = {
  no_key: true,
  capability_missing: true,
  context_too_small: true,
  circuit_open: true,
  no_rate_headroom: true,
  bulkhead_full: true,
  hold_does_not_fit: true,
  already_failed: true,
  model_too_small: true,
  cannot_translate: true,
  bound_elsewhere: true,
  other_vectors: true,
};

it.each(Object.keys(REASONS))('docs/reference/routing.md says what %s means and what helps', (code) => {
  expect(text).toMatch(new RegExp(`^\\| \`${code}\` \\| .{10,} \\| .{3,} \\|$`, 'm'));
});

it.each(Object.keys(strategies))('docs/reference/routing.md has a section on %s', (pick) => {
  expect(text).toContain(`\n### ${pick}\n`);
});
