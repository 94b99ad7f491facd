// `alerts:` is read, checked and resolved: where it leads, what goes with it, and what is said when nothing is.
import { describe, expect, it } from 'vitest';
import { compileDirectory } from '../../../src/revisions/compile.ts';
import { temporaryFolder, PROJECT, TASK } from '../../cli/support.ts';

async function compiled(alerts: string) {
  const folder = temporaryFolder({ 'headgate.yaml': `${PROJECT}alerts:\n${alerts}\n`, 'shorten.yaml': TASK });
  const { plan, problems } = await compileDirectory(folder, { env: {} });
  return { sinks: plan?.alerts, problems: problems.filter(({ severity }) => severity === 'error') };
}

describe('sinks of alerts', () => {
  it('are resolved with their defaults, and name secrets without reading them', async () => {
    const { sinks, problems } = await compiled(
      [
        '  ops: { webhook: "${{ secrets.HOOK_URL }}" }',
        '  night: { pagerduty: "${{ secrets.PD }}" }',
        '  finance: { email: [cfo@example.com], smtp: "${{ secrets.SMTP_URL }}", report: { every: week, by: team } }',
      ].join('\n'),
    );
    expect(problems).toEqual([]);
    expect(sinks).toEqual({
      ops: {
        name: 'ops',
        target: { kind: 'webhook', url: { kind: 'secret', name: 'HOOK_URL' }, secret: null },
        kinds: null,
        from: 'info',
        dedupeMs: 3_600_000,
        rate: { amount: 20, perMs: 3_600_000 },
        report: null,
      },
      night: expect.objectContaining({ from: 'critical' }) as unknown,
      finance: expect.objectContaining({
        target: {
          kind: 'email',
          to: ['cfo@example.com'],
          smtp: { kind: 'secret', name: 'SMTP_URL' },
          sender: null,
        },
        report: { every: 'week', by: 'team', timeZone: 'UTC' },
      }) as unknown,
    });
  });

  it.each([
    ['  ops: { kinds: [budget] }', 'missing-key'],
    ['  ops: { email: a@b.example }', 'missing-key'],
    ['  ops: { webhook: https://h.example/x, slack: "${{ secrets.S }}" }', 'conflicting-keys'],
    ['  ops: { slack: "${{ secrets.S }}", smtp: smtp://relay.example }', 'conflicting-keys'],
    ['  ops: { slack: https://hooks.slack.com/services/T/B/x }', 'literal-secret'],
    ['  ops: { webhook: ftp://h.example/x }', 'invalid-value'],
    ['  ops: { email: [nobody], smtp: smtp://relay.example }', 'invalid-value'],
    ['  ops: { webhook: https://h.example/x, kinds: [budgets] }', 'invalid-value'],
    ['  ops: { pagerduty: "${{ secrets.P }}", report: { every: day } }', 'conflicting-keys'],
    ['  ops: https://h.example/x', 'wrong-shape'],
  ])('INV-13: %s is refused once, with its place', async (line, code) => {
    const { problems } = await compiled(line);
    expect(problems.map((problem) => problem.code)).toEqual([code]);
    expect(problems[0]?.line).toBe(8);
    expect(problems[0]?.remedy).not.toBe('');
  });
});
