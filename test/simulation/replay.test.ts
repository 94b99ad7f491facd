// Replays: a recorded time comes out as it was, to the nano-dollar; the same plan changes nothing; changes cost what they mean.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileDirectory } from '../../src/revisions/compile.ts';
import type { Plan } from '../../src/language/plan/types.ts';
import { replay } from '../../src/simulation/replay.ts';
import { openTrafficFile, TrafficWriter } from '../../src/simulation/traffic-file.ts';
import { TRAFFIC_SCHEMA } from '../../src/simulation/traffic-schema.ts';
import type { Traffic, TrafficAttempt, TrafficRun } from '../../src/simulation/traffic.ts';
import { headgate } from '../cli/support.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { readRepositoryFile } from '../support/repository.ts';
import { PROJECT, remove, serveAnHour, SHORTEN, workflowsFolder } from './support.ts';
import { sized } from '../support/cases.ts';

const ENV = { KEY: 'k' };

async function planOf(folder: string): Promise<Plan> {
  const { plan, problems } = await compileDirectory(folder, { env: ENV });
  if (plan === null) throw new Error(problems.map(({ message }) => message).join('\n'));
  return plan;
}

interface Answer {
  readonly before: {
    readonly cost: string;
    readonly attempts: number;
    readonly unknowns: readonly { readonly kind: string }[];
  };
  readonly after: { readonly cost: string };
  readonly recordedCost: string;
  readonly cost: {
    readonly change: { readonly likely: string; readonly low: string; readonly high: string };
  };
  readonly changes: readonly { readonly where: string; readonly change: string | null }[];
  readonly together: string | null;
}

