// The demo's script: an hour of a small company's traffic, then an outage, a trial that uses up its budget, and the loop that somebody left running.
import type { Clock } from '../../common/clock.ts';
import type { JsonObject } from '../../common/json.ts';
import type { Random } from '../../common/random.ts';
import type { Caller } from '../../engine/budget/port.ts';
import type { Engine, RunResult } from '../../engine/execution/port.ts';
import type { Upstream } from './upstream.ts';

export interface Stage {
  readonly engine: Pick<Engine, 'run'>;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly random: Random;
  /** What happens now, for whoever watches the terminal. */
  readonly tell: (sentence: string) => void;
  readonly stopped: () => boolean;
}

interface Source {
  readonly caller: Caller;
  readonly task: string;
  readonly everyMs: number;
  readonly input: (random: Random, n: number) => JsonObject;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const person = (name: string, team: string, tier: string | null, tags: Caller['tags'] = {}): Caller => ({
  name,
  team,
  tier,
  tags,
  scopes: ['run:*'],
  keyId: null,
});

const WORDS =
  'invoice order harbour login refund crane meeting parcel password ship report chart engine price holiday window team garden router signal'.split(
    ' ',
  );
function words(random: Random, count: number): string {
  return Array.from({ length: count }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ');
}

const message = (random: Random, n: number): JsonObject => ({
  message: `Ticket about ${words(random, 3)}. ${words(random, 30 + Math.floor(90 * random()))}. Written by customer ${words(random, 2)}${n}.`,
});

const SOURCES: readonly Source[] = [
  {
    caller: person('web-app', 'product', 'pro', { app: 'shop' }),
    task: 'triage',
    everyMs: 9 * SECOND,
    input: message,
  },
  {
    caller: person('support-bot', 'support', 'pro', { app: 'helpdesk' }),
    task: 'triage',
    everyMs: 14 * SECOND,
    input: message,
  },
  {
    caller: person('ci', 'platform', null, { app: 'ci' }),
    task: 'review',
    everyMs: 75 * SECOND,
    input: (random, n) => ({ change: `diff ${n}\n${words(random, 250 + Math.floor(900 * random() ** 2))}` }),
  },
  {
    caller: person('newsroom', 'product', 'pro', { app: 'digest' }),
    task: 'digest',
    everyMs: 6 * MINUTE,
    input: (random) => ({
      items: Array.from({ length: 4 + Math.floor(4 * random()) }, () => words(random, 60)),
    }),
  },
];

/** Everyday traffic, until the stage is stopped: calls come as they do, one at a time and in between. */
export function playTraffic({ engine, clock, random, stopped }: Stage): void {
  for (const source of SOURCES) {
    let n = 0;
    const next = (): void => {
      if (stopped()) return;
      n += 1;
      const { task, caller, input } = source;
      void engine.run({ task, caller, input: input(random, n) }).catch(() => undefined);
      // Arrivals without memory, as of people who do not know of each other.
      clock.after(-Math.log(1 - random()) * source.everyMs, next);
    };
    clock.after(random() * source.everyMs, next);
  }
}

/** The three scenes, one after the other; each waits for what the page shows. */
export async function playScenes(stage: Stage): Promise<void> {
  await wait(stage, 6 * SECOND);
  await outage(stage);
  await trial(stage);
  await loop(stage);
}

async function outage(stage: Stage): Promise<void> {
  const { upstream, tell } = stage;
  tell('openai answers 503. Calls go on with anthropic; look at its circuit under Providers.');
  upstream.outage('openai', true);
  await burst(stage, 16, 500, (n) => ({
    task: 'triage',
    caller: person('web-app', 'product', 'pro', { app: 'shop' }),
    input: message(stage.random, 10_000 + n),
  }));
  upstream.outage('openai', false);
  tell('openai is back; its circuit tries it again by itself.');
}

async function trial(stage: Stage): Promise<void> {
  stage.tell('A customer on trial asks for one review after the other. The budget "trial" closes at $0.25.');
  await burst(stage, 30, 700, (n) => ({
    task: 'review',
    caller: person('trial-17', 'customers', 'trial'),
    input: { change: `diff of trial ${n}\n${words(stage.random, 300)}` },
  }));
}

async function loop(stage: Stage): Promise<void> {
  const { tell } = stage;
  tell(
    'A script of "intern" asks the same again and again, with another time in each: the loop that cost $3,200 once.',
  );
  let refused = 0;
  await burst(
    stage,
    120,
    120,
    (n) => ({
      task: 'review',
      caller: person('intern', 'platform', null),
      input: {
        change: `Run ${n} at ${new Date(stage.clock.nowMs()).toISOString()}: fix the failing build. ${'The test of the crane fails since the harbour moved. '.repeat(12)}`,
      },
    }),
    (result) => {
      if (result.kind !== 'loop_detected') return;
      refused += 1;
      if (refused === 1)
        tell(`The loop was stopped after ${result.repeats} calls. "Stopped today" on the page says so.`);
    },
  );
  tell(
    `${refused} more calls of it were refused, and cost nothing. Pause or stop what you like; Ctrl-C ends the demo.`,
  );
}

type Request = Parameters<Engine['run']>[0];

/** Starts a run every `everyMs`, `count` times. */
async function burst(
  stage: Stage,
  count: number,
  everyMs: number,
  request: (n: number) => Request,
  onResult: (result: RunResult) => void = () => undefined,
): Promise<void> {
  for (let n = 0; n < count && !stage.stopped(); n += 1) {
    void stage.engine.run(request(n)).then(onResult, () => undefined);
    await wait(stage, everyMs);
  }
}

function wait({ clock }: Stage, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}
