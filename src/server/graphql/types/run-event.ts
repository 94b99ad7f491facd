// RunEvent: one run as it happens, from queued to finished.
import type { RunEvent } from '../../../engine/execution/port.ts';
import type { NumberedEvent } from '../live/journal.ts';
import type { Builder } from '../builder.ts';
import type { Refs } from '../refs.ts';
import type { Results } from './results.ts';
import { shapeOfSnapshot } from './run-shape.ts';

type EventOf<Type extends RunEvent['type']> = Extract<NumberedEvent, { type: Type }>;

const TYPE_OF_EVENT: { readonly [Type in RunEvent['type']]: string } = {
  queued: 'RunQueued',
  step: 'RunStepped',
  attempt: 'RunAttempted',
  text: 'RunText',
  restart: 'RunTextRestarted',
  settled: 'RunSettled',
  finished: 'RunFinished',
};

const PATH =
  'Of the step, unique in the run: `answer`, or `tr[0].answer` for the step `answer` of the child that is `tr[0]`.';

export function defineRunEvents(builder: Builder, refs: Refs, results: Results): void {
  refs.runEvent.implement({
    description: 'Something that happened to a run.',
    resolveType: (event) => TYPE_OF_EVENT[event.type],
    fields: (t) => ({
      runId: t.id({
        nullable: true,
        description: 'Null where the request was refused before a run was opened.',
        resolve: (event) => (event.runId === '' ? null : event.runId),
      }),
      at: t.field({ type: 'DateTime', resolve: (event) => event.atMs }),
      seq: t.int({
        nullable: true,
        description:
          'Its number within the run and its children, from 0, to come back to: `run(id:, after:)`. Null where the run is not followed from its start.',
        resolve: (event) => event.seq,
      }),
    }),
  });
  const event = { interfaces: [refs.runEvent] };

  builder.objectType(builder.objectRef<EventOf<'queued'>>(TYPE_OF_EVENT.queued), {
    ...event,
    description: 'It was accepted.',
  });
  builder.objectType(builder.objectRef<EventOf<'step'>>(TYPE_OF_EVENT.step), {
    ...event,
    description: 'A step began, ended or was skipped.',
    fields: (t) => ({ step: t.expose('step', { type: refs.stepRun }) }),
  });
  builder.objectType(builder.objectRef<EventOf<'attempt'>>(TYPE_OF_EVENT.attempt), {
    ...event,
    description: 'A provider is being called.',
    fields: (t) => ({ attempt: t.expose('attempt', { type: refs.attempt }) }),
  });
  builder.objectType(builder.objectRef<EventOf<'text'>>(TYPE_OF_EVENT.text), {
    ...event,
    description: 'A piece of text: those of one `path` are in order.',
    fields: (t) => ({
      step: t.exposeString('step'),
      path: t.exposeString('path', { description: PATH }),
      delta: t.exposeString('delta'),
    }),
  });
  builder.objectType(builder.objectRef<EventOf<'restart'>>(TYPE_OF_EVENT.restart), {
    ...event,
    description: 'The text given so far for this `path` is void: another attempt starts from the beginning.',
    fields: (t) => ({
      step: t.exposeString('step'),
      path: t.exposeString('path', { description: PATH }),
      reason: t.exposeString('reason'),
    }),
  });
  builder.objectType(builder.objectRef<EventOf<'settled'>>(TYPE_OF_EVENT.settled), {
    ...event,
    description: 'An attempt ended and its cost is known.',
    fields: (t) => ({ attempt: t.expose('attempt', { type: refs.attempt }) }),
  });
  builder.objectType(builder.objectRef<EventOf<'finished'>>(TYPE_OF_EVENT.finished), {
    ...event,
    description: 'The last event.',
    fields: (t) => ({
      result: t.field({
        type: results.runTaskResult,
        resolve: ({ result }) => (result.kind === 'run' ? shapeOfSnapshot(result.snapshot) : result),
      }),
    }),
  });
}
