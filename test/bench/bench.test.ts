// The benches at their tiny size: that they work, never how fast.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { Line } from '../../bench/support/report.ts';
import { tableOf } from '../../bench/support/report.ts';
import { builtMain } from '../support/built.ts';
import { repositoryRoot } from '../support/repository.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Results {
  readonly machine: { readonly cores: number };
  readonly versions: { readonly node: string };
  readonly reports: readonly { readonly bench: string; readonly lines: readonly Line[] }[];
}

async function bench(name: string): Promise<Results> {
  const out = join(folder, `${name}.json`);
  const args = ['bench/run.ts', '--size', 'tiny', '--only', name, '--out', out];
  // Offline, whatever the machine: what is not installed yet is left out, as the bench does without a registry.
  const offline = {
    npm_config_offline: 'true',
    HEADGATE_BENCH_MAIN: builtMain(),
    HEADGATE_BENCH_PINNED: 'no',
  };
  await run(process.execPath, args, { cwd: repositoryRoot, env: { ...process.env, ...offline } });
  return JSON.parse(readFileSync(out, 'utf8')) as Results;
}

const NAMES = [
  'engine',
  'graphql',
  'door',
  'large',
  'where',
  'sdk',
  'streaming',
  'ledger',
  'subscriptions',
  'compile',
  'soak',
  'replay',
  'start',
];

describe('the benches', () => {
  // Side by side: what each of them waits for is mostly a time.
  it.concurrent.each(NAMES)('measure %s and say on what machine', { timeout: 120_000 }, async (name) => {
    const { machine, versions, reports } = await bench(name);
    expect(machine.cores).toBeGreaterThan(0);
    expect(versions.node).toBe(process.version);
    const lines = reports.find((report) => report.bench === name)?.lines ?? [];
    expect(lines.length).toBeGreaterThan(0);
    // Without a registry there is no Portkey, and its line says so.
    const measured = lines.filter(({ what, value }) => value !== null || what !== 'portkey');
    expect(measured.map(({ value }) => typeof value)).toEqual(measured.map(() => 'number'));
  });

  it('print a table in which every line stands under its bench', () => {
    const lines = [
      { what: 'a', value: 1234.5, unit: '/s' },
      { what: 'b', value: 0.5, unit: 'ms', target: '≤ 1', reached: true, note: 'n' },
    ];
    expect(tableOf([{ bench: 'x', size: 'tiny', lines }])).toBe(
      [
        '| bench | what | measured | target | reached | note |',
        '| ----- | ---- | -------: | ------ | ------- | ---- |',
        '| x     | a    | 1,235 /s |        |         |      |',
        '|       | b    |  0.50 ms | ≤ 1    | yes     | n    |',
      ].join('\n'),
    );
  });
});
