#!/usr/bin/env node
// The `headgate` command: runs the compiled CLI of the package, or the sources where this is a checkout.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findNode, nodeFlags, noNodeMessage, runInPlace } from './launch.mjs';

const sources = new URL('../src/cli/main.ts', import.meta.url);
const compiled = new URL('../dist/cli/main.js', import.meta.url);
const node = findNode(import.meta.url);

if (node === undefined) {
  console.error(noNodeMessage());
  process.exitCode = 1;
} else {
  const args = process.argv.slice(2);
  const flags = nodeFlags(args);
  const main = existsSync(sources) ? sources : compiled;
  // A second Node takes as long to start as most commands take to answer.
  if (node === process.execPath && flags.length === 0) await import(main.href);
  else runInPlace(node, [...flags, fileURLToPath(main), ...args]);
}
