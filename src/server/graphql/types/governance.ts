// The types around runs: task types, revisions and their problems, callers, keys, alerts and spending switches.
import { isExposed } from '../../../language/plan/exchange.ts';
import { printPlan } from '../../../language/plan/print.ts';
import { needs } from '../builder.ts';
import type { Builder } from '../builder.ts';
import type { RequestContext } from '../context.ts';
import type { Refs, RevisionShape, TaskTypeShape } from '../refs.ts';
import type { TaskModel } from '../tasks.ts';
import { ADMIN, hasScope } from '../../../engine/execution/scopes.ts';
import type { Enums } from './enums.ts';
import { visibleRun } from './run.ts';
import { tagList } from './run-shape.ts';

export function defineTaskType(builder: Builder, refs: Refs, enums: Enums, tasks: TaskModel): void {
  const taskSource = builder
    .objectRef<{ readonly text: string; readonly revision: RevisionShape }>('TaskSource')
    .implement({
      description: 'The workflow file of a task, as the active revision has it.',
      fields: (t) => ({
        text: t.exposeString('text', { description: 'YAML.' }),
        revision: t.expose('revision', { type: refs.revision }),
      }),
    });
  builder.node(refs.taskType, {
    description: 'A task that the workflows define.',
    id: { resolve: ({ name }) => name },
    loadOne: (name) => {
      const found = tasks.taskType(name);
      return found.task === null ? null : found;
    },
    fields: (t) => ({
      name: t.exposeString('name'),
      kind: t.field({
        type: enums.taskKind,
        description: 'TASK where the active revision does not have it.',
        resolve: ({ task }) => (task !== null && isExposed(task) ? 'exposed' : 'task'),
      }),
      field: t.string({
        nullable: true,
        description: 'Its field in TaskInput; null: not in the active revision, or an exposed name.',
        resolve: ({ name }) => tasks.fieldOf(name) ?? null,
      }),
      description: t.string({ resolve: ({ task }) => task?.description ?? '' }),
      deprecated: t.string({ nullable: true, resolve: ({ task }) => task?.deprecated ?? null }),
      active: t.boolean({
        description: 'It is in the active revision.',
        resolve: ({ task }) => task !== null,
      }),
      revision: t.string({
        nullable: true,
        description: 'Content hash of the task and all it uses.',
        resolve: ({ task }) => task?.revision ?? null,
      }),
      file: t.string({ nullable: true, resolve: ({ task }) => task?.file ?? null }),
      inputSchema: t.field({
        type: 'JSON',
        nullable: true,
        description: 'JSON Schema, 2020-12.',
        resolve: ({ task }) => task?.inputSchema ?? null,
      }),
      outputSchema: t.field({
        type: 'JSON',
        nullable: true,
        description: 'JSON Schema, 2020-12.',
        resolve: ({ task }) => task?.outputSchema ?? null,
      }),
      source: t.field({
        type: taskSource,
        nullable: true,
        description:
          'Its file. Null: not in the active revision, or that is a pinned one whose files this process has not read.',
        authScopes: needs.readStats,
        complexity: 5,
        resolve: ({ task }, _args, { services }) => {
          const text = task && services.revisions.textOf(task.file);
          const { record } = services.revisions.active();
          return text === null ? null : { text, revision: { hash: record.hash, record } };
        },
      }),
      plan: t.string({
        nullable: true,
        description: 'All that was resolved of it, as `headgate plan` prints it.',
        resolve: ({ name, task }, _args, { services }) =>
          task === null ? null : printPlan(services.revisions.active().plan, name),
      }),
      worstCase: t.field({
        type: 'USD',
        nullable: true,
        description: 'The most that one run of it can cost.',
        resolve: async ({ task }, _args, { services }) => {
          if (task === null) return null;
          const { worstRunCost } = await import('../../../revisions/diff/worst-cost.ts');
          return worstRunCost(services.revisions.active().plan, task);
        },
      }),
      steps: t.field({ type: [taskStep(builder)], resolve: stepsOf }),
    }),
  });
}

function taskStep(builder: Builder) {
  return builder
    .objectRef<{
      readonly key: string;
      readonly kind: string;
      readonly after: readonly string[];
      readonly route: string | null;
    }>('TaskStep')
    .implement({
      description: 'A step as the task defines it.',
      fields: (t) => ({
        key: t.exposeString('key'),
        kind: t.exposeString('kind'),
        after: t.exposeStringList('after', { description: 'The steps whose results it reads.' }),
        route: t.exposeString('route', { nullable: true }),
      }),
    });
}