describe('a replay of traffic that was served', () => {
  let upstream: FaultServer;
  let flows = '';
  let data = '';
  let file = '';
  const changed: string[] = [];

  beforeAll(async () => {
    upstream = await startFaultServer();
    flows = workflowsFolder(upstream.openaiUrl);
    data = await serveAnHour(upstream, flows, 25);
    file = join(data, 'traffic.hgt');
    expect(await headgate(['traffic', 'export', file, '--data', data])).toMatchObject({ code: 0 });
  }, 60_000);
  afterAll(async () => {
    await upstream.close();
    remove(flows, data, ...changed);
  });

  const replayed = async (head: string): Promise<Answer> => {
    const { code, out, err } = await headgate(
      ['replay', flows, head, '--traffic', file, '--format', 'json'],
      ENV,
    );
    expect({ code, err }).toMatchObject({ code: 0 });
    return JSON.parse(out) as Answer;
  };

  it('INV-1: costs what the ledger says, to the nano-dollar, when nothing was changed, faults and all', async () => {
    const { before, after, recordedCost, cost } = await replayed(flows);
    const { out: ledger } = await headgate(['stats', '--data', data]);
    expect(before.cost).toBe(recordedCost);
    expect(ledger).toContain(`$${recordedCost} for 150 runs`);
    expect(after.cost).toBe(before.cost);
    expect(cost.change).toEqual({ likely: '0', low: '0', high: '0' });
    // Where a circuit was open for all of a step's candidates nobody was asked, and how long the prompt was is not known: on a slow machine.
    expect(before.unknowns.filter(({ kind }) => kind !== 'prompt')).toEqual([]);
  });

  it('says what each changed line does, and what they do together', async () => {
    const head = workflowsFolder(upstream.openaiUrl, {
      'headgate.yaml': PROJECT(upstream.openaiUrl)
        .replace('input: $2.5', 'input: $5')
        .replace('[near/small, far/large]', '[far/large, near/small]'),
    });
    changed.push(head);
    const { changes, cost, together, before, after } = await replayed(head);
    expect(changes.map(({ where }) => where)).toEqual(['headgate.yaml:7', 'headgate.yaml:14']);
    expect(changes.every(({ change }) => Number(change) > 0)).toBe(true);
    expect(Number(cost.change.low)).toBeGreaterThan(0);
    expect(Number(cost.change.low)).toBeLessThanOrEqual(Number(cost.change.likely));
    expect(Number(cost.change.high)).toBeGreaterThanOrEqual(Number(cost.change.likely));
    expect(Number(after.cost) - Number(before.cost)).toBeCloseTo(Number(cost.change.likely), 9);
    const alone = changes.reduce((sum, { change }) => sum + Number(change), 0);
    expect(alone + Number(together)).toBeCloseTo(Number(cost.change.likely), 9);
  });

  it('refuses what a smaller budget refuses, and stops a build that asks for it', async () => {
    const head = workflowsFolder(upstream.openaiUrl, {
      'headgate.yaml': PROJECT(upstream.openaiUrl).replace('$50, per: day', '$0.003, per: day'),
    });
    changed.push(head);
    const asked = [
      'replay',
      flows,
      head,
      '--traffic',
      file,
      '--format',
      'markdown',
      '--fail-on',
      'refused,cost-raised:5%',
    ];
    const { code, out, err } = await headgate(asked, ENV);
    expect(code).toBe(3);
    expect(err).toContain('stopped by --fail-on: refused.');
    expect(out).toMatch(/\d+ more refusals by budget all/);
    expect(await headgate([...asked.slice(0, -1), 'slower'], ENV)).toMatchObject({ code: 2 });
  });

  it('is joined to what the change means, for a pull request', async () => {
    const head = workflowsFolder(upstream.openaiUrl, {
      'headgate.yaml': PROJECT(upstream.openaiUrl).replace('input: $2.5', 'input: $25'),
    });
    changed.push(head);
    const plan = (...more: readonly string[]) =>
      headgate(['plan', flows, head, '--replay', file, ...more], ENV);
    const { code, out, err } = await plan('--format', 'markdown', '--fail-on', 'price-raised,cost-raised:5%');
    expect({ code, err }).toEqual({
      code: 3,
      err: 'headgate: stopped by --fail-on: price-raised, cost-raised.',
    });
    expect(out.split('\n')[2]).toMatch(/^\*\*This change: \$.+ → \$.+ a month \(\+\d+ %.*\), p95 .+\*\*$/);
    expect(out).toContain('#### Lets more happen');
    expect(out).toContain('#### By recorded traffic');
    const asJson = JSON.parse((await plan('--format', 'json')).out) as { readonly replay: Answer };
    expect(Number(asJson.replay.cost.change.likely)).toBeGreaterThan(0);
    const without = await headgate(['plan', flows, head, '--fail-on', 'refused'], ENV);
    expect(without.code).toBe(2);
    expect(without.err).toContain('--replay FILE');
  });

  it('keeps no text, and no name where hashes are asked for', async () => {
    const hashed = join(data, 'hashed.hgt');
    await headgate(['traffic', 'export', hashed, '--hash-names', '--data', data]);
    const traffic = await openTrafficFile(hashed);
    const runs: TrafficRun[] = [];
    for await (const run of traffic.runs()) runs.push(run);
    expect(traffic.hashed).toBe(true);
    expect(runs).toHaveLength(150);
    expect(new Set(runs.map(({ who }) => who.name)).size).toBe(3);
    expect(
      JSON.stringify(runs, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toMatch(/ana|crew|Shorten/);
  });

  it('INV-13: tells of a file that is damaged, empty, or no traffic', async () => {
    for (const [name, text] of [
      ['a', ''],
      ['b', 'no gzip'],
      ['c', '{"headgate":"traffic"}'],
    ] as const) {
      const path = join(data, `${name}.hgt`);
      writeFileSync(path, text);
      const { code, err } = await headgate(['replay', flows, flows, '--traffic', path], ENV);
      expect(code).toBe(1);
      expect(err).toContain(path);
    }
  });
});

function attempt(model: string, random: { readonly input: number; readonly output: number }): TrafficAttempt {
  const small = model === 'near/small';
  return {
    model,
    rates: 'other',
    outcome: 'succeeded',
    inputTokens: random.input,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: random.output,
    reasoningTokens: 0,
    costNanoUsd: BigInt(random.input * (small ? 150 : 2_500) + random.output * (small ? 600 : 10_000)),
    heldTokens: random.input * 3 + 300,
    latencyMs: 40 + random.output,
    firstTokenMs: null,
  };
}

const arbitraryRun = fc.record({
  gapMs: fc.nat(60_000),
  input: fc.nat(30),
  caller: fc.constantFrom('ana', 'ben'),
  tokens: fc.record({ input: fc.integer({ min: 1, max: 5_000 }), output: fc.integer({ min: 1, max: 300 }) }),
  model: fc.constantFrom('near/small', 'far/large'),
});

function trafficOf(
  drawn: readonly (typeof arbitraryRun extends fc.Arbitrary<infer Drawn> ? Drawn : never)[],
): Traffic {
  let atMs = Date.UTC(2026, 9, 1);
  const fromMs = atMs;
  const runs = drawn.map(({ gapMs, input, caller, tokens, model }): TrafficRun => {
    atMs += gapMs;
    return {
      atMs,
      task: 'shorten',
      who: { name: caller, team: null, tier: null, tags: {} },
      input,
      outcome: 'succeeded',
      latencyMs: 60,
      steps: [
        { path: 'answer', skipped: false, rule: 'main[0]', attempts: [attempt(model, tokens)] },
        { path: 'check', skipped: true, rule: null, attempts: [] },
      ],
    };
  });
  return {
    fromMs,
    toMs: atMs + 1,
    hashed: false,
    async *runs() {
      yield* runs;
    },
  };
}

describe('any traffic', () => {
  let base: Plan;
  let dearer: Plan;
  let shorter: Plan;
  const folders: string[] = [];
  beforeAll(async () => {
    const url = 'http://127.0.0.1:9';
    const folder = (files: { readonly [name: string]: string } = {}): string => {
      folders.push(workflowsFolder(url, files));
      return folders.at(-1) ?? '';
    };
    base = await planOf(folder());
    dearer = await planOf(folder({ 'headgate.yaml': PROJECT(url).replace('input: $0.15', 'input: $0.3') }));
    shorter = await planOf(
      folder({ 'shorten.yaml': SHORTEN.replace('maxOutputTokens: 300', 'maxOutputTokens: 20') }),
    );
  });
  afterAll(() => remove(...folders));

  it('is changed by nothing where BASE is HEAD, and comes out the same each time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryRun, { minLength: 1, maxLength: 40 }), async (drawn) => {
        const traffic = trafficOf(drawn);
        const one = await replay({ base, head: structuredClone(base), traffic });
        expect(one.change).toEqual({ likely: 0n, low: 0n, high: 0n });
        const again = await replay({ base, head: { ...base, hash: 'another' }, traffic });
        expect(again.change).toEqual(one.change);
        expect(again.headCost).toEqual(one.headCost);
        expect(again.head.latencyP95Ms).toBe(one.base.latencyP95Ms);
      }),
      { numRuns: 5 },
    );
  }, 60_000);

  it('costs no less with a dearer model, and no more with shorter answers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryRun, { minLength: 1, maxLength: 40 }), async (drawn) => {
        const traffic = trafficOf(drawn);
        expect((await replay({ base, head: dearer, traffic })).change.likely).toBeGreaterThanOrEqual(0n);
        expect((await replay({ base, head: shorter, traffic })).change.likely).toBeLessThanOrEqual(0n);
      }),
      { numRuns: 5 },
    );
  }, 60_000);
});

