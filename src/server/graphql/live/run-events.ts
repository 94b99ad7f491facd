// The events of one run: its state as the ledger has it, then what happens, up to its end.
import { GraphQLError } from 'graphql';
import { sleep } from '../../../common/clock.ts';
import type { RunEvent, RunSnapshot } from '../../../engine/execution/port.ts';
import type { AttemptRecord, RunRecord, StepRecord } from '../../../engine/execution/records.ts';
import type { RequestContext } from '../context.ts';
import { visibleRun } from '../types/run.ts';
import { Channel } from './channel.ts';
import type { NumberedEvent } from './journal.ts';
import { tooSlow } from './slow.ts';

/** A run has few events beside its text, and text that waits is joined: this many only wait for a reader that has stopped. */
const MAX_WAITING = 2000;
const ROW_WITHIN_MS = 200;
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
      const found = (await visibleRun(id, context)) ?? (await visibleSoon(id, context));
      if (channel.closed) return;
      if (found === null) channel.fail(noSuchRun(id));
      else
        stop =
          context.services.live.runs.follow(id, after, (event) => tell(channel, event)) ??
          (await fromElsewhere(found.run, after, context, channel)) ??
          (await fromLedger(found.run, context, channel));
      // Who left while the ledger was read has nothing to be told any more.
      if (channel.closed) stop();
    } catch (error) {
      channel.fail(error as Error);
    }
  })();
  return channel;
}

/** Another node may have said that it was accepted a moment before its row is there. */
async function visibleSoon(
  id: string,
  context: RequestContext,
): Promise<Awaited<ReturnType<typeof visibleRun>>> {
  const { live, clock } = context.services;
  if (live.remote === undefined) return null;
  await sleep(clock, ROW_WITHIN_MS);
  return visibleRun(id, context);
}

/** What the node tells that runs it, after what the ledger has where that node does not tell all of it. undefined: no other node has it. */
async function fromElsewhere(
  { id, finishedAtMs }: RunRecord,
  after: number,
  { services }: RequestContext,
  channel: Channel<NumberedEvent>,
): Promise<(() => void) | undefined> {
  const { live, engine, ledger } = services;
  // What is over is in the ledger; only who was in the midst of its text needs the rest of it.
  if (live.remote === undefined || engine.has(id) || (finishedAtMs !== null && after < 0)) return undefined;
  const pending: NumberedEvent[] = [];
  let toldPast = false;
  // Each node that takes it says that it was accepted; who comes back was told so.
  const told = new Set(after >= 0 ? ['queued'] : []);
  const tellOn = (event: NumberedEvent): void => {
    const what = identityOf(event);
    if (what !== null && told.has(what)) return;
    if (what !== null) told.add(what);
    tell(channel, event);
  };
  const followed = await live.remote.follow(id, after, (event) => {
    if (toldPast) tellOn(event);
    else pending.push(event);
  });
  if (!followed.whole) {
    const [run, steps, attempts] = await Promise.all([
      ledger.run(id),
      ledger.stepsOf([id]),
      ledger.attemptsOf([id]),
    ]);
    for (const event of pastOf(id, run, steps.get(id) ?? [], attempts.get(id) ?? []))
      tellOn({ ...event, seq: null });
    if (run?.finishedAtMs !== null) followed.stop();
  }
  toldPast = true;
  for (const event of pending) tellOn(event);
  return () => followed.stop();
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
  /** It waits for room, or another process of this ledger has it: what it does here is told from when it begins here. */
  const expected = (): (() => void) => {
    let isHere = false;
    const stopEngine = engine.expect(id, (event) => {
      isHere = true;
      hear(event);
    });
    const stopWritten = written.onWritten((rows) => {
      if (isHere) return;
      for (const row of rows)
        if (row.kind === 'run_finished' && row.run.id === id)
          hear(finished({ run: row.run, steps: [], attempts: [] }));
    });
    return () => {
      stopEngine();
      stopWritten();
    };
  };
  // It is listened to before the ledger is read, so that nothing falls between the past and what follows. A run of this process tells its events
  // itself, the end last; the rows of them all may be written at once, and tell of one that runs elsewhere.
  const stop = engine.subscribe(id, hear) ?? expected();
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
