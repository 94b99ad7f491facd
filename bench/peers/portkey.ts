// @portkey-ai/gateway, installed beside the repository when it is asked for: its package has an install script, so it is no dependency of ours.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { root, startNode } from '../support/processes.ts';
import type { Started } from '../support/processes.ts';
import { askedSize } from '../support/report.ts';

export const PORTKEY_VERSION = '1.15.2';

/** Its server, or undefined where it is not installed and the registry cannot be reached, nor asked at the tiny size. */
export async function startPortkey(core: number): Promise<Started | undefined> {
  const folder = join(root, '.cache', 'bench', `portkey-${PORTKEY_VERSION}`);
  const main = join(folder, 'node_modules', '@portkey-ai', 'gateway', 'build', 'start-server.js');
  if (!existsSync(main) && (askedSize() === 'tiny' || !install(folder))) return undefined;
  const port = await freePort();
  return startNode([main, `--port=${port}`, '--headless'], {
    core,
    cwd: folder,
    env: { NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' },
    url: `http://127.0.0.1:${port}`,
  });
}

function install(folder: string): boolean {
  mkdirSync(folder, { recursive: true });
  const args = [
    'install',
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--prefix',
    folder,
  ];
  const { status } = spawnSync('npm', [...args, `@portkey-ai/gateway@${PORTKEY_VERSION}`], {
    cwd: folder,
    stdio: 'ignore',
    timeout: 120_000,
  });
  return status === 0;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

export const portkeyHeaders = (upstream: string): string =>
  `x-portkey-provider: openai\r\nx-portkey-custom-host: ${upstream}\r\nAuthorization: Bearer sk-bench\r\n`;
