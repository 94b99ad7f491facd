// Reads: nodes, pages, filters, statistics, and how many queries they cost.
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../src/engine/execution/records.ts';
import { asker, codeOf } from './support/ask.ts';
import { ANA, attempt, AUDITOR, BOB, createTestServices, revisionRecord } from './support/services.ts';
import type { TestServices } from './support/services.ts';

/** Runs of Ana and Bob in turn, oldest first: run_00 … */
async function withRuns(count: number): Promise<TestServices & { readonly ids: readonly string[] }> {
  const test = await createTestServices();
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const id = `run_${String(index).padStart(2, '0')}`;
    const caller = index % 2 === 0 ? ANA : BOB;
    const overrides: Partial<RunRecord> = {
      id,
      status: 'succeeded',
      startedAtMs: 1_700_000_000_000 + index,
      finishedAtMs: 1_700_000_000_500,
      costNanoUsd: BigInt(index),
    };
    test.engine.open({ task: 'summarize', input: { text: 't' }, caller }, overrides);
    test.ledger.commit([{ kind: 'attempt_closed', attempt: attempt(id, { caller: caller.name }) }]);
    ids.push(id);
  }
  test.ledger.calls.length = 0;
  return { ...test, ids };
}

const PAGE = `query ($first: Int, $after: String, $last: Int, $before: String, $filter: RunFilter) {
  runs(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

describe('where an answer comes from', () => {
  it('tells the cache from the loop guard', async () => {
    const test = await createTestServices();
    const open = (overrides: Partial<RunRecord>) =>
      test.engine.open({ task: 'summarize', input: { text: 't' }, caller: ANA }, overrides);
    open({ id: 'run_a' });
    open({ id: 'run_b', cached: true });
    open({ id: 'run_c', cached: true, reusedBy: 'loop_guard' });
    const { data } = await asker(test)('{ runs(first: 3) { edges { node { cached origin } } } }');
    expect(data.runs.edges.map(({ node }: { node: object }) => node)).toEqual([
      { cached: true, origin: 'LOOP_GUARD' },
      { cached: true, origin: 'CACHE' },
      { cached: false, origin: 'FRESH' },
    ]);
  });
});

describe('statistics without a window', () => {
  it('are those of a day', async () => {
    const test = await createTestServices();
    expect((await asker(test)('{ costStats { window } }')).data).toEqual({ costStats: { window: 'DAY' } });
  });
});

describe('Query.runs', () => {
  it('walks forward and back through all runs, newest first, without a gap or a repeat', async () => {
    const test = await withRuns(7);
    const ask = asker(test);
    const forward: string[] = [];
    let after: string | null = null;
    for (;;) {
      const { data } = await ask(PAGE, { variables: { first: 3, after } });
      forward.push(...data.runs.edges.map((edge: { node: { id: string } }) => edge.node.id));
      if (data.runs.pageInfo.hasNextPage !== true) break;
      after = data.runs.pageInfo.endCursor;
    }
    expect(forward).toEqual(test.ids.toReversed());
    const { data: last } = await ask(PAGE, { variables: { last: 2 } });
    expect(last.runs.edges.map((edge: { node: { id: string } }) => edge.node.id)).toEqual([
      'run_01',
      'run_00',
    ]);
    expect(last.runs.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: false });
    const { data: back } = await ask(PAGE, { variables: { last: 2, before: 'run_01' } });
    expect(back.runs.edges.map((edge: { node: { id: string } }) => edge.node.id)).toEqual([
      'run_03',
      'run_02',
    ]);
  });

  it('stays in place when runs are added meanwhile', async () => {
    const test = await withRuns(4);
    const ask = asker(test);
    const { data: first } = await ask(PAGE, { variables: { first: 2 } });
    test.engine.open({ task: 'summarize', input: {}, caller: ANA }, { id: 'run_99' });
    const { data: second } = await ask(PAGE, {
      variables: { first: 2, after: first.runs.pageInfo.endCursor },
    });
    expect(second.runs.edges.map((edge: { node: { id: string } }) => edge.node.id)).toEqual([
      'run_01',
      'run_00',
    ]);
  });

  it.each([
    [{ first: 2, last: 2 }, 'Give `first` or `last`, not both.'],
    [{ first: 201 }, 'A page has 0 to 200 entries; 201 were asked for.'],
    [{ first: -1 }, 'A page has 0 to 200 entries; -1 were asked for.'],
    [{ after: 'att_1' }, '"att_1" is not a cursor of this list.'],
  ])('refuses %j with what is wrong', async (variables, message) => {
    const result = await asker(await withRuns(1))(PAGE, { variables });
    expect(result.errors?.[0]?.message).toBe(message);
    expect(codeOf(result)).toBe('BAD_USER_INPUT');
  });

  it('passes each filter on', async () => {
    const test = await withRuns(6);
    const filter = {
      caller: 'bob',
      minCost: '0.000000003',
      status: 'SUCCEEDED',
      task: 'summarize',
      startedFrom: '2023-11-14T22:13:20Z',
      startedTo: '2099-01-01T00:00:00Z',
    };
    const { data, errors } = await asker(test)(PAGE, { variables: { filter } });
    expect(errors).toBeUndefined();
    expect(data.runs.edges.map((edge: { node: { id: string } }) => edge.node.id)).toEqual([
      'run_05',
      'run_03',
    ]);
  });

  it('reads each level of a page of 20 once, however many runs and attempts it has', async () => {
    const test = await withRuns(20);
    test.ledger.revisionRows.push(revisionRecord('b'.repeat(64)));
    const { data, errors } = await asker(test)(`{ runs(first: 20) { edges { node {
      id cost task { name } caller { name } revision { hash commit }
      steps { key status }
      attempts { provider { name } decision { rule candidates { model skipped { code } } } }
    } } } }`);
    expect(errors).toBeUndefined();
    expect(data.runs.edges).toHaveLength(20);
    expect(test.ledger.calls.toSorted()).toEqual(['attemptsOf', 'runs', 'stepsOf']);
  });

  it('reads revisions that are no longer active in one batch', async () => {
    const test = await withRuns(0);
    for (const [index, letter] of ['b', 'c', 'd'].entries()) {
      test.ledger.revisionRows.push(revisionRecord(letter.repeat(64), { commit: letter }));
      test.engine.open(
        { task: 'gone', input: {}, caller: ANA },
        { id: `run_${index}`, revision: letter.repeat(64) },
      );
    }
    test.ledger.calls.length = 0;
    const { data } = await asker(test)(
      '{ runs { edges { node { task { name active description } revision { commit active } } } } }',
    );
    expect(data.runs.edges.map((edge: { node: object }) => edge.node)).toEqual(
      ['d', 'c', 'b'].map((commit) => ({
        task: { name: 'gone', active: false, description: '' },
        revision: { commit, active: false },
      })),
    );
    expect(test.ledger.calls).toEqual(['runs', 'revisionsByHash']);
  });
});

describe('lists that lead to runs', () => {
  it('read the runs of all alerts, and the parents of all runs, in one batch each', async () => {
    const test = await withRuns(6);
    for (const [index, id] of test.ids.entries()) {
      test.ledger.commit([
        {
          kind: 'alert',
          alert: {
            id: `alr_${index}`,
            kind: 'loop',
            severity: 'info',
            message: '',
            remedy: '',
            scope: 'all',
            atMs: 0,
            runId: id,
            details: {},
          },
        },
      ]);
      test.engine.open(
        { task: 'summarize', input: {}, caller: ANA },
        { id: `run_child_${index}`, parentRunId: id },
      );
    }
    const { data } = await asker(test)('{ alerts { edges { node { run { id } } } } }');
    expect(data.alerts.edges).toHaveLength(6);
    expect(test.ledger.calls).toEqual(['alerts', 'runsById']);
    test.ledger.calls.length = 0;
    const { data: children } = await asker(test)('{ runs(first: 6) { edges { node { parent { id } } } } }');
    expect(children.runs.edges[0].node.parent.id).toBe('run_05');
    expect(test.ledger.calls).toEqual(['runs', 'runsById']);
  });
});

describe('Query.node', () => {
  it('finds everything by the id that it was shown with', async () => {
    const test = await withRuns(1);
    test.budgets.push(companyBudget());
    const ask = asker(test);
    const { data } = await ask(
      '{ runs { edges { node { id revision { id } task { id } } } } budgets { id } providers { id } }',
    );
    const [{ node }] = data.runs.edges;
    const ids = {
      Run: node.id,
      Revision: node.revision.id,
      TaskType: node.task.id,
      Budget: data.budgets[0].id,
      Provider: data.providers[0].id,
    };
    expect(ids).toEqual({
      Run: 'run_00',
      Revision: `revision:${'a'.repeat(64)}`,
      TaskType: 'task:summarize',
      Budget: 'budget:company',
      Provider: 'provider:builtin',
    });
    for (const [typename, id] of Object.entries(ids)) {
      const found = await ask('query ($id: ID!) { node(id: $id) { __typename id } }', { variables: { id } });
      expect(found).toEqual({ data: { node: { __typename: typename, id } } });
    }
  });

  it('is null for what there is not, and says what an id looks like for what is none', async () => {
    const ask = asker(await createTestServices());
    expect((await ask('{ node(id: "run_none") { id } }')).data).toEqual({ node: null });
    const wrong = await ask('{ node(id: "x") { id } }');
    expect(codeOf(wrong)).toBe('BAD_USER_INPUT');
  });

  it('does not tell a run of another caller from none (INV-12)', async () => {
    const test = await withRuns(1);
    const ask = asker(test);
    expect(
      (await ask('{ node(id: "run_00") { id } run(id: "run_00") { id } }', { caller: BOB })).data,
    ).toEqual({ node: null, run: null });
    expect((await ask('{ run(id: "run_00") { id } }', { caller: ANA })).data).toEqual({
      run: { id: 'run_00' },
    });
    expect((await ask('{ run(id: "run_00") { id } }', { caller: AUDITOR })).data).toEqual({
      run: { id: 'run_00' },
    });
  });
});

function companyBudget(): TestServices['budgets'][number] {
  return {
    budget: {
      id: 'company',
      name: 'company',
      scope: { kind: 'all' },
      each: null,
      when: null,
      limit: { unit: 'usd', nanoUsd: 400_000_000_000n },
      per: { kind: 'calendar', unit: 'month', timeZone: 'UTC' },
      warnAt: [0.5, 0.8],
      then: 'reject',
    },
    account: '',
    limit: 400_000_000_000n,
    spent: 12_500_000_000n,
    held: 1n,
    calls: 7,
    windowStartedAtMs: 0,
    resetsAtMs: 86_400_000,
  };
}

describe('budgets', () => {
  const ASK =
    '{ budgets { id name account scope unit limit spent held per windowStartedAt resetsAt then warnAt calls } }';

  it('shows dollars exactly, and tokens and calls as plain numbers', async () => {
    const test = await createTestServices();
    const company = companyBudget();
    const tokens = {
      ...company,
      budget: {
        ...company.budget,
        id: 'tok',
        name: 'tok',
        scope: { kind: 'task' as const, task: 'summarize' },
        limit: { unit: 'tokens' as const, tokens: 200_000 },
        per: { kind: 'rolling' as const, ms: 900_000 },
      },
      limit: 200_000n,
      spent: 5n,
      held: 0n,
      resetsAtMs: null,
    };
    test.budgets.push(company, tokens);
    const { data } = await asker(test)(ASK);
    expect(data.budgets).toEqual([
      {
        id: 'budget:company',
        name: 'company',
        account: '',
        scope: 'all',
        unit: 'USD',
        limit: '400',
        spent: '12.5',
        held: '0.000000001',
        per: 'month',
        windowStartedAt: '1970-01-01T00:00:00.000Z',
        resetsAt: '1970-01-02T00:00:00.000Z',
        then: 'REJECT',
        warnAt: [0.5, 0.8],
        calls: 7,
      },
      {
        id: 'budget:tok',
        name: 'tok',
        account: '',
        scope: 'task:summarize',
        unit: 'TOKENS',
        limit: '200000',
        spent: '5',
        held: '0',
        per: '15m',
        windowStartedAt: '1970-01-01T00:00:00.000Z',
        resetsAt: null,
        then: 'REJECT',
        warnAt: [0.5, 0.8],
        calls: 7,
      },
    ]);
  });

  it("shows a caller without read:stats its own accounts and no one else's (INV-12)", async () => {
    const test = await createTestServices();
    const company = companyBudget();
    const perCaller = (account: string) => ({
      ...company,
      budget: { ...company.budget, id: 'caller', each: { kind: 'caller' as const } },
      account,
    });
    test.budgets.push(company, perCaller('ana'), perCaller('bob'));
    const ids = async (caller: typeof ANA) =>
      (await asker(test)('{ budgets { id } }', { caller })).data.budgets.map(({ id }: { id: string }) => id);
    expect(await ids(ANA)).toEqual(['budget:caller#ana']);
    expect(await ids(AUDITOR)).toEqual(['budget:company', 'budget:caller#ana', 'budget:caller#bob']);
    expect(
      (await asker(test)('{ node(id: "budget:caller#bob") { id } }', { caller: ANA })).data.node,
    ).toBeNull();
  });
});

describe('costStats', () => {
  it("sums the viewer's own spend unless it may see all, and refuses another's by name (INV-12)", async () => {
    const test = await withRuns(4);
    const ASK =
      'query ($filter: RunFilter) { costStats(window: DAY, by: [TASK], filter: $filter) { window total { runs attempts cost inputTokens } groups { key keys { dimension value } bucket { cost } } } }';
    const ask = asker(test);
    expect((await ask(ASK, { caller: ANA })).data.costStats).toEqual({
      window: 'DAY',
      total: { runs: 2, attempts: 2, cost: '0.000003', inputTokens: 0 },
      groups: [
        { key: 'summarize', keys: [{ dimension: 'TASK', value: 'summarize' }], bucket: { cost: '0.000003' } },
      ],
    });
    expect((await ask(ASK, { caller: AUDITOR })).data.costStats.total.runs).toBe(4);
    const refused = await ask(ASK, { caller: ANA, variables: { filter: { caller: 'bob' } } });
    expect(codeOf(refused)).toBe('UNAUTHORIZED');
    expect(refused.errors?.[0]?.extensions).toMatchObject({ scope: 'read:stats' });
  });
});

describe('providers, revisions and alerts', () => {
  it('shows the state of each model', async () => {
    const { data } = await asker(await createTestServices())(
      '{ providers { name adapter available unavailable models { key circuit inFlight queued latencyMs latencyP95Ms requestHeadroom } } }',
    );
    expect(data.providers).toEqual([
      {
        name: 'builtin',
        adapter: 'builtin',
        available: true,
        unavailable: null,
        models: [
          {
            key: 'builtin/extract',
            circuit: 'CLOSED',
            inFlight: 0,
            queued: 0,
            latencyMs: 11,
            latencyP95Ms: 20,
            requestHeadroom: null,
          },
        ],
      },
    ]);
  });

  it('shows refused revisions with their problems, and alerts with their runs', async () => {
    const test = await withRuns(1);
    const problem = {
      code: 'unknown-key',
      severity: 'error' as const,
      message: 'm',
      remedy: 'r',
      file: 'a.yaml',
      line: 3,
      column: 2,
      endColumn: 5,
      excerpt: ' x: 1',
    };
    test.ledger.revisionRows.push(
      revisionRecord('f'.repeat(64), { problems: [problem], activeFromMs: null }),
    );
    test.ledger.commit([
      {
        kind: 'alert',
        alert: {
          id: 'alr_1',
          kind: 'budget_warn',
          severity: 'warning',
          message: 'half is spent',
          remedy: 'look',
          scope: 'all',
          atMs: 0,
          runId: 'run_00',
          details: { share: 0.5 },
        },
      },
    ]);
    const { data, errors } = await asker(test)(
      '{ revisions { edges { node { hash active problems { code severity line } } } } alerts { edges { node { kind severity message scope run { id } details } } } }',
    );
    expect(errors).toBeUndefined();
    expect(data.revisions.edges[0].node).toEqual({
      hash: 'f'.repeat(64),
      active: false,
      problems: [{ code: 'unknown-key', severity: 'ERROR', line: 3 }],
    });
    expect(data.revisions.edges[1].node.active).toBe(true);
    expect(data.alerts.edges[0].node).toEqual({
      kind: 'BUDGET_WARN',
      severity: 'WARNING',
      message: 'half is spent',
      scope: 'all',
      run: { id: 'run_00' },
      details: { share: 0.5 },
    });
  });
});