/** `up`: no cheaper; `down`: no dearer. */
interface Edit {
  readonly means: 'up' | 'down';
  readonly of: readonly [file: 'headgate.yaml' | 'shorten.yaml', was: string, is: string];
}

const tenths = (text: string, factor: number): string => (Number(text) * factor).toFixed(2);
/** What people edit, each with what it means for the bill; `factor` from 2 to 9. */
const EDITS: readonly ((factor: number) => Edit)[] = [
  (factor) => ({ means: 'up', of: ['headgate.yaml', 'input: $0.15', `input: $${tenths('0.15', factor)}`] }),
  (factor) => ({ means: 'up', of: ['headgate.yaml', 'output: $0.6', `output: $${tenths('0.6', factor)}`] }),
  (factor) => ({ means: 'up', of: ['shorten.yaml', '"Shorten: ', `"${'Shorten well. '.repeat(factor)}`] }),
  () => ({ means: 'up', of: ['headgate.yaml', 'from: [near/small, far/large]', 'from: [far/large]'] }),
  (factor) => ({
    means: 'down',
    of: ['headgate.yaml', 'output: $0.6', `output: $${tenths('0.06', factor)}`],
  }),
  (factor) => ({ means: 'down', of: ['shorten.yaml', 'maxOutputTokens: 300', `maxOutputTokens: ${factor}`] }),
  (factor) => ({
    means: 'down',
    of: ['headgate.yaml', 'limit: $50', `limit: $${(factor / 1_000).toFixed(3)}`],
  }),
  (factor) => ({ means: 'down', of: ['shorten.yaml', 'steps:', `cache: { for: ${factor}h }\nsteps:`] }),
  () => ({ means: 'down', of: ['headgate.yaml', 'from: [near/small, far/large]', 'from: [near/small]'] }),
];

