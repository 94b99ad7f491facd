// The subscriptions: the state first, then what was written, at the reader's pace.
import { GraphQLError } from 'graphql';
import type { RunEvent, StreamedTexts } from '../../../engine/execution/port.ts';
import type { AlertRecord } from '../../../engine/execution/recorder.ts';
import { needs } from '../builder.ts';
import type { Builder } from '../builder.ts';
import { confine } from '../confine.ts';
import type { RequestContext } from '../context.ts';
import { runFilterOf } from '../inputs.ts';
import type { Inputs } from '../inputs.ts';
import { Channel } from '../live/channel.ts';
import { eventId } from '../live/journal.ts';
import type { NumberedEvent } from '../live/journal.ts';
import { followRun, runEventChannel } from '../live/run-events.ts';
import { tooSlow } from '../live/slow.ts';
import { jsonRequest, prepareRun } from '../mutations/run-task.ts';
import type { Refs } from '../refs.ts';
import { READ_STATS } from '../../../engine/execution/scopes.ts';
import type { TaskModel } from '../tasks.ts';
import type { Enums } from '../types/enums.ts';
import { providerShape } from '../types/provider.ts';
import { revisionEvents } from './revisions.ts';

/** A subscriber that needs a state more often than this watches a chart, not its spend. */
const MIN_EVERY_MS = 50;
const MAX_EVERY_MS = 3_600_000;
const MAX_ALERTS_WAITING = 1000;

export function defineSubscriptions(
  builder: Builder,
  refs: Refs,
  enums: Enums,
  inputs: Inputs,
  tasks: TaskModel,
): void {
  const texts = {
    type: enums.streamTexts,
    required: true,
    defaultValue: 'output',
    description: 'Of which steps the text is wanted.',
  } as const;
  builder.subscriptionFields((t) => ({
    costStats: t.field({
      type: refs.costStats,
      description:
        'Live spend. The first event is the state now; then one per interval in which something changed.',
      complexity: 10,
      args: {
        window: t.arg({ type: enums.statsWindow, required: true, defaultValue: 'DAY' }),
        by: t.arg({ type: [enums.statsDimension] }),
        filter: t.arg({ type: inputs.runFilter }),
        everyMs: t.arg.int({ required: true, defaultValue: 1000, description: `At least ${MIN_EVERY_MS}.` }),
      },
      subscribe: (_root, { window, by, filter, everyMs }, context) => {
        if (everyMs < MIN_EVERY_MS || everyMs > MAX_EVERY_MS) {
          throw new GraphQLError(`everyMs is ${MIN_EVERY_MS} to ${MAX_EVERY_MS}; ${everyMs} was asked for.`, {
            extensions: { code: 'BAD_USER_INPUT', remedy: 'Leave everyMs out for one a second.' },
          });
        }
        const query = {
          window,
          by: by ?? [],
          filter: confine(runFilterOf(filter), READ_STATS, 'Subscription.costStats', context),
        };
        return context.services.live.stats.watch(query, everyMs);
      },
      resolve: (stats) => stats,
    }),
    run: t.field({
      type: refs.runEvent,
      description:
        'One run as it happens: queued, step, attempt, text delta, settled, finished. What has happened already comes first.',
      complexity: 10,
      args: {
        id: t.arg.id({ required: true }),
        after: t.arg.int({
          description: 'Only events after this `seq`: where a reader was when its connection broke.',
        }),
      },
      subscribe: (_root, { id, after }, context) => {
        const { resumeAt } = context;
        return followRun(id, after ?? (resumeAt?.runId === id ? resumeAt.seq : -1), context);
      },
      resolve: noteId,
    }),
    streamTask: t.field({
      type: refs.runEvent,
      description:
        'Runs a task and streams its text. Ending the subscription cancels the run, unless it has an idempotency key.',
      complexity: 10,
      args: {
        task: t.arg({ type: tasks.taskInput, required: true }),
        options: t.arg({ type: inputs.runOptions }),
        texts: t.arg(texts),
      },
      subscribe: (_root, { task, options, texts: of }, context) =>
        streamOrResume(of, tasks.request(task), options ?? {}, context),
      resolve: noteId,
    }),
    streamTaskJson: t.field({
      type: refs.runEvent,
      description: 'As streamTask, for clients without types of their own.',
      complexity: 10,
      args: {
        name: t.arg.string({ required: true, description: 'The name in the workflow file: `email-parse`.' }),
        input: t.arg({ type: 'JSON', required: true }),
        options: t.arg({ type: inputs.runOptions }),
        texts: t.arg(texts),
      },
      subscribe: (_root, { name, input, options, texts: of }, context) =>
        streamOrResume(of, jsonRequest(name, input), options ?? {}, context),
      resolve: noteId,
    }),
    alerts: t.field({
      type: refs.alert,
      description: 'Alerts, as they are raised.',
      authScopes: needs.readStats,
      subscribe: (_root, _args, context) => alerts(context),
      resolve: (alert) => alert,
    }),
    revisions: t.field({
      type: refs.revision,
      description: 'The active revision now, then each that is taken, or refused with its problems.',
      authScopes: needs.readStats,
      subscribe: (_root, _args, context) => revisionEvents(context),
      resolve: (revision) => revision,
    }),
    providers: t.field({
      type: refs.provider,
      description: 'The state of each provider now, then of each that changes.',
      complexity: 5,
      subscribe: (_root, _args, context) => providerNames(context),
      resolve: (name, _args, context) => providerShape(name, context),
    }),
  }));
}

