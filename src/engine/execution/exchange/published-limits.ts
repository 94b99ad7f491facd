// The most that vendors' models give where they are not told: what is held for a request that sets no limit of its own.

/** As the vendors publish them, October 2026. A model that is not here is held at its whole context. */
const LIMITS: readonly (readonly [RegExp, number])[] = [
  [/^gpt-5/, 128_000],
  [/^gpt-4\.1/, 32_768],
  [/^(?:gpt-4o|chatgpt-4o)/, 16_384],
  [/^o[1-9]/, 100_000],
  [/^claude-(?:opus|sonnet|fable)-[5-9]/, 128_000],
  [/^claude-(?:opus|sonnet|haiku)-4/, 64_000],
];

export function publishedOutputLimit(model: string): number | null {
  return LIMITS.find(([name]) => name.test(model))?.[1] ?? null;
}