function stepsOf({ task }: TaskTypeShape) {
  return (task?.steps ?? []).map((step) => ({
    key: step.key,
    kind: step.kind,
    after: [...step.after],
    route: step.kind === 'model' || step.kind === 'exchange' ? step.route.name : null,
  }));
}

/** null: what the workflows say is what is served. */
export function pinnedRevision({ services }: RequestContext): RevisionShape | null {
  const { record } = services.revisions.active();
  return record.pinned ? { hash: record.hash, record } : null;
}

export function defineRevision(builder: Builder, refs: Refs, enums: Enums): void {
  builder.node(refs.revision, {
    description: 'One state of the workflow files, as it was compiled.',
    id: { resolve: ({ hash }) => hash },
    loadOne: async (hash, context) => {
      const record = await context.loaders.revision.load(hash);
      return record === null ? null : { hash, record };
    },
    fields: (t) => ({
      hash: t.exposeString('hash'),
      commit: t.string({ nullable: true, resolve: ({ record }) => record?.commit ?? null }),
      author: t.string({ nullable: true, resolve: ({ record }) => record?.author ?? null }),
      subject: t.string({ nullable: true, resolve: ({ record }) => record?.subject ?? null }),
      dirty: t.boolean({
        description: 'The files differed from the commit.',
        resolve: ({ record }) => record?.dirty ?? false,
      }),
      source: t.string({ nullable: true, resolve: ({ record }) => record?.source ?? null }),
      compiledAt: t.field({
        type: 'DateTime',
        nullable: true,
        resolve: ({ record }) => record?.compiledAtMs ?? null,
      }),
      activeFrom: t.field({
        type: 'DateTime',
        nullable: true,
        resolve: ({ record }) => record?.activeFromMs ?? null,
      }),
      activeTo: t.field({
        type: 'DateTime',
        nullable: true,
        resolve: ({ record }) => record?.activeToMs ?? null,
      }),
      active: t.boolean({
        resolve: ({ hash }, _args, context) => context.services.revisions.active().record.hash === hash,
      }),
      pinned: t.boolean({ resolve: ({ record }) => record?.pinned ?? false }),
      problems: t.field({
        type: [refs.problem],
        description: 'Empty: it compiled.',
        resolve: ({ record }) => record?.problems ?? [],
      }),
    }),
  });

  refs.problem.implement({
    description: 'What is wrong in a workflow file, where, and what to do about it.',
    fields: (t) => ({
      code: t.exposeString('code'),
      severity: t.expose('severity', { type: enums.problemSeverity }),
      message: t.exposeString('message'),
      remedy: t.exposeString('remedy'),
      file: t.exposeString('file'),
      line: t.exposeInt('line'),
      column: t.exposeInt('column'),
      endColumn: t.exposeInt('endColumn'),
      excerpt: t.exposeString('excerpt'),
    }),
  });
}

