// Reads: nodes, pages, filters, statistics, and how many queries they cost.
import { beforeAll, describe, expect, it } from 'vitest';
import { formatUsd } from '../../../src/common/money.ts';
import type { AlertRecord } from '../../../src/engine/execution/recorder.ts';
import type { RunRecord } from '../../../src/engine/execution/records.ts';
import type { RevisionRecord } from '../../../src/ledger/port.ts';
import { finish, makeAttempt, makeRun, makeStep, settle } from '../../support/ledger-records.ts';
import {
  ANA,
  asker,
  AUDITOR,
  BOB,
  codeOf,
  openRealApp,
  PROJECT,
  summarize,
  summarizeAs,
  type Ask,
  type RealApp,
} from '../real.ts';

const BUDGETS = `budgets:
  company: { limit: $400, per: month, warnAt: [50%, 80%], then: reject }
  caller: { each: caller, limit: $10, per: day, then: reject }
  tok: { task: summarize, limit: 200000 tokens, per: 15m, then: reject }
`;

let real: RealApp;
let ask: Ask;
let reads: string[];
/** What `ana` ran twice and `bob` twice before the tests: 1,500 nano-dollars each. */
beforeAll(async () => {
  real = await openRealApp({
    'headgate.yaml': `${PROJECT}${BUDGETS}`,
    'summarize.yaml': summarizeAs('summarize'),
  });
  ({ ask, reads } = await asker(real));
  for (const caller of [ANA, BOB, ANA, BOB]) await summarize(real.app, caller);
});

let written = 0;
/** A run in the ledger, newer than those before it, but of another year than the statistics show. */
async function write(fields: Partial<RunRecord> = {}): Promise<string> {
  written += 1;
  const id = `run_${String(written).padStart(4, '0')}`;
  const startedAtMs = 1_700_000_000_000 + written;
  const run = makeRun(id, { revision: real.app.revisions.active().plan.hash, startedAtMs, ...fields });
  const { ledger } = real.app;
  await ledger.openRun({ ...run, status: 'running', costNanoUsd: 0n, cached: false });
  if (run.cached) await ledger.finishRun(finish(run));
  else {
    const attempt = makeAttempt(`att_${id}`, run, { postings: [] });
    await ledger.openAttempt(attempt);
    await ledger.closeAttempt(settle(attempt, { costNanoUsd: run.costNanoUsd }), makeStep(id, 'main'));
    await ledger.finishRun(finish(run));
  }
  return id;
}

/** Runs of Ana and Bob in turn, oldest first, and what asks for these alone. */
async function withRuns(count: number): Promise<{ readonly ids: readonly string[]; readonly tag: object }> {
  const set = String(written);
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const { name, team, tier } = index % 2 === 0 ? ANA : BOB;
    ids.push(await write({ caller: { name, team, tier }, tags: { set }, costNanoUsd: BigInt(index) }));
  }
  reads.length = 0;
  return { ids, tag: { key: 'set', value: set } };
}

