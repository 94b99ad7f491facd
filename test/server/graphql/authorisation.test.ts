// The authorisation matrix: every root field against every scope (INV-12). A new field has to take its place here.
import { describe, expect, it } from 'vitest';
import type { Caller } from '../../../src/engine/budget/port.ts';
import { buildSchema } from '../../../src/server/graphql/schema.ts';
import { createContext } from '../../../src/server/graphql/context.ts';
import { execute, parse, subscribe, type GraphQLSchema } from 'graphql';
import { hasScope, isScope, mayRun } from '../../../src/engine/execution/scopes.ts';
import { servicesOf } from '../../../src/serve.ts';
import { sharedApp } from '../real.ts';
import { plan } from './plan.ts';

const SCOPES = [
  'run:code-review',
  'run:summarize',
  'run:*',
  'caller:*',
  'read:stats',
  'read:all',
  'admin',
] as const;
type Scope = (typeof SCOPES)[number];

const EVERYONE: readonly Scope[] = SCOPES;
const STATS: readonly Scope[] = ['read:stats', 'read:all', 'admin'];
const ADMIN: readonly Scope[] = ['admin'];
const RUNNERS: readonly Scope[] = ['run:summarize', 'run:*', 'admin'];

const SPAN = '{ from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z" }';

/** The operation, and the scopes that open it. What a caller then sees of others is in reads.test.ts. */
const MATRIX: { readonly [field: string]: readonly [source: string, scopes: readonly Scope[]] } = {
  'Query.node': ['{ node(id: "task:summarize") { id } }', EVERYONE],
  'Query.taskTypes': ['{ taskTypes { name } }', EVERYONE],
  'Query.taskType': ['{ taskType(name: "summarize") { name } }', EVERYONE],
  'Query.run': ['{ run(id: "run_x") { id } }', EVERYONE],
  'Query.runs': ['{ runs { edges { cursor } } }', EVERYONE],
  'Query.costStats': ['{ costStats(window: DAY) { at } }', EVERYONE],
  // A caller's own; everybody's is a matter of reads.test.ts.
  'Query.spend': [`{ spend(span: ${SPAN}) { __typename } }`, EVERYONE],
  'Query.savings': [`{ savings(span: ${SPAN}) { __typename } }`, EVERYONE],
  'Query.pace': ['{ pace { __typename } }', EVERYONE],
  'Query.costChange': [`{ costChange(to: ${SPAN}) { __typename } }`, EVERYONE],
  'Query.budgets': ['{ budgets { id } }', EVERYONE],
  'Query.providers': ['{ providers { id } }', EVERYONE],
  'Query.viewer': ['{ viewer { name scopes } }', EVERYONE],
  'Query.revisions': ['{ revisions { edges { cursor } } }', STATS],
  'Query.planDifference': ['{ planDifference(before: "x", after: "x") { before } }', STATS],
  'Query.alerts': ['{ alerts { edges { cursor } } }', STATS],
  'Query.nodes': ['{ nodes { id } }', STATS],
  'Query.spendSwitches': ['{ spendSwitches { scope } }', STATS],
  'Query.apiKeys': ['{ apiKeys { id } }', ADMIN],
  'Query.estimates': ['{ estimates { id } }', ADMIN],
  'Query.unreconciled': ['{ unreconciled { id } }', ADMIN],
  'Mutation.runTask': ['mutation { runTask(task: { summarize: { text: "a" } }) { __typename } }', RUNNERS],
  'Mutation.runTaskJson': [
    'mutation { runTaskJson(name: "summarize", input: { text: "a" }) { __typename } }',
    RUNNERS,
  ],
  'Mutation.testAlerts': ['mutation { testAlerts { __typename } }', ADMIN],
  'Mutation.startTask': [
    'mutation { startTask(task: { summarize: { text: "a" } }) { __typename } }',
    RUNNERS,
  ],
  'Mutation.runAgain': ['mutation { runAgain(id: "run_x") { __typename } }', EVERYONE],
  'Mutation.cancelRun': ['mutation { cancelRun(id: "run_x") { __typename } }', EVERYONE],
  'Mutation.reloadWorkflows': ['mutation { reloadWorkflows { __typename } }', ADMIN],
  'Mutation.activateRevision': ['mutation { activateRevision(hash: "x") { hash } }', ADMIN],
  'Mutation.releaseRevision': ['mutation { releaseRevision { hash } }', ADMIN],
  'Mutation.pauseSpending': [
    'mutation { pauseSpending(scope: { all: true }, reason: "r") { scope } }',
    ADMIN,
  ],
  'Mutation.resumeSpending': ['mutation { resumeSpending(scope: { all: true }) { scope } }', ADMIN],
  'Mutation.adjustLedger': [
    'mutation { adjustLedger(input: { cost: "0", reason: "", provider: "" }) { id } }',
    ADMIN,
  ],
  'Mutation.acknowledgeAlert': ['mutation { acknowledgeAlert(id: "alr_x") { id } }', ADMIN],
  'Mutation.reconcileAttempt': ['mutation { reconcileAttempt(id: "att_x", verdict: RELEASE) { id } }', ADMIN],
  'Mutation.resetCircuit': ['mutation { resetCircuit(provider: "up") { id } }', ADMIN],
  'Mutation.createApiKey': [
    'mutation { createApiKey(input: { caller: "x", scopes: ["run:*"] }) { secret } }',
    ADMIN,
  ],
  'Mutation.revokeApiKey': ['mutation { revokeApiKey(id: "key_x") { id } }', ADMIN],
  'Subscription.costStats': ['subscription { costStats { at } }', EVERYONE],
  'Subscription.run': ['subscription { run(id: "run_x") { __typename } }', EVERYONE],
  'Subscription.streamTask': [
    'subscription { streamTask(task: { summarize: { text: "a" } }) { ... on RunFinished { result { __typename } } } }',
    RUNNERS,
  ],
  'Subscription.streamTaskJson': [
    'subscription { streamTaskJson(name: "summarize", input: { text: "a" }) { ... on RunFinished { result { __typename } } } }',
    RUNNERS,
  ],
  'Subscription.alerts': ['subscription { alerts { id } }', STATS],
  'Subscription.revisions': ['subscription { revisions { hash } }', STATS],
  'Subscription.providers': ['subscription { providers { id } }', EVERYONE],
};