export function defineCaller(builder: Builder, refs: Refs): void {
  refs.caller.implement({
    description: 'Who runs tasks.',
    fields: (t) => ({
      name: t.exposeString('name'),
      team: t.exposeString('team', { nullable: true }),
      tier: t.exposeString('tier', { nullable: true }),
      session: t.string({
        nullable: true,
        description: "What a run's client said that it belongs to: a coding agent's session. Null: nothing.",
        resolve: ({ session }) => session ?? null,
      }),
      scopes: t.stringList({
        nullable: true,
        description: 'Only of the viewer.',
        resolve: ({ self }) => (self === null ? null : [...self.scopes]),
      }),
      tags: t.field({
        type: [refs.tag],
        nullable: true,
        description: 'Only of the viewer.',
        resolve: ({ self }) => (self === null ? null : tagList(self.tags)),
      }),
      keyId: t.string({
        nullable: true,
        description: 'Only of the viewer; null where the server runs open.',
        resolve: ({ self }) => self?.keyId ?? null,
      }),
      pinnedRevision: t.field({
        type: refs.revision,
        nullable: true,
        description:
          'Only of the viewer: the revision that a person pinned, so that what the workflows say has no effect.',
        resolve: ({ self }, _args, context) => (self === null ? null : pinnedRevision(context)),
      }),
      pauses: t.field({
        type: [refs.spendSwitch],
        nullable: true,
        description: "Only of the viewer: the switches that stop spending of its runs, others' own left out.",
        resolve: ({ self }, _args, context) =>
          self === null
            ? null
            : context.services.guards
                .switches()
                .filter(({ scope }) => !scope.startsWith('caller:') || scope === `caller:${self.name}`),
      }),
    }),
  });

  builder.node(refs.apiKey, {
    description: 'A key; its secret is known only to who was given it.',
    id: { resolve: ({ id }) => id },
    loadOne: (id, context) => {
      if (!hasScope(context.caller, ADMIN)) return null;
      const found = context.services.keys.list().find((key) => key.id === id);
      return found === undefined ? null : { ...found };
    },
    fields: (t) => ({
      hint: t.exposeString('hint', { description: 'The first characters of the secret.' }),
      caller: t.exposeString('caller'),
      team: t.exposeString('team', { nullable: true }),
      tier: t.exposeString('tier', { nullable: true }),
      tags: t.field({ type: [refs.tag], resolve: ({ tags }) => tagList(tags) }),
      scopes: t.stringList({ resolve: ({ scopes }) => [...scopes] }),
      createdAt: t.expose('createdAtMs', { type: 'DateTime' }),
      expiresAt: t.expose('expiresAtMs', { type: 'DateTime', nullable: true }),
      revokedAt: t.expose('revokedAtMs', { type: 'DateTime', nullable: true }),
      lastUsedAt: t.expose('lastUsedAtMs', { type: 'DateTime', nullable: true }),
      requestsPerMinute: t.exposeInt('requestsPerMinute', { nullable: true }),
      maxBodyBytes: t.int({
        nullable: true,
        description: "What a request may have at /v1; null: the server's limit.",
        resolve: ({ maxBodyBytes }) => maxBodyBytes ?? null,
      }),
    }),
  });
}

export function defineAlert(refs: Refs, enums: Enums): void {
  refs.alert.implement({
    description: 'Something that a person should know of.',
    fields: (t) => ({
      id: t.exposeID('id'),
      kind: t.expose('kind', { type: enums.alertKind }),
      severity: t.expose('severity', { type: enums.alertSeverity }),
      message: t.exposeString('message'),
      remedy: t.exposeString('remedy'),
      scope: t.exposeString('scope', {
        description: '`all`, `task:summarize`, `caller:ana`, `provider:openai`.',
      }),
      at: t.expose('atMs', { type: 'DateTime' }),
      run: t.field({
        type: refs.run,
        nullable: true,
        complexity: 5,
        resolve: ({ runId }, _args, context) => (runId === null ? null : visibleRun(runId, context)),
      }),
      details: t.expose('details', { type: 'JSON' }),
      acknowledgedBy: t.string({
        nullable: true,
        description: 'Who has seen to it; null: nobody yet.',
        resolve: ({ acknowledged }) => acknowledged?.by ?? null,
      }),
      acknowledgedAt: t.field({
        type: 'DateTime',
        nullable: true,
        resolve: ({ acknowledged }) => acknowledged?.atMs ?? null,
      }),
    }),
  });

  refs.serverNode.implement({
    description: 'A process that serves from this ledger in PostgreSQL.',
    fields: (t) => ({
      id: t.exposeID('id'),
      place: t.exposeString('place', { description: 'Its machine and its process.' }),
      version: t.exposeString('version', { description: 'Of Headgate.' }),
      startedAt: t.expose('startedAtMs', { type: 'DateTime' }),
      seenAt: t.expose('beatAtMs', { type: 'DateTime', description: 'Its last sign of life.' }),
      self: t.exposeBoolean('isSelf', { description: 'It is the one that answers.' }),
    }),
  });

  refs.spendSwitch.implement({
    description: 'A switch by which spending is stopped in a scope.',
    fields: (t) => ({
      scope: t.exposeString('scope', {
        description: '`all`, `provider:openai`, `model:openai/gpt…`, `task:summarize`, `caller:ana`.',
      }),
      paused: t.boolean({
        resolve: ({ scope }, _args, context) =>
          context.services.guards.switches().some((one) => one.scope === scope),
      }),
      reason: t.exposeString('reason'),
      by: t.exposeString('by', {
        description: "A caller's name, or the guard that pulled it: `guard:surge`.",
      }),
      since: t.expose('sinceMs', { type: 'DateTime' }),
    }),
  });
}
