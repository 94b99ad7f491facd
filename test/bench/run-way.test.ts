// The way of a run stays short: docs/decisions/engine-way-of-a-run.md says what it was, and what it is.
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { repositoryRoot } from '../support/repository.ts';

it('a run goes from the resolver to the socket in twenty frames of thirteen files', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bench/run-way.ts'], {
    cwd: repositoryRoot,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  const [, frames, files] = /^(\d+) frames in (\d+) files/.exec(stdout) ?? [];
  // The way is there: it begins where the API calls the engine, and ends at the HTTP client.
  expect(stdout).toMatch(/ {2}server\/graphql\/mutations\/run-task\.ts/);
  expect(stdout).toMatch(/post {2}engine\/providers\/shared\/http-pool\.ts/);
  expect(Number(frames)).toBeLessThanOrEqual(20);
  expect(Number(files)).toBeLessThanOrEqual(13);
});
