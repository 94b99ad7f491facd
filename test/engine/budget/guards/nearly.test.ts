// `same: nearly`: what a loop varies is not what it asks; what traffic varies is.
import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../../src/common/json.ts';
import { canonicalJson, sha256Hex } from '../../../../src/common/json.ts';
import { seededRandom } from '../../../../src/common/random.ts';
import { createLoopGuards, loopTraces } from '../../../../src/engine/budget/guards/loop.ts';
import { DEFAULT_LOOP_GUARDS, DEFAULT_LOOPS } from '../../../../src/language/plan/defaults.ts';
import { cpuTimeMs } from '../../../support/cpu-time.ts';

const loops = { ...DEFAULT_LOOPS, guards: [DEFAULT_LOOP_GUARDS.nearly] };
const START_MS = Date.UTC(2026, 2, 2, 10);
const TASK = 'Fix the failing test in src/router.ts and answer with the whole file.';
const ZERO_WIDTH = ['\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u{e0041}'];

/** How many of these tries, so many milliseconds apart, are let pass. */
function passed(tries: number, everyMs: number, input: (time: number, atMs: number) => JsonObject): number {
  const guards = createLoopGuards();
  let count = 0;
  for (let time = 0; time < tries; time += 1) {
    const given = input(time, START_MS + time * everyMs);
    const traces = loopTraces(loops, given, sha256Hex(canonicalJson(given)));
    const run = { runId: `r${time}`, task: 't', caller: 'ana' };
    if (guards.tried(run, loops.guards, traces, time * everyMs).kind === 'pass') count += 1;
  }
  return count;
}

const at = (template: (atMs: number) => string) => (_time: number, atMs: number) => ({
  text: template(atMs),
});
const iso = (atMs: number): string => new Date(atMs).toISOString();
/** Each letter large or small by chance. */
function anyCase(text: string, random: () => number): string {
  return Array.from(text, (letter) => (random() < 0.5 ? letter.toUpperCase() : letter)).join('');
}
const random = seededRandom(17);

const LOOPS: readonly (readonly [string, (time: number, atMs: number) => JsonObject])[] = [
  ['a timestamp of ISO 8601', at((atMs) => `[${iso(atMs)}] ${TASK}`)],
  ['a date and a time', at((atMs) => `${TASK} Now it is ${iso(atMs).slice(0, 19).replace('T', ' ')}.`)],
  ['a time of mail', at((atMs) => `Date: ${new Date(atMs).toUTCString()}\n\n${TASK}`)],
  ['a compact timestamp', at((atMs) => `${iso(atMs).replaceAll(/[-:.]/g, '')} ${TASK}`)],
  ['seconds since 1970', at((atMs) => `${TASK} ${Math.floor(atMs / 1000)}`)],
  ['seconds since 1970 with a fraction', at((atMs) => `${TASK} ${(atMs / 1000).toFixed(3)}`)],
  ['milliseconds since 1970', at((atMs) => `${TASK} (${atMs})`)],
  ['milliseconds in a field of their own', (_time, atMs) => ({ text: TASK, at: atMs })],
  ['a UUID', () => ({ text: `request ${randomUUID()}: ${TASK}` })],
  ['a hash', (time) => ({ text: `${TASK} nonce=${sha256Hex(String(time))}` })],
  [
    'an identifier of letters and digits',
    (time) => ({ text: `${TASK} [${BigInt(`0x${sha256Hex(String(time)).slice(0, 24)}`).toString(36)}]` }),
  ],
  ['a fraction by chance', () => ({ text: `${TASK} ${random()}` })],
  ['a counter', (time) => ({ text: `Attempt ${time + 1}: ${TASK}` })],
  ['a counter that is part of a word', (time) => ({ text: `attempt-${time} try${time}: ${TASK}` })],
  ['a counter that goes down', (time) => ({ text: `${TASK} ${10_000 - time} tries left.` })],
  ['a counter that starts again', (time) => ({ text: `Attempt ${(time % 10) + 1} of 10: ${TASK}` })],
  [
    'a counter in full-width digits',
    (time) => ({
      text: `Attempt ${String(time).replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)))}: ${TASK}`,
    }),
  ],
  ['letter case', () => ({ text: anyCase(TASK, random) })],
  [
    'signs that nobody sees',
    (time) => ({
      text:
        TASK.slice(0, time % 40) +
        (ZERO_WIDTH[time % 7] ?? '') +
        TASK.slice(time % 40) +
        '\u200b'.repeat(time),
    }),
  ],
  ['white space and marks', (time) => ({ text: `${TASK}${' '.repeat(time % 9)}${'.'.repeat(time % 4)}\n` })],
  [
    'all of it at once',
    (time, atMs) => ({
      text: `${iso(atMs)} #${time} ${randomUUID()} ${anyCase(TASK, random)}\u200b`,
      meta: { id: randomUUID(), retry: time },
    }),
  ],
  ['a counter in Chinese', (time) => ({ text: `第${time}次尝试：请修复失败的测试并给出完整文件` })],
];

