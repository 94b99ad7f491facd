// Operating the server: reload, the spending switch, attempts of unknown outcome, circuits and keys.
import { GraphQLError } from 'graphql';
import type { ApiKeyRecord } from '../../../ledger/port.ts';
import { needs } from '../builder.ts';
import type { Builder } from '../builder.ts';
import { tagRecord } from '../inputs.ts';
import type { Inputs } from '../inputs.ts';
import { nameOf } from '../node-ids.ts';
import type { Refs } from '../refs.ts';
import { MOST_BODY_BYTES } from '../api-keys.ts';
import { isScope } from '../../../engine/execution/scopes.ts';
import type { ReloadResult } from '../../../revisions/port.ts';
import type { TestedSink } from '../../alerts/test-sinks.ts';
import type { Enums } from '../types/enums.ts';
import { typeOfResult } from '../types/results.ts';

export function defineOperatorMutations(builder: Builder, refs: Refs, enums: Enums, inputs: Inputs): void {
  const reloaded = builder
    .objectRef<{
      readonly kind: 'Reloaded';
      readonly outcome: Extract<ReloadResult, { kind: 'activated' | 'unchanged' }>;
    }>('Reloaded')
    .implement({
      description: 'The workflows compiled and are active.',
      fields: (t) => ({
        revision: t.field({
          type: refs.revision,
          resolve: ({
            outcome: {
              revision: { record },
            },
          }) => ({ hash: record.hash, record }),
        }),
        changed: t.boolean({ resolve: ({ outcome }) => outcome.kind === 'activated' }),
      }),
    });
  const refused = builder
    .objectRef<{
      readonly kind: 'RevisionRefused';
      readonly code: string;
      readonly message: string;
      readonly remedy: string;
      readonly outcome: Extract<ReloadResult, { kind: 'refused' }>;
    }>('RevisionRefused')
    .implement({
      interfaces: [refs.refusal],
      description: 'The workflows do not compile: the last good revision goes on serving.',
      fields: (t) => ({
        problems: t.field({ type: [refs.problem], resolve: ({ outcome }) => outcome.record.problems }),
        active: t.field({
          type: refs.revision,
          resolve: (_refused, _args, context) => {
            const { record } = context.services.revisions.active();
            return { hash: record.hash, record };
          },
        }),
      }),
    });
  const reloadResult = builder.unionType('ReloadWorkflowsResult', {
    types: [reloaded, refused],
    resolveType: typeOfResult,
  });
  const createdApiKey = builder
    .objectRef<{ readonly secret: string; readonly record: ApiKeyRecord }>('CreatedApiKey')
    .implement({
      description: 'A new key.',
      fields: (t) => ({
        secret: t.exposeString('secret', {
          description: 'Shown here and never again: `Authorization: Bearer hg_…`.',
        }),
        apiKey: t.expose('record', { type: refs.apiKey }),
      }),
    });

  const testedSink = builder.objectRef<TestedSink>('TestedSink').implement({
    description: 'What came of a test message to a sink of alerts.',
    fields: (t) => ({
      name: t.exposeString('name'),
      kind: t.exposeString('kind', { description: '`webhook`, `slack`, `email` or `pagerduty`.' }),
      failure: t.exposeString('failure', { nullable: true, description: 'Null: it took the message.' }),
    }),
  });

  builder.mutationFields((t) => ({
    testAlerts: t.field({
      type: [testedSink],
      description: 'Sends a test message to each sink of alerts that the workflows name.',
      authScopes: needs.admin,
      complexity: 50,
      resolve: async (_root, _args, context) => [...(await context.services.testAlerts())],
    }),
    reloadWorkflows: t.field({
      type: reloadResult,
      description: 'Loads the workflows again: from the directory, or from the git ref.',
      authScopes: needs.admin,
      complexity: 50,
      resolve: async (_root, _args, context) => {
        const outcome = await context.services.revisions.reload();
        if (outcome.kind !== 'refused') return { kind: 'Reloaded' as const, outcome };
        const { length } = outcome.record.problems;
        return {
          kind: 'RevisionRefused' as const,
          outcome,
          code: 'REVISION_REFUSED',
          message: `The workflows have ${length} problem${length === 1 ? '' : 's'}; the last good revision goes on serving.`,
          remedy: 'Mend what `problems` names, and reload.',
        };
      },
    }),
    pauseSpending: t.field({
      type: refs.spendSwitch,
      description: 'The switch to pull on a Tuesday morning: nothing is sent to any provider until resumed.',
      authScopes: needs.admin,
      args: {
        scope: t.arg({ type: inputs.spendScope, required: true }),
        reason: t.arg.string({ required: true }),
      },
      resolve: async (_root, { scope, reason }, context) => {
        const { guards, ledger } = context.services;
        const pulled = guards.pause(scopeText(scope), reason, context.caller.name);
        // Answered when it is durable: a switch that a crash would undo is none.
        await ledger.setSwitch(pulled);
        return pulled;
      },
    }),
    resumeSpending: t.field({
      type: refs.spendSwitch,
      authScopes: needs.admin,
      args: { scope: t.arg({ type: inputs.spendScope, required: true }) },
      resolve: async (_root, args, context) => {
        const { guards, ledger, clock } = context.services;
        const scope = scopeText(args.scope);
        const resumed = guards.resume(scope, context.caller.name);
        await ledger.clearSwitch(scope, context.caller.name, clock.nowMs());
        if (resumed === undefined)
          throw badInput(`Spending is not paused for "${scope}".`, 'Ask for `spendSwitches` to see what is.');
        return resumed;
      },
    }),
    acknowledgeAlert: t.field({
      type: refs.alert,
      description: 'Says that somebody has seen to it. Who was the first stays.',
      authScopes: needs.admin,
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_root, { id }, context) => {
        const { ledger, clock } = context.services;
        await ledger.acknowledgeAlert(id, context.caller.name, clock.nowMs());
        const alert = await ledger.alert(id);
        if (alert === undefined)
          throw badInput(`There is no alert "${id}".`, 'Ask for `alerts` to see what there is.');
        return alert;
      },
    }),
    reconcileAttempt: t.field({
      type: refs.attempt,
      description:
        'Decides what an attempt of unknown outcome cost, and settles its budgets; `unreconciled` lists them. Lowers one that was settled at an estimate, which `estimates` lists, once. `cost` goes with CONFIRM; without it the worst case is taken.',
      authScopes: needs.admin,
      args: {
        id: t.arg.id({ required: true }),
        verdict: t.arg({ type: enums.reconcileVerdict, required: true }),
        cost: t.arg({ type: 'USD' }),
      },
      resolve: (_root, { id, verdict, cost }, context) => {
        const { ledger } = context.services;
        if (verdict === 'confirm')
          return ledger.reconcile(id, {
            kind: 'confirm',
            ...(typeof cost === 'bigint' ? { costNanoUsd: cost } : {}),
          });
        if (typeof cost === 'bigint')
          throw badInput('What was not billed has no cost.', 'Leave `cost` out, or use the verdict CONFIRM.');
        return ledger.reconcile(id, { kind: 'release' });
      },
    }),
    adjustLedger: t.field({
      type: refs.attempt,
      description:
        'Enters what a provider billed and no row tells, as after a restore: it counts now, in every budget that such a call counts in. `reconcileAttempt` lowers it.',
      authScopes: needs.admin,
      args: { input: t.arg({ type: inputs.adjustLedger, required: true }) },
      resolve: (_root, { input }, context) =>
        context.services.adjustSpend({
          costNanoUsd: input.cost,
          reason: input.reason,
          by: context.caller.name,
          provider: input.provider,
          model: input.model ?? null,
          task: input.task ?? null,
          caller: {
            name: input.caller ?? context.caller.name,
            team: input.team ?? null,
            tier: input.tier ?? null,
          },
          tags: tagRecord(input.tags),
        }),
    }),
    resetCircuit: t.field({
      type: refs.provider,
      description: "Closes the circuits of all the provider's models.",
      authScopes: needs.admin,
      args: { provider: t.arg.id({ required: true }) },
      resolve: (_root, { provider }, context) => {
        const { providers } = context.services;
        const name = nameOf('Provider', provider);
        if (!providers.resetCircuit(name)) {
          throw badInput(
            `There is no provider "${name}".`,
            `It is one of: ${providers
              .list()
              .map((one) => one.name)
              .join(', ')}.`,
          );
        }
        return { name, status: providers.get(name) ?? null };
      },
    }),
    createApiKey: t.field({
      type: createdApiKey,
      authScopes: needs.admin,
      args: { input: t.arg({ type: inputs.createApiKey, required: true }) },
      resolve: (_root, { input }, context) => {
        const wrong = input.scopes.find((scope) => !isScope(scope));
        if (wrong !== undefined)
          throw badInput(
            `"${wrong}" is not a scope.`,
            'Scopes: run:TASK, run:*, read:stats, read:all, caller:*, admin.',
          );
        if (input.scopes.length === 0)
          throw badInput('A key without scopes could do nothing.', 'Give at least one, such as "run:*".');
        const { maxBodyBytes = null } = input;
        if (maxBodyBytes !== null && (maxBodyBytes < 1 || maxBodyBytes > MOST_BODY_BYTES))
          throw badInput(
            `A body of ${maxBodyBytes} bytes is not what a key can be given.`,
            `Give 1 to ${MOST_BODY_BYTES}, or leave it out.`,
          );
        return context.services.keys.create({
          caller: input.caller,
          team: input.team ?? null,
          tier: input.tier ?? null,
          tags: tagRecord(input.tags),
          scopes: input.scopes,
          expiresAtMs: input.expiresAt ?? null,
          requestsPerMinute: input.requestsPerMinute ?? null,
          maxBodyBytes: input.maxBodyBytes ?? null,
        });
      },
    }),
    revokeApiKey: t.field({
      type: refs.apiKey,
      authScopes: needs.admin,
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_root, { id }, context) => {
        const revoked = await context.services.keys.revoke(id);
        if (revoked === undefined)
          throw badInput(`There is no key "${id}".`, 'Ask for `apiKeys` to see their ids.');
        return revoked;
      },
    }),
  }));
}

function badInput(message: string, remedy: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', remedy } });
}

/** `{ task: "summarize" }` → `task:summarize`; `{ all: true }` → `all`. */
function scopeText(scope: { readonly [field: string]: string | boolean | null | undefined }): string {
  const [[kind, value] = ['all', true]] = Object.entries(scope);
  if (kind !== 'all') return `${kind}:${String(value)}`;
  if (value !== true) throw badInput('`all` is always `true`.', 'Write scope: { all: true }.');
  return 'all';
}
