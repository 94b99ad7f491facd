// Above 64 Ki characters nothing is parsed, hashed, cut or counted on this thread: the other one does it, is started when it is needed, and ends.
import { once } from 'node:events';
import type * as WorkerThreads from 'node:worker_threads';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { parseJsonText } from '../../../../src/engine/execution/steps/parse-json.ts';
import { parseCsv } from '../../../../src/engine/execution/steps/parse-csv.ts';
import { parseDiffText } from '../../../../src/engine/execution/steps/parse-diff.ts';
import { parseEmail } from '../../../../src/engine/execution/steps/parse-email.ts';
import { chunkText } from '../../../../src/engine/execution/steps/chunk.ts';
import { countTokens, loadTokenizer } from '../../../../src/engine/execution/tokens.ts';
import { identify } from '../../../../src/engine/execution/thread/jobs.ts';
import { LARGE_CHARACTERS } from '../../../../src/engine/execution/thread/large.ts';
import { createWorkThread } from '../../../../src/engine/execution/thread/work-thread.ts';
import type { WorkThread } from '../../../../src/engine/execution/thread/work-thread.ts';
import { createSimulatedClock } from '../../../support/simulated-clock.ts';

const made = vi.hoisted((): Worker[] => []);
vi.mock('node:worker_threads', async (importOriginal) => {
  const original = await importOriginal<typeof WorkerThreads>();
  return {
    ...original,
    Worker: class extends original.Worker {
      constructor(...given: ConstructorParameters<typeof original.Worker>) {
        super(...given);
        made.push(this);
      }
    },
  };
});
// What is called on this thread is seen here; the other thread has modules of its own.
vi.mock('../../../../src/engine/execution/steps/parse-json.ts', { spy: true });
vi.mock('../../../../src/engine/execution/steps/parse-csv.ts', { spy: true });
vi.mock('../../../../src/engine/execution/steps/parse-diff.ts', { spy: true });
vi.mock('../../../../src/engine/execution/steps/parse-email.ts', { spy: true });
vi.mock('../../../../src/engine/execution/steps/chunk.ts', { spy: true });
vi.mock('../../../../src/engine/execution/tokens.ts', { spy: true });
vi.mock('../../../../src/engine/execution/thread/jobs.ts', { spy: true });

const HEAVY = [parseJsonText, parseCsv, parseDiffText, parseEmail, chunkText, countTokens, identify];
const words = 'some words of a letter. '.repeat(LARGE_CHARACTERS / 20);
const LARGE = {
  email: `From: ana@example.com\nSubject: long\n\n${words}`,
  diff: `--- a/x\n+++ b/x\n@@ -0,0 +1,9999 @@\n${'+a line of it\n'.repeat(9_999)}`,
  csv: `id,name\n${'1,"some, name"\n'.repeat(10_000)}`,
  json: JSON.stringify([words]),
} as const;
const FORMATS = Object.keys(LARGE) as (keyof typeof LARGE)[];

function start(): { readonly thread: WorkThread; readonly clock: ReturnType<typeof createSimulatedClock> } {
  made.length = 0;
  vi.clearAllMocks();
  const clock = createSimulatedClock();
  const thread = createWorkThread(clock);
  open.push(thread);
  return { thread, clock };
}

const open: WorkThread[] = [];
afterEach(() => {
  for (const thread of open.splice(0)) thread.close();
});

function onThisThread(): readonly string[] {
  return HEAVY.flatMap((work) => (vi.mocked(work).mock.calls.length > 0 ? [work.name] : []));
}

