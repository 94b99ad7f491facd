// The events of one run: its state as the ledger has it, then what happens, up to its end.
import { GraphQLError } from 'graphql';
import type { RunEvent } from '../../execution/engine.ts';
import type { RequestContext } from '../context.ts';
import { visibleRun } from '../types/run.ts';
import { Channel } from './channel.ts';
import { tooSlow } from './slow.ts';

/** A run has few events beside its text, and text that waits is joined: this many only wait for a reader that has stopped. */
const MAX_WAITING = 2000;
/** Joined text beyond this is not held for a reader that does not take it. */
const MAX_TEXT = 1_000_000;

/** Text that waits is read as one piece: the text is the same, the pieces are fewer. */
function joinText(last: RunEvent, next: RunEvent): RunEvent | undefined {
  if (last.type !== 'text' || next.type !== 'text' || last.step !== next.step || last.runId !== next.runId)
    return undefined;
  return last.delta.length + next.delta.length > MAX_TEXT
    ? undefined
    : { ...last, delta: last.delta + next.delta };
}

export function runEventChannel(onClose: () => void): Channel<RunEvent> {
  return new Channel<RunEvent>({
    limit: MAX_WAITING,
    merge: joinText,
    overflow: () => tooSlow(`${MAX_WAITING} events`),
    onClose,
  });
}

/** Follows a run. It ends after `finished`; a run that has ended already gives its past and ends. */
export function followRun(
  id: string,
  context: RequestContext,
): AsyncGenerator<RunEvent, undefined, undefined> {
  const { engine, commits, ledger } = context.services;
  const pending: RunEvent[] = [];
  let toldPast = false;
  const hear = (event: RunEvent): void => {
    if (toldPast) tell(channel, event);
    else pending.push(event);
  };
  // Both are listened to before the ledger is read, so that nothing falls between the past and what follows.
  const stopEngine = engine.subscribe(id, hear);
  const stopCommits = commits.onCommit((rows) => {
    for (const row of rows) {
      if (row.kind !== 'run_finished' || row.run.id !== id) continue;
      hear({
        type: 'finished',
        runId: id,
        atMs: row.run.finishedAtMs ?? row.run.startedAtMs,
        result: { kind: 'run', snapshot: { run: row.run, steps: [], attempts: [] } },
      });
    }
  });
  const channel = runEventChannel(() => {
    stopEngine();
    stopCommits();
  });

  void (async () => {
    try {
      const found = await visibleRun(id, context);
      if (found === null) {
        channel.fail(noSuchRun(id));
        return;
      }
      const [stepsOf, attemptsOf] = await Promise.all([ledger.stepsOf([id]), ledger.attemptsOf([id])]);
      const { run } = found;
      const steps = stepsOf.get(id) ?? [];
      const attempts = attemptsOf.get(id) ?? [];
      channel.push({ type: 'queued', runId: id, atMs: run.startedAtMs });
      for (const step of steps)
        channel.push({ type: 'step', runId: id, atMs: step.finishedAtMs ?? step.startedAtMs, step });
      for (const attempt of attempts) {
        if (attempt.finishedAtMs === null)
          channel.push({ type: 'attempt', runId: id, atMs: attempt.startedAtMs, attempt });
        else channel.push({ type: 'settled', runId: id, atMs: attempt.finishedAtMs, attempt });
      }
      toldPast = true;
      if (run.finishedAtMs !== null) {
        tell(channel, {
          type: 'finished',
          runId: id,
          atMs: run.finishedAtMs,
          result: { kind: 'run', snapshot: { run, steps, attempts } },
        });
      }
      for (const event of pending.splice(0)) tell(channel, event);
    } catch (error) {
      channel.fail(error as Error);
    }
  })();
  return channel;
}

function tell(channel: Channel<RunEvent>, event: RunEvent): void {
  channel.push(event);
  if (event.type === 'finished') channel.end();
}

function noSuchRun(id: string): GraphQLError {
  return new GraphQLError(`There is no run "${id}" that you may see.`, {
    extensions: { code: 'NOT_FOUND', remedy: 'Ask for `runs` to see which there are.' },
  });
}
