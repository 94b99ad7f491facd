// `npm run door-clients`: installs the clients that the conformance tests of the doors drive, and the SDKs of the hosts of Claude, where they are there, in .cache: too heavy for everyone's install.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/command.mjs';

const CLIENTS = {
  ai: '6.0.326',
  '@ai-sdk/openai': '3.0.141',
  '@ai-sdk/anthropic': '3.0.140',
  '@langchain/core': '1.4.0',
  '@langchain/openai': '1.5.8',
  '@langchain/anthropic': '1.5.11',
  '@anthropic-ai/bedrock-sdk': '1.1.3',
  '@anthropic-ai/vertex-sdk': '1.1.3',
};

const folder = join(root, '.cache', 'door-clients');
mkdirSync(folder, { recursive: true });
writeFileSync(
  join(folder, 'package.json'),
  `${JSON.stringify({ name: 'door-clients', private: true, type: 'module', dependencies: CLIENTS }, null, 2)}\n`,
);
const { status } = spawnSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
  cwd: folder,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