/** An event stream sends each event's place along, to be given back when the reader returns. */
function noteId(event: NumberedEvent, _args: unknown, context: RequestContext): NumberedEvent {
  context.eventId = eventId(event);
  return event;
}

/** Who comes back to a stream wants the rest of that run, not another one. */
function streamOrResume(
  texts: StreamedTexts,
  ...[asked, options, context]: Parameters<typeof prepareRun>
): ReturnType<typeof streamTask> {
  const { resumeAt } = context;
  return resumeAt === undefined
    ? streamTask(prepareRun(asked, options, context), texts, context)
    : followRun(resumeAt.runId, resumeAt.seq, context);
}

function streamTask(
  prepared: ReturnType<typeof prepareRun>,
  texts: StreamedTexts,
  context: RequestContext,
): AsyncGenerator<NumberedEvent, undefined, undefined> {
  const { engine, clock } = context.services;
  const kept = context.services.live.runs;
  const gone = new AbortController();
  const channel = runEventChannel(() => gone.abort(new Error('the subscriber went away')));
  if ('kind' in prepared) {
    channel.push({ type: 'finished', runId: '', seq: null, atMs: clock.nowMs(), result: prepared });
    channel.end();
    return channel;
  }
  if (prepared.options?.dryRun === true) {
    channel.fail(
      new GraphQLError('A dry run has no text to stream.', {
        extensions: { code: 'BAD_USER_INPUT', remedy: 'Use Mutation.runTask with dryRun.' },
      }),
    );
    return channel;
  }
  let runId = '';
  let finished = false;
  const onEvent = (event: RunEvent): void => {
    runId = event.runId;
    finished ||= event.type === 'finished';
    channel.push(kept.append(event));
  };
  const { signal: _requestSignal, ...request } = prepared;
  const keepsOn = request.options?.idempotencyKey !== undefined;
  engine.run({ ...request, stream: true, texts, onEvent, ...(keepsOn ? {} : { signal: gone.signal }) }).then(
    (result) => {
      // A request that is refused before a run is opened has no events of its own.
      if (!finished)
        channel.push({
          type: 'finished',
          runId: result.kind === 'run' ? result.snapshot.run.id : runId,
          seq: null,
          atMs: clock.nowMs(),
          result,
        });
      channel.end();
    },
    (error: unknown) => channel.fail(error as Error),
  );
  return channel;
}

function alerts({ services }: RequestContext): AsyncGenerator<AlertRecord, undefined, undefined> {
  const channel: Channel<AlertRecord> = new Channel({
    limit: MAX_ALERTS_WAITING,
    overflow: () => tooSlow(`${MAX_ALERTS_WAITING} alerts`),
    onClose: () => stop(),
  });
  const stop = services.written.onWritten((rows) => {
    for (const row of rows) if (row.kind === 'alert') channel.push(row.alert);
  });
  return channel;
}

/** A name waits at most once: what is shown is the state when it is read. */
function providerNames({ services }: RequestContext): AsyncGenerator<string, undefined, undefined> {
  const names = services.providers.list().map(({ name }) => name);
  const waiting = new Set(names);
  const inner = new Channel<string>({
    limit: Math.max(1000, names.length),
    overflow: () => tooSlow('1000 changes'),
    onClose: () => stop(),
  });
  const stop = services.providers.onChange((name) => {
    if (waiting.has(name)) return;
    waiting.add(name);
    inner.push(name);
  });
  const next = inner.next.bind(inner);
  inner.next = async () => {
    const result = await next();
    if (result.done !== true) waiting.delete(result.value);
    return result;
  };
  for (const name of names) inner.push(name);
  return inner;
}
