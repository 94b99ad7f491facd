// The month that Headgate was made for: thirty days of $400, but for a loop that nobody saw over a weekend, and a bill of $3,200.
import type { Random } from '../../common/random.ts';
import type { UsageRow } from '../../simulation/usage-export.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** A Thursday, so that the loop's evening is a Friday. */
const START_MS = Date.UTC(2026, 9, 1);
const DAYS = 30;
const TEAM = ['ana', 'ben', 'cy', 'dee', 'eli', 'fay', 'support-bot', 'reviewer'] as const;
const CALLS_A_WEEKDAY = 620;
/** On the third Friday, in the evening. */
const LOOP_FROM_MS = START_MS + 15 * DAY_MS + 19 * HOUR_MS;
/** Until Monday, when somebody looked. */
const LOOP_HOURS = 61;
const LOOP_EVERY_MS = 6_000;

const NANO_PER_TOKEN = { input: 2_500n, output: 10_000n } as const;

function call(
  atMs: number,
  caller: string,
  inputTokens: number,
  outputTokens: number,
  input: string,
): UsageRow {
  return {
    atMs,
    spanMs: 0,
    calls: 1,
    provider: 'openai',
    model: 'gpt-4o',
    inputTokens,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens,
    costNanoUsd: BigInt(inputTokens) * NANO_PER_TOKEN.input + BigInt(outputTokens) * NANO_PER_TOKEN.output,
    caller,
    team: null,
    latencyMs: 900 + outputTokens * 12,
    firstTokenMs: null,
    failed: false,
    input,
  };
}

/** `share` of the calls, for a shorter look; the whole is 53,000. The same random gives the same month. */
export function monthWithLoop(random: Random, share = 1): readonly UsageRow[] {
  const rows: UsageRow[] = [];
  const between = (least: number, most: number): number => Math.floor(least + random() * (most - least));
  for (let day = 0; day < DAYS; day += 1) {
    const weekday = new Date(START_MS + day * DAY_MS).getUTCDay();
    const calls = Math.round(CALLS_A_WEEKDAY * share * (weekday === 0 || weekday === 6 ? 0.25 : 1.15));
    for (let made = 0; made < calls; made += 1) {
      const atMs = START_MS + day * DAY_MS + between(7 * HOUR_MS, 19 * HOUR_MS);
      const caller = TEAM[between(0, TEAM.length)] ?? 'ana';
      rows.push(call(atMs, caller, between(1_000, 12_000), between(100, 700), `work ${rows.length}`));
    }
  }
  // An agent that tries again, each time with a line more of what went wrong: no two of its prompts are equal.
  const tries = Math.round(((LOOP_HOURS * HOUR_MS) / LOOP_EVERY_MS) * share);
  for (let tried = 0; tried < tries; tried += 1)
    rows.push(
      call(
        LOOP_FROM_MS + (tried * LOOP_EVERY_MS) / share,
        'nightly-agent',
        30_000 + (tried % 40) * 20,
        between(120, 260),
        `loop ${tried}`,
      ),
    );
  return rows.sort((a, b) => a.atMs - b.atMs);
}
