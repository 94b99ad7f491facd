// Keeps node_modules in step with package-lock.json, so that no command of this repository needs a set-up of its own.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { platformPackage } from '../../bin/launch.mjs';
import { withLock } from './lock.mjs';

/**
 * Makes sure that what `need` asks for is installed: `runtime` (what Headgate runs with) or `full` (the tools too).
 * Silent and a matter of milliseconds when it is; else one line on stderr, and npm.
 * Throws an `Error` whose message says what to do when npm fails.
 */
export async function ensureInstalled(root, need) {
  const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (isStamped(root, lockText, need)) return;
  mkdirSync(join(root, '.cache'), { recursive: true });
  await withLock(join(root, '.cache', 'install.lock'), () => {
    // Another process may have installed everything while this one waited.
    if (isStamped(root, lockText, need)) return;
    if (!holds(root, lockText, need)) install(root, lockText, need);
    writeStamp(root, lockText, holds(root, lockText, 'full') ? 'full' : 'runtime');
  });
}

function stampOf(lockText) {
  const hash = createHash('sha256').update(lockText).digest('hex');
  return `${process.platform} ${process.arch} ${hash}`;
}

const stampFile = (root) => join(root, 'node_modules', '.headgate-installed.json');

function isStamped(root, lockText, need) {
  try {
    const stamp = JSON.parse(readFileSync(stampFile(root), 'utf8'));
    return stamp.of === stampOf(lockText) && (stamp.level === 'full' || stamp.level === need);
  } catch {
    return false;
  }
}

function writeStamp(root, lockText, level) {
  writeFileSync(stampFile(root), `${JSON.stringify({ of: stampOf(lockText), level })}\n`);
}

/** Whether npm's own record of node_modules has every package of the lock that `need` asks for, as locked. */
export function holds(root, lockText, need) {
  let installed;
  try {
    installed = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages;
  } catch {
    return false;
  }
  for (const [path, wanted] of Object.entries(JSON.parse(lockText).packages)) {
    if (path === '') continue;
    if (need === 'runtime' && (wanted.dev || wanted.devOptional)) continue;
    const found = installed[path];
    if (found === undefined) {
      // An optional package is absent on every platform but its own; of ours, Node is the one that must be there.
      if (wanted.optional && path !== `node_modules/${platformPackage()}`) continue;
      if (wanted.peer) continue;
      return false;
    }
    if (found.version !== wanted.version || found.integrity !== wanted.integrity) return false;
  }
  return true;
}

function install(root, lockText, need) {
  // Only what is missing is added where the rest is right: a server that runs from node_modules goes on running.
  const completes = need === 'full' && holds(root, lockText, 'runtime');
  console.error(
    completes
      ? 'headgate: installing the development tools (once; under a minute)…'
      : 'headgate: installing dependencies from package-lock.json (once; under a minute)…',
  );
  let result = completes
    ? npm(root, ['install', '--no-save', '--include=dev'])
    : npm(root, ['ci', need === 'full' ? '--include=dev' : '--omit=dev']);
  if (completes && (result.status !== 0 || !holds(root, lockText, need))) {
    result = npm(root, ['ci', '--include=dev']);
  }
  if (result.status !== 0) {
    const said = result.error ? result.error.message : complaintOf(result.stderr);
    throw new Error(
      `headgate: npm could not install the dependencies; set right what it says and run this again.\n${said}`,
    );
  }
  if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) {
    throw new Error('headgate: npm installed nothing; run "npm ci" in the repository and read what it says.');
  }
}

/** What npm says went wrong, without the page of usage that follows it. */
function complaintOf(stderr) {
  return stderr.split(/^npm error Clean install a project|^npm error Usage:/m)[0].trim();
}

function npm(root, args) {
  const quiet = [
    '--include=optional',
    '--ignore-scripts',
    '--loglevel=error',
    '--no-progress',
    '--no-audit',
    '--no-fund',
  ];
  const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] };
  const own = process.env['npm_execpath'];
  if (own !== undefined && /npm-cli\.[cm]?js$/.test(own) && existsSync(own)) {
    // npm's own Node: ours may lie in the folder that npm is about to replace.
    return spawnSync(process.env['npm_node_execpath'] ?? process.execPath, [own, ...args, ...quiet], options);
  }
  return spawnSync('npm', [...args, ...quiet], { ...options, shell: process.platform === 'win32' });
}