function holder(scope: Scope): Caller {
  return { name: 'holder', team: null, tier: null, tags: {}, scopes: [scope], keyId: 'key_h' };
}

let schema: GraphQLSchema | undefined;

/** Was it refused for want of a scope: as an error, or as the union's member? */
async function isRefused(source: string, caller: Caller): Promise<boolean> {
  const { app } = await sharedApp();
  const args = {
    schema: (schema ??= buildSchema({ plan: app.revisions.active().plan })),
    document: parse(source),
    contextValue: createContext({ services: await servicesOf(app), caller }),
  };
  if (!source.startsWith('subscription')) return isUnauthorized(JSON.stringify(await execute(args)));
  const stream = await subscribe(args);
  if (!(Symbol.asyncIterator in stream)) return isUnauthorized(JSON.stringify(stream));
  if (!source.includes('streamTask')) {
    await stream.return?.(undefined);
    return false;
  }
  const events: string[] = [];
  for await (const event of stream) events.push(JSON.stringify(event));
  return isUnauthorized(events.join());
}

function isUnauthorized(text: string): boolean {
  return text.includes('UNAUTHORIZED') || text.includes('"Unauthorized"');
}

describe('the authorisation matrix', () => {
  it('has every root field', () => {
    const schema = buildSchema({ plan: plan() });
    const fields = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(
      (type) => Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name ?? ''}.${field}`),
    );
    expect(Object.keys(MATRIX).toSorted()).toEqual(fields.toSorted());
  });

  it.each(Object.entries(MATRIX))(
    'INV-12: %s is open to its scopes and to no other',
    async (_field, [source, scopes]) => {
      const open: Scope[] = [];
      for (const scope of SCOPES) if (!(await isRefused(source, holder(scope)))) open.push(scope);
      expect(open).toEqual(SCOPES.filter((scope) => scopes.includes(scope)));
    },
  );

  it("INV-12: running in another's name needs a scope of its own", async () => {
    const source =
      'mutation { runTask(task: { summarize: { text: "a" } }, options: { caller: { name: "other" } }) { __typename } }';
    expect(await isRefused(source, holder('run:*'))).toBe(true);
    expect(await isRefused(source, { ...holder('run:*'), scopes: ['run:*', 'caller:*'] })).toBe(false);
    expect(await isRefused(source, holder('admin'))).toBe(false);
  });
});

describe('scopes', () => {
  it('are known by their form', () => {
    for (const scope of [...SCOPES, 'run:parse-mail', 'run:parse_mail2', 'run:gpt-5.6/luna'])
      expect(isScope(scope)).toBe(true);
    for (const text of ['', 'run:', 'run', 'read:*', '*', 'admin ', 'run:a b'])
      expect(isScope(text)).toBe(false);
  });

  it('INV-12: a scope for one task opens no other', () => {
    expect(mayRun(holder('run:summarize'), 'summarize')).toBe(true);
    expect(mayRun(holder('run:summarize'), 'summarize-all')).toBe(false);
    expect(mayRun(holder('read:all'), 'summarize')).toBe(false);
    expect(hasScope(holder('read:all'), 'read:stats')).toBe(true);
    expect(hasScope(holder('read:stats'), 'read:all')).toBe(false);
  });
});
