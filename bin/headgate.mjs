#!/usr/bin/env node
// The `headgate` command: runs the compiled CLI of the package, or the sources where this is a checkout.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findNode, noNodeMessage, runInPlace } from './launch.mjs';

const sources = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const compiled = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const node = findNode(import.meta.url);

if (node === undefined) {
  console.error(noNodeMessage());
  process.exitCode = 1;
} else {
  runInPlace(node, [existsSync(sources) ? sources : compiled, ...process.argv.slice(2)]);
}
