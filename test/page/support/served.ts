// The page over a real app: real engine, ledger and SDKs against the demo's scripted upstream, on one loopback port.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApp, type App } from '../../../src/app.ts';
import { serveApp } from '../../../src/serve.ts';
import { startUpstream, type Upstream } from '../../../src/cli/demo/upstream.ts';
import { systemClock, type Clock } from '../../../src/common/clock.ts';
import { seededRandom } from '../../../src/common/random.ts';
import { builtWithPage } from '../../support/built.ts';
import { repositoryRoot } from '../../support/repository.ts';

export interface ServedPage {
  readonly app: App;
  readonly upstream: Upstream;
  readonly url: string;
  /** The same ledger behind the same address, as after a restart of the process. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Answers at once: what the page shows is tested, not how long a model takes. */
const hasty: Clock = { ...systemClock, after: (ms, callback) => systemClock.after(ms / 50, callback) };

export async function servePage(options: { readonly workflows?: string } = {}): Promise<ServedPage> {
  const upstream = await startUpstream(hasty, seededRandom(7));
  const dataDirectory = await mkdtemp(join(tmpdir(), 'headgate-page-'));
  const open = () =>
    openApp({
      workflows: options.workflows ?? join(repositoryRoot, 'demo'),
      dataDirectory,
      env: {
        DEMO_OPENAI: `${upstream.url}/openai/v1`,
        DEMO_ANTHROPIC: `${upstream.url}/anthropic`,
        DEMO_KEY: 'demo',
      },
      synchronous: 'normal',
    });
  const serve = (app: App, port: number) =>
    serveApp(app, {
      port,
      mode: 'development',
      watch: options.workflows !== undefined,
      staticDir: join(builtWithPage(), 'page'),
    });
  let app = await open();
  let server = await serve(app, 0);
  const { url } = server;
  return {
    get app() {
      return app;
    },
    upstream,
    url,
    async restart() {
      await server.close(0);
      await app.close(0);
      app = await open();
      server = await serve(app, Number(new URL(url).port));
    },
    async close() {
      await server.close(0);
      await app.close(0);
      await upstream.close();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}
