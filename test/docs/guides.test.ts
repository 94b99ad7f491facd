// docs/moving.md: its YAML compiles; what docs/operating says of size is what the bench has measured.
import { describe, expect, it } from 'vitest';
import { compileFiles } from '../../src/revisions/compile.ts';
import { fencesOf } from '../support/fences.ts';
import { readRepositoryFile } from '../support/repository.ts';

describe('moving from the SDKs', () => {
  const text = readRepositoryFile('docs/moving.md');

  it.each(
    fencesOf(text).flatMap(({ language, text: yaml, line }) => (language === 'yaml' ? [[line, yaml]] : [])),
  )('the YAML at line %s compiles without a remark', async (_line, yaml) => {
    const project = `headgate: 1
providers:
  openai: { adapter: openai, apiKey: "\${{ secrets.OPENAI_API_KEY }}" }
  anthropic: { adapter: anthropic, apiKey: "\${{ secrets.ANTHROPIC_API_KEY }}" }
${yaml}
`;
    const files = [{ path: 'headgate.yaml', text: project }];
    const { problems } = await compileFiles(files, { env: { OPENAI_API_KEY: 'k', ANTHROPIC_API_KEY: 'k' } });
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('names only keys that the language has', () => {
    const rows = text.split('\n').filter((line) => /^\| .* \| .* \|$/.test(line));
    const keys = rows.flatMap((row) =>
      [...(row.split(' | ')[1] ?? '').matchAll(/`(\w+):/g)].map(([, key]) => key),
    );
    expect(keys.length).toBeGreaterThan(5);
    const known = ['task', 'project'].map((name) => readRepositoryFile(`schema/${name}.json`)).join();
    for (const key of keys) expect(known).toContain(`"${key}":`);
  });
});

describe('sizing', () => {
  const page = readRepositoryFile('docs/operating/README.md');
  const { reports } = JSON.parse(readRepositoryFile('bench/results.json')) as {
    readonly reports: readonly {
      readonly bench: string;
      readonly lines: readonly { readonly what: string; readonly value: number; readonly note?: string }[];
    }[];
  };
  const line = (bench: string, what: RegExp) =>
    reports.find((report) => report.bench === bench)?.lines.find((one) => what.test(one.what));
  const told = (pattern: RegExp): number => Number(pattern.exec(page)?.[1]?.replaceAll(',', ''));

  it('says what the bench has measured, within a fifth', () => {
    const perSecond = line('graphql', /^headgate: 32 in flight/)?.value ?? 0;
    expect(Math.abs(told(/some ([\d,]+) over GraphQL/) / perSecond - 1)).toBeLessThan(0.2);
    const megabytes = Number(
      /([\d,]+) MB/.exec(line('ledger', /^start with 1,000,000/)?.note ?? '')?.[1]?.replace(',', ''),
    );
    expect(Math.abs((told(/([\d.]+) kB an attempt/) * 1_000) / megabytes - 1)).toBeLessThan(0.2);
    expect(line('ledger', /^start with 1,000,000/)?.value).toBeLessThan(1_000);
    const thousandAtOnce = line('soak', /^resident memory, the most$/)?.value ?? 0;
    expect(told(/(\d+) MB for a thousand runs/)).toBeGreaterThan(thousandAtOnce * 0.8);
  });
});
