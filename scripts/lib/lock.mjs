// A lock between processes: a file that exists as long as its owner lives.
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

// An installation on a slow network takes minutes; an owner that has held the lock for longer than this has hung, or
// its process id is another's by now.
const oldestMs = 15 * 60_000;

/** Runs `body` while holding the lock file; waits while another live process holds it. */
export async function withLock(file, body) {
  const mine = `${process.pid} ${process.hrtime.bigint()}`;
  while (!take(file, mine)) {
    if (!breakStale(file)) await sleep(100);
  }
  try {
    return await body();
  } finally {
    if (read(file) === mine) rmSync(file, { force: true });
  }
}

function take(file, mine) {
  // Written aside and linked into place, so that nobody reads a lock whose owner is not in it yet.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, mine);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function breakStale(file) {
  const seen = read(file);
  if (seen === undefined) return true;
  if (isAlive(Number.parseInt(seen, 10)) && ageMs(file) < oldestMs) return false;
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
    // Someone else broke it first and this was the next owner's lock: put it back.
    if (read(aside) !== seen) linkSync(aside, file);
  } catch {
    // Gone already, or taken again: the next look tells.
  }
  rmSync(aside, { force: true });
  return true;
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function ageMs(file) {
  try {
    return Date.now() - statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