describe('random edits', () => {
  const folders: string[] = [];
  afterAll(() => remove(...folders));
  const planWith = async (edits: readonly Edit[]): Promise<Plan> => {
    const url = 'http://127.0.0.1:9';
    const files = { 'headgate.yaml': PROJECT(url), 'shorten.yaml': SHORTEN };
    for (const { of } of edits) {
      const [file, was, is] = of;
      expect(files[file]).toContain(was);
      files[file] = files[file].replace(was, is);
    }
    folders.push(workflowsFolder(url, files));
    return planOf(folders.at(-1) ?? '');
  };

  it('move the cost in the direction that their meaning says, alone and several of one direction', async () => {
    const base = await planWith([]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(arbitraryRun, { minLength: 5, maxLength: 40 }),
        fc.constantFrom('up', 'down'),
        fc.array(fc.record({ at: fc.nat(EDITS.length - 1), factor: fc.integer({ min: 2, max: 9 }) }), {
          minLength: 1,
          maxLength: 6,
        }),
        async (drawn, means, chosen) => {
          const edits = new Map(
            chosen.flatMap(({ at, factor }) => {
              const edit = EDITS[at]?.(factor);
              return edit?.means === means ? [[at, edit] as const] : [];
            }),
          );
          fc.pre(edits.size > 0);
          // Served by the route as it is: the first candidate answered.
          const traffic = trafficOf(drawn.map((run) => ({ ...run, model: 'near/small' })));
          const { change } = await replay({ base, head: await planWith([...edits.values()]), traffic });
          if (means === 'up') expect(change.likely).toBeGreaterThanOrEqual(0n);
          else expect(change.likely).toBeLessThanOrEqual(0n);
        },
      ),
      { numRuns: sized(12) },
    );
  }, 120_000);
});

describe('a traffic file', () => {
  it('gives back what was written, and is what its schema says', async () => {
    const { gzipSync } = await import('node:zlib');
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryRun, { maxLength: 60 }), async (drawn) => {
        const traffic = trafficOf(drawn);
        const writer = new TrafficWriter(traffic);
        const lines = [writer.header];
        const written: TrafficRun[] = [];
        for await (const run of traffic.runs()) {
          written.push(run);
          lines.push(writer.run(run));
        }
        const path = join(folder, 'traffic.hgt');
        writeFileSync(path, gzipSync(lines.join('')));
        const read: TrafficRun[] = [];
        for await (const run of (await openTrafficFile(path)).runs()) read.push(run);
        // Inputs are told apart, and by nothing else.
        const equal = (runs: readonly TrafficRun[]): readonly number[] =>
          runs.map(({ input }) => runs.findIndex((other) => other.input === input));
        expect(equal(read)).toEqual(equal(written));
        expect(read.map((run) => ({ ...run, input: 0 }))).toEqual(
          written.map((run) => ({ ...run, input: 0 })),
        );
      }),
      { numRuns: 30 },
    );
  });
  it('has its schema in schema/traffic.json, as `npm run codegen` writes it', () => {
    expect(JSON.parse(readRepositoryFile('schema/traffic.json'))).toEqual(TRAFFIC_SCHEMA);
  });

  const folder = workflowsFolder('http://127.0.0.1:9');
  afterAll(() => remove(folder));
});
