// Run, StepRun and Attempt: what happened, served from the snapshot where there is one, else by one batch per field.
import type { AttemptRecord } from '../../../engine/execution/records.ts';
import type { Note } from '../../../engine/providers/port.ts';
import { READ_COST } from '../builder.ts';
import type { Builder } from '../builder.ts';
import type { Refs, RevisionShape } from '../refs.ts';
import { maySeeRunsOf } from '../../../engine/execution/scopes.ts';
import { storyOf } from '../../../ledger/story.ts';
import type { Story, StoryRow } from '../../../ledger/story.ts';
import type { RequestContext } from '../context.ts';
import type { Enums } from './enums.ts';
import type { TaskModel } from '../tasks.ts';
import { shapeOfRecord, tagList } from './run-shape.ts';
import type { RunShape } from './run-shape.ts';

/** What a list of unknown length is taken for when a document's cost is added up. */
const TYPICAL_STEPS = 3;

export function defineRun(builder: Builder, refs: Refs, enums: Enums, tasks: TaskModel): void {
  const story = defineStory(builder);
  builder.node(refs.run, {
    description: 'One execution of a task.',
    id: { resolve: ({ run }) => run.id },
    loadOne: (id, context) => visibleRun(id, context),
    fields: (t) => ({
      status: t.field({ type: enums.runStatus, resolve: ({ run }) => run.status }),
      task: t.field({ type: refs.taskType, resolve: ({ run }) => tasks.taskType(run.task) }),
      revision: t.field({
        type: refs.revision,
        description: 'The revision of the workflows that it ran with, from start to end.',
        resolve: ({ run }, _args, context) => revisionOf(run.revision, context),
      }),
      caller: t.field({ type: refs.caller, resolve: ({ run }) => ({ ...run.caller, self: null }) }),
      tags: t.field({ type: [refs.tag], resolve: ({ run }) => tagList(run.tags) }),
      inputJson: t.field({
        type: 'JSON',
        nullable: true,
        description:
          'As the task retains it: null where it keeps none, with addresses and numbers left out where it is redacted. The answer to whoever sent it has it whole.',
        resolve: ({ run }) => run.input,
      }),
      inputHash: t.string({
        description: 'SHA-256 of the input as canonical JSON: equal inputs have equal ones.',
        resolve: ({ run }) => run.inputHash,
      }),
      output: t.field({
        type: tasks.outputUnion,
        nullable: true,
        description:
          'Null while there is none, and where an older revision gave another shape; `outputJson` has it then.',
        resolve: ({ run }) => tasks.output(run.task, run.output),
      }),
      outputJson: t.field({ type: 'JSON', nullable: true, resolve: ({ run }) => run.output }),
      cost: t.field({
        type: 'USD',
        description: "The sum of its attempts' costs.",
        resolve: ({ run }) => run.costNanoUsd,
      }),
      saved: t.field({
        type: 'USD',
        description:
          'Against the dearest candidate that was eligible; of a cached answer, what it had cost. Nothing where the loop guard gave it again.',
        resolve: ({ run }) => run.savedNanoUsd,
      }),
      cached: t.boolean({
        description: 'Answered from an earlier run with the same input; `origin` says by what.',
        resolve: ({ run }) => run.cached,
      }),
      origin: t.field({
        type: enums.runOrigin,
        description: 'Where its answer comes from.',
        resolve: ({ run }) => run.reusedBy ?? (run.cached ? 'cache' : 'fresh'),
      }),
      startedAt: t.field({ type: 'DateTime', resolve: ({ run }) => run.startedAtMs }),
      finishedAt: t.field({ type: 'DateTime', nullable: true, resolve: ({ run }) => run.finishedAtMs }),
      latencyMs: t.float({ nullable: true, resolve: ({ run }) => run.latencyMs }),
      steps: t.field({
        type: [refs.stepRun],
        complexity: { field: READ_COST, multiplier: TYPICAL_STEPS },
        resolve: (shape, _args, context) => shape.steps ?? context.loaders.stepsOf.load(shape.run.id),
      }),
      attempts: t.field({
        type: [refs.attempt],
        complexity: { field: READ_COST, multiplier: TYPICAL_STEPS },
        resolve: (shape, _args, context) => shape.attempts ?? context.loaders.attemptsOf.load(shape.run.id),
      }),
      notes: t.field({
        type: [refs.note],
        description: 'What was out of order in its attempts, each said once.',
        complexity: { field: READ_COST, multiplier: TYPICAL_STEPS },
        resolve: async (shape, _args, context) =>
          notesOf(shape.attempts ?? (await context.loaders.attemptsOf.load(shape.run.id))),
      }),
      story: t.field({
        type: story,
        description: 'Why it ran as it did, from what is recorded.',
        complexity: READ_COST,
        resolve: async (shape, _args, context) =>
          storyOf(shape.run, shape.attempts ?? (await context.loaders.attemptsOf.load(shape.run.id))),
      }),
      error: t.field({ type: refs.runError, nullable: true, resolve: ({ run }) => run.error }),
      idempotencyKey: t.string({ nullable: true, resolve: ({ run }) => run.idempotencyKey }),
      parent: t.field({
        type: refs.run,
        nullable: true,
        description: 'The run that started this one as a step.',
        complexity: READ_COST,
        resolve: ({ run }, _args, context) =>
          run.parentRunId === null ? null : visibleRun(run.parentRunId, context),
      }),
    }),
  });

  refs.runError.implement({
    description: 'Why a run did not succeed.',
    fields: (t) => ({
      code: t.exposeString('code'),
      message: t.exposeString('message'),
      remedy: t.exposeString('remedy'),
      retryAfterMs: t.exposeFloat('retryAfterMs', { nullable: true }),
      step: t.exposeString('step', { nullable: true }),
      details: t.expose('details', { type: 'JSON' }),
    }),
  });

  refs.tag.implement({ fields: (t) => ({ key: t.exposeString('key'), value: t.exposeString('value') }) });
}

