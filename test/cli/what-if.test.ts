// headgate what-if: from a CSV to the picture; the loop that it holds, and when caps and guards stop it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { monthWithLoop } from '../../src/cli/demo/month.ts';
import { formatUsd } from '../../src/common/money.ts';
import { seededRandom } from '../../src/common/random.ts';
import { readRepositoryFile } from '../support/repository.ts';
import { headgate, temporaryFolder } from './support.ts';

/** A sixtieth of the month's calls, each larger by as much. */
const LESS = 60;
const rows = monthWithLoop(seededRandom(3), 1 / LESS);
const folder = temporaryFolder();
const csv = join(folder, 'month.csv');
writeFileSync(
  csv,
  [
    'request_id,spend,prompt_tokens,completion_tokens,startTime,endTime,model,custom_llm_provider,user,cache_key',
    ...rows.map((row, at) =>
      [
        at,
        formatUsd((row.costNanoUsd ?? 0n) * BigInt(LESS)),
        (row.inputTokens ?? 0) * LESS,
        (row.outputTokens ?? 0) * LESS,
        new Date(row.atMs).toISOString(),
        new Date(row.atMs + (row.latencyMs ?? 0)).toISOString(),
        row.model,
        row.provider,
        row.caller,
        row.input,
      ].join(','),
    ),
  ].join('\n'),
);
const whole = rows.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0n) * BigInt(LESS), 0n);

interface Told {
  readonly was: { readonly cost: string; readonly runs: number };
  readonly guarded: {
    readonly cost: string;
    readonly events: readonly { readonly at: string; readonly kind: string }[];
  };
  readonly moved: { readonly cost: string; readonly low: string; readonly high: string } | null;
  readonly loop: { readonly caller: string; readonly cost: string } | null;
  readonly loopSpent: string | null;
  readonly assumptions: readonly string[];
}

describe('headgate what-if', { timeout: 60_000 }, () => {
  it('INV-1: says the month as it was, to the nano-dollar, with its loop, and when it would have been stopped', async () => {
    const { code, out } = await headgate(['what-if', csv, '--format', 'json']);
    const told = JSON.parse(out) as Told;
    expect(code).toBe(0);
    expect(told.was).toEqual({ cost: formatUsd(whole), runs: rows.length });
    expect(told.loop?.caller).toBe('nightly-agent');
    expect(Number(told.loop?.cost)).toBeGreaterThan(2_500);
    expect(Number(told.loopSpent)).toBeLessThan(200);
    expect(Number(told.guarded.cost)).toBeLessThan(500);
    expect(told.guarded.events.map(({ kind }) => kind)).toContain('budget_exhausted');
    expect(told.moved).toBeNull();
  });

  it('is shown by `headgate demo --replay` of a made-up month: stopped at which call and dollar, as the picture of the README', async () => {
    const svg = join(folder, 'loop.svg');
    const { code, out } = await headgate(['demo', '--replay', '--svg', svg]);
    expect(code).toBe(0);
    expect(out).toMatch(/as it was +\$3192\.96/);
    expect(out).toMatch(/with the caps and guards of the shipped workflows +\$378\.25/);
    expect(out).toContain('It would have been stopped 2026-10-16 19:07 UTC, 72 calls and $5.44 after');
    expect(out).toMatch(/paused caller:nightly-agent +7200 +2026-10-16 19:07 UTC +2026-10-17 07:07 UTC/);
    expect(readFileSync(svg, 'utf8')).toBe(readRepositoryFile('docs/images/loop.svg'));
  });

  it('tells it as text and as one page that loads nothing, and prices another model', async () => {
    const html = join(folder, 'page.html');
    const { code, out } = await headgate(['what-if', csv, '--html', html, '--on', 'openai/gpt-5.6-luna']);
    expect(code).toBe(0);
    expect(out).toContain("month.csv: LiteLLM's spend logs (known from the product's source)");
    expect(out).toContain('It would have been stopped');
    expect(out).toMatch(/and every call on openai\/gpt-5\.6-luna +\$/);
    expect(out).toContain('would have answered well enough is not known');
    const page = readFileSync(html, 'utf8');
    expect(page).toContain('<svg');
    expect(page).toContain('stopped at $');
    expect(page).not.toMatch(/<script|src=|href=|url\(/);
  });

  it('takes any names of models, providers and callers, and shows them as text', async () => {
    const [odd, html] = [join(folder, 'odd.csv'), join(folder, 'odd.html')];
    writeFileSync(
      odd,
      'Timestamp;Model;Provider;Input Tokens;Output Tokens;Cost;User\n' +
        '2026-10-05 12:00;my model (v1)!;302.AI;10;5;0.001;"<b>x</b>\ny"\n' +
        '2026-10-05 12:01;ünï/çode;;10;5;0.001;b\n' +
        '2026-10-05 12:02;openai/gpt-4o:free;OpenRouter;10;5;;b\n',
    );
    const { code, out } = await headgate(['what-if', odd, '--html', html]);
    expect(code).toBe(0);
    expect(out).toContain('p-302-ai/my-model-v1');
    expect(readFileSync(html, 'utf8')).not.toContain('<b>');
  });

  it('INV-13: names what is wrong with a file, or with a model', async () => {
    writeFileSync(join(folder, 'other.csv'), 'name,size\na,1\n');
    const { code, err } = await headgate(['what-if', join(folder, 'other.csv')]);
    expect(code).toBe(1);
    expect(err).toContain("LiteLLM's spend logs");
    expect((await headgate(['what-if', csv, '--on', 'nobody/nothing'])).code).toBe(2);
  });
});
