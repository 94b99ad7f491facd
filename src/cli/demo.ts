// headgate demo: the page with an hour of believable traffic behind it, an outage, a budget that closes and a loop that is stopped; no key, no network.
import { mkdtemp, rm } from 'node:fs/promises';
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
    .action(async ({ port }: { readonly port: number }) => end(await demo(port, io)));

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