describe('a large text', () => {
  test.each(FORMATS)(
    'of %s is parsed by the other thread alone, to what this one would make of it',
    async (format) => {
      const { thread } = start();
      const text = LARGE[format];
      expect(text.length).toBeGreaterThan(LARGE_CHARACTERS);
      const parsed = await thread.parse({ format, text, schema: null }, null);
      expect(onThisThread()).toEqual([]);
      const PARSERS = { email: parseEmail, diff: parseDiffText, csv: parseCsv, json: parseJsonText };
      expect(parsed).toEqual(await PARSERS[format](text));
      expect(made).toHaveLength(1);
    },
  );

  test('is cut and counted by the other thread alone', async () => {
    await loadTokenizer();
    const { thread } = start();
    const cut = await thread.chunk({ text: words, tokens: 800, overlapTokens: 80 });
    const counts = await thread.countTokens([words, `${words}!`]);
    expect(onThisThread()).toEqual([]);
    expect(cut).toEqual(chunkText(words, { tokens: 800, overlapTokens: 80 }));
    expect(counts).toEqual([countTokens(words), countTokens(`${words}!`)]);
    expect(made).toHaveLength(1);
  });

  test('among small ones is counted there, and the others here, each in its place', async () => {
    await loadTokenizer();
    const { thread } = start();
    expect(await thread.countTokens(['one', words, 'one two'])).toEqual([1, countTokens(words), 2]);
  });

  test('is hashed, and compared by loop guards, by the other thread alone', async () => {
    const { thread } = start();
    const known = await thread.identify({ input: { text: words }, loops: null });
    expect(onThisThread()).toEqual([]);
    expect(known).toEqual(identify({ input: { text: words }, loops: null }));
  });

  test('of many small values is hashed there, too', async () => {
    const { thread } = start();
    await thread.identify({ input: { list: Array.from({ length: 20_000 }, () => 1) }, loops: null });
    expect(onThisThread()).toEqual([]);
  });
});

describe('a small text', () => {
  test('is worked on here, and starts no thread', async () => {
    await loadTokenizer();
    const { thread } = start();
    expect(await thread.parse({ format: 'json', text: '[1]', schema: null }, null)).toEqual({
      ok: true,
      value: [1],
    });
    expect(await thread.chunk({ text: 'some words', tokens: 8, overlapTokens: 0 })).toMatchObject({
      ok: true,
    });
    expect(thread.countTokens(['some words'])).toEqual([2]);
    expect(thread.identify({ input: { text: 'some words' }, loops: null })).not.toBeInstanceOf(Promise);
    expect(made).toEqual([]);
  });
});

describe('the other thread', () => {
  test('ends when it was idle for 10 s, and another is started when one is needed', async () => {
    const { thread, clock } = start();
    const job = { format: 'json', text: LARGE.json, schema: null } as const;
    await thread.parse(job, null);
    await thread.parse(job, null);
    expect(made).toHaveLength(1);
    const ended = once(made[0] as Worker, 'exit');
    await clock.advance(9_999);
    expect(made[0]?.threadId).toBeGreaterThan(0);
    await clock.advance(1);
    await ended;
    expect((await thread.parse(job, null)).ok).toBe(true);
    expect(made).toHaveLength(2);
  });

  test('is ended by an abort, with what it works on; what waits is worked on by the next', async () => {
    const { thread } = start();
    const asked = new AbortController();
    const job = { format: 'email', text: LARGE.email.repeat(60), schema: null } as const;
    const lost = thread.parse(job, null, asked.signal);
    const waiting = thread.parse({ format: 'json', text: LARGE.json, schema: null }, null);
    const ended = once(made[0] as Worker, 'exit');
    asked.abort(new Error('over'));
    await expect(lost).rejects.toThrow('over');
    await ended;
    expect((await waiting).ok).toBe(true);
    expect(made).toHaveLength(2);
  });

  test('is not disturbed by an abort of what only waits, nor asked by who is gone already', async () => {
    const { thread } = start();
    const asked = new AbortController();
    const job = { format: 'json', text: LARGE.json, schema: null } as const;
    const first = thread.parse(job, null);
    const gone = thread.parse(job, null, asked.signal);
    asked.abort(new Error('over'));
    await expect(gone).rejects.toThrow('over');
    await expect(thread.parse(job, null, asked.signal)).rejects.toThrow('over');
    expect((await first).ok).toBe(true);
    expect(made).toHaveLength(1);
  });

  test('is ended after 15 s of one text, which is told; a count is then an estimate', async () => {
    const { thread, clock } = start();
    const parsed = thread.parse({ format: 'email', text: LARGE.email.repeat(60), schema: null }, null);
    await clock.advance(15_000);
    expect(await parsed).toEqual({ ok: false, error: 'it takes longer than 15s to work on' });
    const counts = thread.countTokens([words.repeat(20)]);
    await clock.advance(15_000);
    expect((await counts)[0]).toBeGreaterThan(words.length);
  });
});
