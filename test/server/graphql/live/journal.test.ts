// Journals of followed runs: numbered, whole, bounded.
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../../src/engine/execution/port.ts';
import { eventId, parseEventId, RunJournals } from '../../../../src/server/graphql/live/journal.ts';

const queued = (runId: string): RunEvent => ({ type: 'queued', runId, atMs: 0 });
const text = (runId: string, delta: string): RunEvent => ({
  type: 'text',
  runId,
  atMs: 0,
  step: 'main',
  path: 'main',
  delta,
});
const finished = (runId: string): RunEvent => ({
  type: 'finished',
  runId,
  atMs: 0,
  result: { kind: 'unauthorized', code: 'X', message: '', remedy: '', scope: '' },
});

function followed(journals: RunJournals, runId: string, after: number): (number | null)[] | undefined {
  const seen: (number | null)[] = [];
  return journals.follow(runId, after, ({ seq }) => seen.push(seq)) === undefined ? undefined : seen;
}

describe('a journal', () => {
  it('numbers the events of a run and gives those after a number, then what comes', () => {
    const journals = new RunJournals();
    for (const event of [queued('run_1'), text('run_1', 'a'), text('run_1', 'b')]) journals.append(event);
    const seen = followed(journals, 'run_1', 0);
    journals.append(finished('run_1'));
    expect(seen).toEqual([1, 2, 3]);
    expect(followed(journals, 'run_1', -1)).toEqual([0, 1, 2, 3]);
  });

  it('numbers the events of children in the one sequence of their run, and one place leads back to all of them', () => {
    const journals = new RunJournals();
    const told = [
      queued('run_1'),
      text('run_1.tr[0]', 'a'),
      text('run_1', 'b'),
      text('run_1.tr[0].tr', 'c'),
    ].map((event) => journals.append(event));
    expect(told.map(({ seq }) => seq)).toEqual([0, 1, 2, 3]);
    expect(told.map(eventId)).toEqual(['run_1:0', 'run_1:1', 'run_1:2', 'run_1:3']);
    expect(followed(journals, 'run_1', 1)).toEqual([2, 3]);
  });

  it('is not begun in the middle of a run', () => {
    const journals = new RunJournals();
    expect(journals.append(text('run_1', 'a')).seq).toBeNull();
    expect(followed(journals, 'run_1', -1)).toBeUndefined();
  });

  it('of a run with too much text is let go of; those who listen are told on', () => {
    const journals = new RunJournals();
    journals.append(queued('run_1'));
    const seen = followed(journals, 'run_1', -1);
    for (let index = 0; index < 3; index += 1) journals.append(text('run_1', 'x'.repeat(60_000)));
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(followed(journals, 'run_1', -1)).toBeUndefined();
    journals.append(finished('run_1'));
    expect(journals.size).toBe(0);
  });

  it('INV-14: makes room, ended runs first, and keeps telling those that run', () => {
    const journals = new RunJournals();
    journals.append(queued('run_live'));
    const seen = followed(journals, 'run_live', -1);
    for (let index = 0; index < 1000; index += 1) {
      journals.append(queued(`run_${index}`));
      journals.append(finished(`run_${index}`));
    }
    expect(journals.size).toBeLessThanOrEqual(200);
    journals.append(text('run_live', 'still'));
    expect(seen).toEqual([0, 1]);
    expect(followed(journals, 'run_0', -1)).toBeUndefined();
    expect(followed(journals, 'run_999', -1)).toEqual([0, 1]);
  });
});

describe('an event id', () => {
  it('names the run and the number, and nothing else is taken for one', () => {
    const id = eventId({ runId: 'run_01kb', seq: 12 });
    expect(id).toBe('run_01kb:12');
    expect(parseEventId(id ?? '')).toEqual({ runId: 'run_01kb', seq: 12 });
    const wrong = [
      undefined,
      '',
      '5',
      'run_1',
      'run_1:',
      'run_1:-1',
      'run_1:1.5',
      'x:1',
      'run_1:1 ',
      `run_1:${'9'.repeat(20)}`,
    ];
    for (const one of wrong) expect(parseEventId(one)).toBeUndefined();
    expect(eventId({ runId: '', seq: 1 })).toBeNull();
    expect(eventId({ runId: 'run_1', seq: null })).toBeNull();
  });
});
