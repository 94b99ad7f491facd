// The events of one run: its state as the ledger has it, then what happens, up to its end.
import { GraphQLError } from 'graphql';
import type { RunEvent, RunSnapshot } from '../../../engine/execution/port.ts';
import type { AttemptRecord, RunRecord, StepRecord } from '../../../engine/execution/records.ts';
import type { RequestContext } from '../context.ts';
import { visibleRun } from '../types/run.ts';
import { Channel } from './channel.ts';
import type { NumberedEvent } from './journal.ts';
import { tooSlow } from './slow.ts';

/** A run has few events beside its text, and text that waits is joined: this many only wait for a reader that has stopped. */
const MAX_WAITING = 2000;
/** Joined text beyond this is not held for a reader that does not take it. */
const MAX_TEXT = 1_000_000;

/** Text that waits is read as one piece: the text is the same, the pieces are fewer. It has the number of its last one. */
function joinText(last: NumberedEvent, next: NumberedEvent): NumberedEvent | undefined {
  if (last.type !== 'text' || next.type !== 'text' || last.path !== next.path) return undefined;
  return last.delta.length + next.delta.length > MAX_TEXT
    ? undefined
    : { ...last, delta: last.delta + next.delta, seq: next.seq };
}

export function runEventChannel(onClose: () => void): Channel<NumberedEvent> {
  return new Channel<NumberedEvent>({
    limit: MAX_WAITING,
    merge: joinText,
    overflow: () => tooSlow(`${MAX_WAITING} events`),
    onClose,
  });
}

/** Follows a run from the event after that number. It ends after `finished`; a run that has ended already gives its past and ends. */
export function followRun(
  id: string,
  after: number,
  context: RequestContext,
): AsyncGenerator<NumberedEvent, undefined, undefined> {
  let stop = (): void => {};
  const channel = runEventChannel(() => stop());
  void (async () => {
    try {
      const found = await visibleRun(id, context);
      if (channel.closed) return;
      if (found === null) channel.fail(noSuchRun(id));
      else
        stop =
          context.services.live.runs.follow(id, after, (event) => tell(channel, event)) ??
          (await fromLedger(found.run, context, channel));
      // Who left while the ledger was read has nothing to be told any more.
      if (channel.closed) stop();
    } catch (error) {
      channel.fail(error as Error);
    }
  })();
  return channel;
}

/** What the ledger has of it, then what happens. */
async function fromLedger(
  { id }: RunRecord,
  { services }: RequestContext,
  channel: Channel<NumberedEvent>,
): Promise<() => void> {
  const { engine, written, ledger } = services;
  const pending: RunEvent[] = [];
  let toldPast = false;
  const told = new Set<string>();
  const hear = (event: RunEvent): void => {
    if (!toldPast) {
      pending.push(event);
      return;
    }
    const what = identityOf(event);
    if (what !== null && told.has(what)) return;
    if (what !== null) told.add(what);
    tell(channel, { ...event, seq: null });
  };
  // It is listened to before the ledger is read, so that nothing falls between the past and what follows. A run of this process tells its events
  // itself, the end last; the rows of them all may be written at once, and tell of one that runs elsewhere.
  const stop =
    engine.subscribe(id, hear) ??
    written.onWritten((rows) => {
      for (const row of rows)
        if (row.kind === 'run_finished' && row.run.id === id)
          hear(finished({ run: row.run, steps: [], attempts: [] }));
    });
  const [run, stepsOf, attemptsOf] = await Promise.all([
    ledger.run(id),
    ledger.stepsOf([id]),
    ledger.attemptsOf([id]),
  ]);
  const steps = stepsOf.get(id) ?? [];
  const attempts = attemptsOf.get(id) ?? [];
  toldPast = true;
  for (const event of [...pastOf(id, run, steps, attempts), ...pending]) hear(event);
  return stop;
}

/** What is told once, though it be read as the past and heard as it happens; null: it only happens. */
function identityOf(event: RunEvent): string | null {
  switch (event.type) {
    case 'queued':
      return event.type;
    case 'attempt':
    case 'settled':
      return `${event.type} ${event.attempt.id}`;
    case 'step':
      return `step ${event.step.runId} ${event.step.key}`;
    default:
      return null;
  }
}

function pastOf(
  id: string,
  run: RunRecord | undefined,
  steps: readonly StepRecord[],
  attempts: readonly AttemptRecord[],
): readonly RunEvent[] {
  if (run === undefined) return [];
  return [
    { type: 'queued', runId: id, atMs: run.startedAtMs },
    ...steps.map((step): RunEvent => ({
      type: 'step',
      runId: id,
      atMs: step.finishedAtMs ?? step.startedAtMs,
      step,
    })),
    ...attempts.map((attempt): RunEvent =>
      attempt.finishedAtMs === null
        ? { type: 'attempt', runId: id, atMs: attempt.startedAtMs, attempt }
        : { type: 'settled', runId: id, atMs: attempt.finishedAtMs, attempt },
    ),
    ...(run.finishedAtMs === null ? [] : [finished({ run, steps, attempts })]),
  ];
}

function finished(snapshot: RunSnapshot): RunEvent {
  const { id, finishedAtMs, startedAtMs } = snapshot.run;
  return {
    type: 'finished',
    runId: id,
    atMs: finishedAtMs ?? startedAtMs,
    result: { kind: 'run', snapshot },
  };
}

function tell(channel: Channel<NumberedEvent>, event: NumberedEvent): void {
  channel.push(event);
  if (event.type === 'finished') channel.end();
}

function noSuchRun(id: string): GraphQLError {
  return new GraphQLError(`There is no run "${id}" that you may see.`, {
    extensions: { code: 'NOT_FOUND', remedy: 'Ask for `runs` to see which there are.' },
  });
}
