// The benches at their tiny size: that they work, never how fast.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
  let results: Results;
  beforeAll(async () => {
    const out = join(folder, 'results.json');
    const args = ['bench/run.ts', '--size', 'tiny', '--only', NAMES.join(','), '--out', out];
    // Offline, whatever the machine: what is not installed yet is left out, as the bench does without a registry.
    const offline = {
      npm_config_offline: 'true',
      HEADGATE_BENCH_MAIN: builtMain(),
      HEADGATE_BENCH_PINNED: 'no',
    };
    await run(process.execPath, args, { cwd: repositoryRoot, env: { ...process.env, ...offline } });
    results = JSON.parse(readFileSync(out, 'utf8')) as Results;
  }, 300_000);

  it('say on what machine they ran', () => {
    expect(results.machine.cores).toBeGreaterThan(0);
    expect(results.versions.node).toBe(process.version);
  });

  it.each(NAMES)('measure %s', (name) => {
    const lines = results.reports.find((report) => report.bench === name)?.lines ?? [];
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
