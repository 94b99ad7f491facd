// The loop that varies, over GraphQL and with a real upstream, under the guard as it is shipped: how many calls and dollars it comes to; and what must not be taken for one.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { seededRandom } from '../../../src/common/random.ts';
import { startCountingUpstream } from '../../support/counting-upstream.ts';
import type { CountingUpstream } from '../../support/counting-upstream.ts';
import { repositoryRoot } from '../../support/repository.ts';
import { RUN_SINGLE, ask, hostFor } from './support.ts';
import type { Hosted } from './support.ts';

const SHIPPED = /^ {4}- (\{ same: nearly, [^}]*\})/m.exec(
  readFileSync(join(repositoryRoot, 'workflows/headgate.yaml'), 'utf8'),
)?.[1];
const GUARD_REPEATS = Number(/repeats: (\d+)/.exec(SHIPPED ?? '')?.[1]);
const MOST_CALLS = 60;
const MOST_NANO_USD = 1_000_000_000n;

interface Stage extends Hosted {
  readonly upstream: CountingUpstream;
}

async function stage(): Promise<Stage> {
  const upstream = await startCountingUpstream({ random: seededRandom(8) });
  onTestFinished(() => upstream.close());
  const workflow = { guards: [`loop: [${SHIPPED ?? ''}]`] };
  return Object.assign(await hostFor(upstream, { workflow }), { upstream });
}

/** As what so many runs, one after another, end. */
async function ends(
  { url }: Hosted,
  tries: number,
  mark: (time: number) => string,
  options?: object,
): Promise<ReadonlySet<string>> {
  const kinds = new Set<string>();
  for (let time = 0; time < tries; time += 1) {
    const { data, errors } = await ask(url, RUN_SINGLE, { mark: mark(time), options });
    expect(errors).toEqual([]);
    kinds.add(String(data.runTask.code ?? data.runTask.status));
  }
  return kinds;
}

const random = seededRandom(5);
const anyCase = (text: string): string =>
  Array.from(text, (letter) => (random() < 0.5 ? letter.toUpperCase() : letter)).join('');

const LOOPS: readonly ((time: number) => string)[] = [
  (time) => `${new Date(1.77e12 + time * 250).toISOString()} fix the failing router test`,
  () => `request ${randomUUID()}: mend the flaky ledger test`,
  (time) => `attempt ${time}: repair the broken parser test`,
  () => anyCase('write the missing billing report again'),
  (time) => `explain the slow${'\u200b'.repeat(time)} database query once more`,
];

it(
  'a loop that varies a time, an identifier, a counter, letter case or unseen signs is stopped within 60 calls and $1, and stays so',
  { timeout: 60_000 },
  async () => {
    const at = await stage();
    const kinds = await Promise.all(LOOPS.map((mark) => ends(at, GUARD_REPEATS + 3, mark)));
    expect(kinds).toEqual(LOOPS.map(() => new Set(['SUCCEEDED', 'LOOP_DETECTED'])));
    const { calls } = at.upstream;
    expect(calls.length).toBeLessThanOrEqual(LOOPS.length * GUARD_REPEATS);
    expect(GUARD_REPEATS).toBeLessThanOrEqual(MOST_CALLS);
    expect(at.upstream.billedNanoUsd()).toBeLessThan(MOST_NANO_USD);
    expect(await Promise.all(LOOPS.map((mark) => ends(at, 1, () => mark(1_000))))).toEqual(
      LOOPS.map(() => new Set(['LOOP_DETECTED'])),
    );
  },
);

const WORDS = 'parcel invoice refund delay harbour window order customer pump valve'.split(' ');
const some = (count: number): string =>
  Array.from({ length: count }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ');

const TRAFFIC: readonly (readonly [mark: (time: number) => string, options?: object])[] = [
  [(time) => `From: c${time}@example.com\nSubject: ${some(3)}\n\n${some(20)}`],
  [() => 'write the report of the hour from the queue'],
  [() => 'review the change of the release branch'],
  [() => 'charge the customer once', { idempotencyKey: 'one' }],
  [(time) => `summarise item ${time}: ${some(6)}`],
];

it(
  'different e-mails, one prompt each hour, pipelines with one input, retries with one key and a list item by item are no loops',
  { timeout: 60_000 },
  async () => {
    const at = await stage();
    const kinds = await Promise.all(
      TRAFFIC.map(([mark, options]) => ends(at, GUARD_REPEATS + 3, mark, options)),
    );
    expect(kinds).toEqual(TRAFFIC.map(() => new Set(['SUCCEEDED'])));
  },
);
