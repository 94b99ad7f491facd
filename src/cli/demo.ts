// headgate demo: the page with an hour of believable traffic behind it, an outage, a budget that closes and a loop that is stopped; no key, no network.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../common/random.ts';
import type { RegisterCommand } from './commands.ts';
import { catchingUpClock } from './demo/catching-up.ts';
import { playScenes, playTraffic, type Stage } from './demo/script.ts';
import { startUpstream } from './demo/upstream.ts';
import type { CliIo, ExitCode } from './io.ts';
import { parsePort } from './options.ts';
import { pageFolder, untilStopped } from './serve.ts';
import { shippedWorkflows } from './workflows-folder.ts';

const HOUR_MS = 3_600_000;
const SPEED = 120;
const SEED = 20_261_128;

const workflows = fileURLToPath(new URL('../../demo', import.meta.url));

export const registerDemo: RegisterCommand = (program, io, end) =>
  program
    .command('demo')
    .description(
      'serve the page over an hour of scripted traffic, then stop a loop; needs no key and no network',
    )
    .option('-p, --port <number>', 'the port; 0 takes a free one', parsePort, 4000)
    .option(
      '--replay',
      'instead, replay a month of $400 in which a loop made it $3,200, with and without caps and guards',
      false,
    )
    .option('--html <file>', 'with --replay: write it as one page with a picture, too')
    .option('--svg <file>', 'with --replay: write the picture')
    .action(async (flags: DemoFlags) =>
      end(await (flags.replay ? replayDemo(flags, io) : demo(flags.port, io))),
    );

interface DemoFlags {
  readonly port: number;
  readonly replay: boolean;
  readonly html?: string;
  readonly svg?: string;
}

/** The owner's story: by the engine that serves, on a clock that does not wait. */
async function replayDemo({ html, svg }: DemoFlags, io: CliIo): Promise<ExitCode> {
  const [{ monthWithLoop }, { termsOf, whatIfOf }, { curveOf, whatIfHtml, whatIfText }, { curveSvg }] =
    await Promise.all([
      import('./demo/month.ts'),
      import('./what-if.ts'),
      import('./format/what-if.ts'),
      import('./format/curve.ts'),
    ]);
  const { found, assumptions } = await whatIfOf(monthWithLoop(seededRandom(SEED)), {
    terms: await termsOf(shippedWorkflows, io),
    on: null,
  });
  const report = {
    read: [
      'A month of a team, made up: eight callers that make $345 together, and an agent that was left running over a weekend.',
    ],
    assumptions,
    terms: 'the shipped workflows',
    found,
  };
  if (html !== undefined) await writeFile(html, whatIfHtml(report));
  if (svg !== undefined) await writeFile(svg, `${curveSvg(curveOf(report))}\n`);
  io.out(whatIfText(report));
  return 0;
}

async function demo(port: number, io: CliIo): Promise<ExitCode> {
  const stopped = untilStopped();
  const [{ openApp }, { serveApp }] = await Promise.all([import('../app.ts'), import('../serve.ts')]);
  const clock = catchingUpClock(HOUR_MS, SPEED);
  const random = seededRandom(SEED);
  const upstream = await startUpstream(clock, random);
  const dataDirectory = await mkdtemp(join(tmpdir(), 'headgate-demo-'));
  const app = await openApp({
    workflows,
    dataDirectory,
    env: {
      DEMO_OPENAI: `${upstream.url}/openai/v1`,
      DEMO_ANTHROPIC: `${upstream.url}/anthropic`,
      DEMO_KEY: 'demo',
    },
    synchronous: 'normal',
    clock,
    random,
  });
  try {
    const server = await serveApp(app, { port, mode: 'development', watch: false, ...pageFolder() });
    io.out(
      `Headgate's demo: open ${server.url}/\nAn hour of traffic goes by in half a minute; then an outage, a budget that closes, and a loop.`,
    );
    let over = false;
    const stage: Stage = {
      engine: app.engine,
      upstream,
      clock,
      random,
      tell: (sentence) => io.out(`${new Date(clock.nowMs()).toTimeString().slice(0, 8)}  ${sentence}`),
      stopped: () => over,
    };
    playTraffic(stage);
    clock.onCaughtUp(() => {
      stage.tell('The hour is over; from here on it is now.');
      void playScenes(stage);
    });
    await stopped.promise;
    over = true;
    await server.close(0);
    return 0;
  } finally {
    await app.close(0);
    await upstream.close();
    await rm(dataDirectory, { recursive: true, force: true });
    stopped.release();
  }
}