function notesOf(attempts: readonly AttemptRecord[]): readonly Note[] {
  const notes = attempts.flatMap((attempt) => attempt.notes ?? []);
  return [...new Map(notes.map((note) => [`${note.code} ${note.message}`, note])).values()];
}

function defineStory(builder: Builder) {
  const row = builder.objectRef<StoryRow>('StoryAttempt');
  row.implement({
    fields: (t) => ({
      step: t.exposeString('step'),
      model: t.exposeString('model', { description: '`provider/model`.' }),
      outcome: t.exposeString('outcome', { description: '`succeeded`, `failed: overloaded`.' }),
      rule: t.exposeString('rule', { description: 'The rule that held, and how it ordered the candidates.' }),
      held: t.expose('heldNanoUsd', { type: 'USD' }),
      cost: t.expose('costNanoUsd', { type: 'USD' }),
      saved: t.expose('savedNanoUsd', {
        type: 'USD',
        description: 'Against the baseline; below 0: it counts against.',
      }),
      latencyMs: t.exposeFloat('latencyMs', { nullable: true }),
    }),
  });
  const story = builder.objectRef<Story>('Story');
  story.implement({
    description:
      'A run told: which rule held, who was skipped and why, what was held, settled, lost and saved.',
    fields: (t) => ({
      text: t.exposeString('text', { description: 'One paragraph.' }),
      attempts: t.expose('rows', { type: [row] }),
    }),
  });
  return story;
}

/** The run, if there is one and the viewer may see it: the two are not told apart. */
export async function visibleRun(id: string, context: RequestContext): Promise<RunShape | null> {
  const run = await context.loaders.run.load(id);
  return run !== null && maySeeRunsOf(context.caller, run.caller.name) ? shapeOfRecord(run) : null;
}

/** Of the active revision without a read; of older ones by one batch. */
function revisionOf(hash: string, context: RequestContext): RevisionShape | Promise<RevisionShape> {
  const { record } = context.services.revisions.active();
  if (record.hash === hash) return { hash, record };
  return context.loaders.revision.load(hash).then((found) => ({ hash, record: found }));
}