const PAGE = `query ($first: Int, $after: String, $last: Int, $before: String, $filter: RunFilter) {
  runs(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;
interface Runs {
  readonly edges: readonly { readonly node: { readonly id: string } }[];
}
const idsOf = ({ edges }: Runs): readonly string[] => edges.map(({ node }) => node.id);
const nodesOf = ({ edges }: Runs): readonly object[] => edges.map(({ node }) => node);

describe('where an answer comes from', () => {
  it('tells the cache from the loop guard', async () => {
    await write();
    await write({ cached: true });
    await write({ cached: true, reusedBy: 'loop_guard' });
    const { data } = await ask(
      '{ runs(first: 3, filter: { startedTo: "2024-01-01T00:00:00Z" }) { edges { node { cached origin } } } }',
    );
    expect(nodesOf(data.runs)).toEqual([
      { cached: true, origin: 'LOOP_GUARD' },
      { cached: true, origin: 'CACHE' },
      { cached: false, origin: 'FRESH' },
    ]);
  });
});

describe('statistics without a window', () => {
  it('are those of a day', async () => {
    expect((await ask('{ costStats { window } }')).data).toEqual({ costStats: { window: 'DAY' } });
  });
});

describe('Query.runs', () => {
  it('walks forward and back through all runs, newest first, without a gap or a repeat', async () => {
    const { ids, tag } = await withRuns(7);
    const filter = { tag };
    const forward: string[] = [];
    let after: string | null = null;
    for (;;) {
      const page = (await ask(PAGE, { variables: { first: 3, after, filter } })).data.runs;
      forward.push(...idsOf(page));
      if (page.pageInfo.hasNextPage !== true) break;
      after = page.pageInfo.endCursor as string;
    }
    expect(forward).toEqual(ids.toReversed());
    const { data: last } = await ask(PAGE, { variables: { last: 2, filter } });
    expect(idsOf(last.runs)).toEqual([ids[1], ids[0]]);
    expect(last.runs.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: false });
    const { data: back } = await ask(PAGE, { variables: { last: 2, before: ids[1], filter } });
    expect(idsOf(back.runs)).toEqual([ids[3], ids[2]]);
  });

  it('stays in place when runs are added meanwhile', async () => {
    const { ids, tag } = await withRuns(4);
    const filter = { tag };
    const { data: first } = await ask(PAGE, { variables: { first: 2, filter } });
    await write({ tags: { set: (tag as { value: string }).value } });
    const { data: second } = await ask(PAGE, {
      variables: { first: 2, after: first.runs.pageInfo.endCursor, filter },
    });
    expect(idsOf(second.runs)).toEqual([ids[1], ids[0]]);
  });

  it.each([
    [{ first: 2, last: 2 }, 'Give `first` or `last`, not both.'],
    [{ first: 201 }, 'A page has 0 to 200 entries; 201 were asked for.'],
    [{ first: -1 }, 'A page has 0 to 200 entries; -1 were asked for.'],
    [{ after: 'att_1' }, '"att_1" is not a cursor of this list.'],
  ])('refuses %j with what is wrong', async (variables, message) => {
    const result = await ask(PAGE, { variables });
    expect(result.errors?.[0]?.message).toBe(message);
    expect(codeOf(result)).toBe('BAD_USER_INPUT');
  });

  it('passes each filter on', async () => {
    const { ids, tag } = await withRuns(6);
    const filter = {
      caller: 'bob',
      minCost: '0.000000003',
      status: 'SUCCEEDED',
      task: 'summarize',
      startedFrom: '2023-11-14T22:13:20Z',
      startedTo: '2099-01-01T00:00:00Z',
      tag,
    };
    const { data, errors } = await ask(PAGE, { variables: { filter } });
    expect(errors).toBeUndefined();
    expect(idsOf(data.runs)).toEqual([ids[5], ids[3]]);
    for (const other of [
      { caller: 'ana' },
      { minCost: '1' },
      { status: 'FAILED' },
      { task: 'code-review' },
      { startedFrom: '2099-01-01T00:00:00Z' },
      { startedTo: '2023-11-14T22:13:20Z' },
    ]) {
      const { data: others } = await ask(PAGE, { variables: { filter: { ...filter, ...other } } });
      expect([other, idsOf(others.runs).filter((id) => id === ids[5] || id === ids[3])]).toEqual([other, []]);
    }
  });

  it('reads each level of a page of 20 once, however many runs and attempts it has', async () => {
    const { tag } = await withRuns(20);
    const { data, errors } = await ask(
      `query ($filter: RunFilter) { runs(first: 20, filter: $filter) { edges { node {
      id cost task { name } caller { name } revision { hash commit }
      steps { key status }
      attempts { provider { name } decision { rule candidates { model skipped { code } } } }
    } } } }`,
      { variables: { filter: { tag } } },
    );
    expect(errors).toBeUndefined();
    expect(data.runs.edges).toHaveLength(20);
    expect(reads.toSorted()).toEqual(['attemptsOf', 'runs', 'stepsOf']);
  });

  it('reads revisions that are no longer active in one batch', async () => {
    const tags = { set: 'gone' };
    for (const letter of ['b', 'c', 'd']) {
      await real.app.ledger.recordRevision(revisionRecord(letter.repeat(64), letter), null);
      await write({ task: 'gone', revision: letter.repeat(64), tags });
    }
    reads.length = 0;
    const { data } = await ask(
      '{ runs(filter: { tag: { key: "set", value: "gone" } }) { edges { node { task { name active description } revision { commit active } } } } }',
    );
    expect(nodesOf(data.runs)).toEqual(
      ['d', 'c', 'b'].map((commit) => ({
        task: { name: 'gone', active: false, description: '' },
        revision: { commit, active: false },
      })),
    );
    expect(reads).toEqual(['runs', 'revisionsByHash']);
  });
});

function revisionRecord(hash: string, commit: string): RevisionRecord {
  return {
    hash,
    commit,
    author: null,
    subject: null,
    dirty: false,
    source: 'directory workflows',
    compiledAtMs: 1_700_000_000_000,
    activeFromMs: 1_700_000_000_000,
    activeToMs: 1_700_000_000_001,
    problems: [],
    pinned: false,
  };
}

const alertOf = (id: string, runId: string, fields: Partial<AlertRecord> = {}): AlertRecord => ({
  id,
  kind: 'loop',
  severity: 'info',
  message: '',
  remedy: '',
  scope: 'all',
  atMs: Date.now(),
  runId,
  details: {},
  ...fields,
});

describe('lists that lead to runs', () => {
  it('read the runs of all alerts, and the parents of all runs, in one batch each', async () => {
    const { ids } = await withRuns(6);
    for (const [index, id] of ids.entries()) {
      await real.app.ledger.recordAlert(alertOf(`alr_${index}`, id));
      await write({ parentRunId: id, tags: { set: 'children' } });
    }
    reads.length = 0;
    const { data } = await ask('{ alerts(first: 6) { edges { node { run { id } } } } }');
    expect(data.alerts.edges.map(({ node }: { node: { run: { id: string } } }) => node.run.id)).toEqual(
      ids.toReversed(),
    );
    expect(reads).toEqual(['alerts', 'runsById']);
    reads.length = 0;
    const { data: children } = await ask(
      '{ runs(first: 6, filter: { tag: { key: "set", value: "children" } }) { edges { node { parent { id } } } } }',
    );
    expect(children.runs.edges[0].node.parent.id).toBe(ids[5]);
    expect(reads).toEqual(['runs', 'runsById']);
  });
});

describe('Query.node', () => {
  it('finds everything by the id that it was shown with', async () => {
    const {
      ids: [runId],
      tag,
    } = await withRuns(1);
    const { data } = await ask(
      'query ($filter: RunFilter) { runs(filter: $filter) { edges { node { id revision { id } task { id } } } } budgets { id } providers { id } }',
      { variables: { filter: { tag } } },
    );
    const [{ node }] = data.runs.edges;
    const ids = {
      Run: node.id,
      Revision: node.revision.id,
      TaskType: node.task.id,
      Budget: data.budgets.find(({ id }: { id: string }) => id === 'budget:company').id,
      Provider: data.providers[0].id,
    };
    expect(ids).toEqual({
      Run: runId,
      Revision: `revision:${real.app.revisions.active().plan.hash}`,
      TaskType: 'task:summarize',
      Budget: 'budget:company',
      Provider: 'provider:up',
    });
    for (const [typename, id] of Object.entries(ids)) {
      const found = await ask('query ($id: ID!) { node(id: $id) { __typename id } }', { variables: { id } });
      expect(found).toEqual({ data: { node: { __typename: typename, id } } });
    }
  });

  it('is null for what there is not, and says what an id looks like for what is none', async () => {
    expect((await ask('{ node(id: "run_none") { id } }')).data).toEqual({ node: null });
    const wrong = await ask('{ node(id: "x") { id } }');
    expect(codeOf(wrong)).toBe('BAD_USER_INPUT');
  });

  it('does not tell a run of another caller from none (INV-12)', async () => {
    const {
      ids: [id],
    } = await withRuns(1);
    const variables = { id };
    const both = 'query ($id: ID!) { node(id: $id) { id } run(id: $id) { id } }';
    expect((await ask(both, { caller: BOB, variables })).data).toEqual({ node: null, run: null });
    for (const caller of [ANA, AUDITOR])
      expect((await ask(both, { caller, variables })).data).toEqual({ node: { id }, run: { id } });
  });
});

describe('budgets', () => {
  const ASK =
    '{ budgets { id name account each scope unit limit spent held per windowStartedAt resetsAt then warnAt calls } }';

  it('shows dollars exactly, and tokens and calls as plain numbers', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const asked = real.calls.length;
    real.answer(() => ({ until: promise, usage: { inputTokens: 120, outputTokens: 30 } }));
    const running = summarize(real.app, ANA);
    await expect.poll(() => real.calls.length).toBe(asked + 1);
    const { data } = await ask(ASK);
    const views = real.app.budgets.views();
    resolve();
    await running;
    const [company, tok] = ['company', 'tok'].map((id) => views.find(({ budget }) => budget.id === id));
    const [started, resets] = [company?.windowStartedAtMs ?? 0, company?.resetsAtMs ?? 0];
    const shown = data.budgets as readonly { readonly id: string; readonly held: string }[];
    expect(shown.find(({ id }) => id === 'budget:company')).toEqual({
      id: 'budget:company',
      name: 'company',
      account: '',
      each: null,
      scope: 'all',
      unit: 'USD',
      limit: '400',
      spent: '0.000006',
      held: formatUsd(company?.held ?? 0n),
      per: 'month',
      windowStartedAt: new Date(started).toISOString(),
      resetsAt: new Date(resets).toISOString(),
      then: 'REJECT',
      warnAt: [0.5, 0.8],
      calls: 4,
    });
    expect(company?.held).toBeGreaterThan(4_000n);
    expect(shown.find(({ id }) => id === 'budget:tok')).toMatchObject({
      name: 'tok',
      account: '',
      scope: 'task:summarize',
      unit: 'TOKENS',
      limit: '200000',
      spent: '600',
      held: String(tok?.held),
      per: '15m',
      resetsAt: new Date(tok?.resetsAtMs ?? 0).toISOString(),
      calls: 4,
    });
  });

  it("shows a caller without read:stats its own accounts and no one else's (INV-12)", async () => {
    const ids = async (caller: typeof ANA) =>
      (await ask('{ budgets { id } }', { caller })).data.budgets.map(({ id }: { id: string }) => id);
    expect(await ids(ANA)).toEqual(['budget:caller#ana']);
    expect(await ids(AUDITOR)).toEqual([
      'budget:caller#ana',
      'budget:caller#bob',
      'budget:company',
      'budget:tok',
    ]);
    expect((await ask('{ node(id: "budget:caller#bob") { id } }', { caller: ANA })).data.node).toBeNull();
  });
});

describe('spend', () => {
  it('says of each figure the same, whatever is asked for beside it', async () => {
    const { data: schema } = await ask(
      '{ __type(name: "CostBucket") { fields { name type { kind ofType { kind } } } } }',
    );
    const fields = (
      schema.__type.fields as readonly { name: string; type: { kind: string; ofType?: { kind: string } } }[]
    )
      .filter(({ type }) => (type.ofType ?? type).kind === 'SCALAR')
      .map(({ name }) => name);
    const spend = async (figures: string): Promise<{ [place: string]: { [field: string]: unknown } }> => {
      const { data } = await ask(
        `query { spend(span: { window: ALL }, by: [TASK], every: MONTH) { total { ${figures} } groups { bucket { ...Figures } } } }
         fragment Figures on CostBucket { shown: __typename ${figures} }`,
      );
      const { total, groups } = data.spend;
      return { total, first: groups[0].bucket };
    };
    const all = await spend(fields.join(' '));
    expect(fields).toContain('savedAgainstDearest');
    expect(all['total']?.['cost']).not.toBe('0');
    for (const field of fields) {
      const alone = await spend(field);
      for (const place of ['total', 'first'])
        expect([field, alone[place]?.[field]]).toEqual([field, all[place]?.[field]]);
    }
    expect(
      fields.filter((field) => !['0', 0, null].includes(all['total']?.[field] as string | number | null)),
    ).toEqual(expect.arrayContaining(['attempts', 'cost', 'inputTokens', 'outputTokens', 'runs']));
  });
});

describe('costStats', () => {
  it("sums the viewer's own spend unless it may see all, and refuses another's by name (INV-12)", async () => {
    const STATS =
      'query ($filter: RunFilter) { costStats(window: DAY, by: [TASK], filter: $filter) { window total { runs attempts cost inputTokens } groups { key keys { dimension value } bucket { cost } } } }';
    expect((await ask(STATS, { caller: BOB })).data.costStats).toEqual({
      window: 'DAY',
      total: { runs: 2, attempts: 2, cost: '0.000003', inputTokens: 240 },
      groups: [
        { key: 'summarize', keys: [{ dimension: 'TASK', value: 'summarize' }], bucket: { cost: '0.000003' } },
      ],
    });
    const all = (await ask(STATS, { caller: AUDITOR })).data.costStats.total.runs;
    expect(all).toBeGreaterThanOrEqual(4);
    const refused = await ask(STATS, { caller: ANA, variables: { filter: { caller: 'bob' } } });
    expect(codeOf(refused)).toBe('UNAUTHORIZED');
    expect(refused.errors?.[0]?.extensions).toMatchObject({ scope: 'read:stats' });
  });
});

describe('providers, revisions and alerts', () => {
  it('shows the state of each model', async () => {
    const { data } = await ask(
      '{ providers { name adapter available unavailable models { key circuit inFlight queued latencyMs latencyP95Ms requestHeadroom } } }',
    );
    expect(data.providers).toEqual([
      {
        name: 'up',
        adapter: 'openai',
        available: true,
        unavailable: null,
        models: [
          {
            key: 'up/small',
            circuit: 'CLOSED',
            inFlight: 0,
            queued: 0,
            latencyMs: expect.any(Number) as number,
            latencyP95Ms: expect.any(Number) as number,
            requestHeadroom: null,
          },
        ],
      },
    ]);
  });

  it('shows refused revisions with their problems, and alerts with their runs', async () => {
    const [active, good] = [real.app.revisions.active().plan.hash, real.files.get('summarize.yaml') ?? ''];
    real.files.set('summarize.yaml', good.replace('maxOutputTokens', 'maxOutputToken'));
    const { kind } = await real.app.revisions.reload();
    real.files.set('summarize.yaml', good);
    await real.app.revisions.reload();
    expect(kind).toBe('refused');
    const runId = await write();
    await real.app.ledger.recordAlert(
      alertOf('alr_warned', runId, {
        kind: 'budget_warn',
        severity: 'warning',
        message: 'half is spent',
        details: { share: 0.5 },
      }),
    );
    const { data, errors } = await ask(
      '{ revisions { edges { node { hash active problems { code severity line } } } } alerts(first: 1) { edges { node { kind severity message scope run { id } details } } } }',
    );
    expect(errors).toBeUndefined();
    expect(nodesOf(data.revisions)[0]).toEqual({
      hash: expect.not.stringContaining(active) as string,
      active: false,
      problems: [{ code: 'unknown-key', severity: 'ERROR', line: 8 }],
    });
    expect(nodesOf(data.revisions)).toContainEqual({ hash: active, active: true, problems: [] });
    expect(data.alerts.edges[0].node).toEqual({
      kind: 'BUDGET_WARN',
      severity: 'WARNING',
      message: 'half is spent',
      scope: 'all',
      run: { id: runId },
      details: { share: 0.5 },
    });
  });
});