describe('the guard against nearly the same input', () => {
  it.each(LOOPS)(
    'stops a loop that varies by %s within 60 calls, for as long as it goes on',
    (_what, input) => {
      for (const everyMs of [50, 250, 4_000, 14_000])
        expect(passed(600, everyMs, input)).toBeLessThanOrEqual(60);
    },
  );

  const WORDS =
    'parcel invoice refund delay harbour window order customer please thanks account broken reset later urgent meeting draft colour crate quay pump motor valve late early never always north south paid unpaid blue green heavy light'.split(
      ' ',
    );
  const some = (count: number): string =>
    Array.from({ length: count }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ');
  const number = (most: number): number => Math.floor(random() * most);
  const footer =
    'Sent by the quay office. This message is confidential and meant for its addressee alone. '.repeat(9);

  const TRAFFIC: readonly (readonly [string, number, (time: number, atMs: number) => JsonObject])[] = [
    [
      'e-mails that differ',
      100,
      (time, atMs) => ({
        raw: `From: c${time}@example.com\nDate: ${iso(atMs)}\nMessage-ID: <${randomUUID()}>\nSubject: ${some(3)}\n\n${some(40)}\n`,
      }),
    ],
    [
      'short e-mails with one long footer',
      100,
      (time) => ({ raw: `From: c${time}@example.com\nSubject: hello\n\n${some(5)}\n\n${footer}` }),
    ],
    [
      'notices of orders, of which only the numbers differ',
      100,
      () => ({
        raw: `Subject: Order ${number(99_999)}\n\nYour order ${number(99_999)} over $${number(900)}.${10 + number(89)} was shipped on day ${number(28)}.`,
      }),
    ],
    [
      'invoices with numbers in a row and amounts by chance',
      100,
      (time) => ({
        raw: `Invoice ${4_000 + time} for the rent of the crane: $${number(9_000)}.00, payable within 14 days.`,
      }),
    ],
    ['records that are nothing but a number', 10, (time) => ({ id: time })],
    ['the same prompt every hour', 3_600_000, (_time, atMs) => ({ text: `It is ${iso(atMs)}: ${TASK}` })],
    ["the same input, which is the other guard's", 20_000, () => ({ text: TASK })],
    [
      'a prompt with the date, asked again and again around midnight',
      14_000,
      (_time, atMs) => ({
        text: `Today is ${iso(atMs + 13 * 3_600_000).slice(0, 10)}. Is anything in the queue urgent?`,
      }),
    ],
    ['the pages of a list', 50, (time) => ({ text: `Page ${time}: ${some(30)}`, page: time })],
    [
      'sensor readings',
      50,
      (time) => ({
        text: 'Is this reading of the water pump unusual?',
        reading: 20 + random() * 5,
        tick: time,
      }),
    ],
  ];

  it.each(TRAFFIC)('lets all pass that are %s', (_what, everyMs, input) => {
    expect(passed(2_000, everyMs, input)).toBe(2_000);
  });

  it('lets thirty runs of one pipeline pass, whatever they differ in', () => {
    expect(passed(30, 0, () => ({ text: TASK, build: randomUUID() }))).toBe(30);
  });

  it('counts each task and caller for itself, and what is left out by `ignore` not at all', () => {
    const guards = createLoopGuards();
    const guard = { ...DEFAULT_LOOP_GUARDS.nearly, repeats: 3, ignore: ['meta.note'] };
    const verdict = (caller: string, time: number): string => {
      const input = { text: `${TASK} ${time}`, meta: { note: some(4) } };
      const traces = loopTraces({ ...loops, guards: [guard] }, input, String(time));
      return guards.tried({ runId: 'r', task: 't', caller }, [guard], traces, time).kind;
    };
    for (let time = 0; time < 3; time += 1) verdict('ana', time);
    expect(verdict('ana', 4)).toBe('repeated');
    expect(verdict('ben', 5)).toBe('pass');
  });

  it('reads a megabyte of any signs in a moment, and gives plain data of a bounded size', () => {
    for (const sign of ['a', '1', '-', '1-', 'a1', 'ß', '\u200b', '. ', '0.', '{"a":', '１'])
      for (const text of [sign.repeat(1_000_000 / sign.length), `${TASK} ${sign.repeat(90_000)}`]) {
        const startMs = cpuTimeMs();
        const [trace] = loopTraces(loops, { text }, 'x');
        expect(cpuTimeMs() - startMs).toBeLessThan(2_000);
        expect(JSON.stringify(structuredClone(trace)).length).toBeLessThan(10_000);
      }
  });

  it('takes any input, and the same for the same', () => {
    const json = fc.jsonValue({ noUnicodeString: false }) as fc.Arbitrary<Json>;
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), (input) => {
        const [one] = loopTraces(loops, input, 'x');
        const [other] = loopTraces(loops, Object.fromEntries(Object.entries(input).reverse()), 'x');
        expect(one).toEqual(other);
      }),
    );
  });
});
