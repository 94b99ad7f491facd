// Disks, locks, damaged files and clocks that jump, under the served system: clear errors, nothing lost, and work goes on when they recover.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock, type Clock } from '../../../src/common/clock.ts';
import { seededRandom } from '../../../src/common/random.ts';
import { startCountingUpstream } from '../../support/counting-upstream.ts';
import type { CountingUpstream } from '../../support/counting-upstream.ts';
import {
  BUDGETS,
  DATABASE,
  RUN_SINGLE,
  ask,
  expectNothingForgotten,
  expectVerified,
  expectWithin,
  hostFor,
  nano,
  rowsOf,
  serveFor,
  temporary,
  withReader,
  workflowFolder,
} from './support.ts';
import type { Answer, Hosted } from './support.ts';

function mount(folder: string, options: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const canMount = ((): boolean => {
  const folder = join('/tmp', `headgate-system-mount-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const could = mount(folder, 'size=64k');
  if (could) execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
  rmSync(folder, { recursive: true, force: true });
  return could;
})();

function smallDisk(kilobytes: number): string {
  const folder = join(temporary('headgate-disk-'), 'disk');
  mkdirSync(folder);
  if (!mount(folder, `size=${kilobytes}k`)) throw new Error('the disk could be mounted a moment ago');
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
  });
  return folder;
}

/** Takes all the room there is. */
function fill(path: string): void {
  writeFileSync(path, '');
  for (const size of [65_536, 4_096, 256]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size, 1), { flag: 'a' });
    } catch {
      // Full, for pieces of this size.
    }
  }
}

const upstreamOf = (): Promise<CountingUpstream> => startCountingUpstream({ random: seededRandom(9) });
const run = ({ url }: { readonly url: string }, mark: string): Promise<Answer> =>
  ask(url, RUN_SINGLE, { mark });

/** The code by which a run was refused or failed. */
function codeOf({ data, errors }: Answer): unknown {
  return data?.runTask?.error?.code ?? data?.runTask?.code ?? errors[0]?.extensions?.['code'];
}

async function ready({
  url,
}: {
  readonly url: string;
}): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${url}/health/ready`);
  return { status: response.status, text: await response.text() };
}

/** Works again: what was refused is refused no more. */
async function worksAgain(at: Hosted, mark: string): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    const { data } = await run(at, `${mark}-${tries}`);
    if (data?.runTask?.status === 'SUCCEEDED') return;
    await sleep(100);
  }
  throw new Error('it does not work again');
}

/** Memory, rows and the invoice say the same. */
async function agree({ url, app }: Hosted, upstream: CountingUpstream): Promise<void> {
  for (let looks = 0; looks < 100 && app.ledger.health().deferred > 0; looks += 1) await sleep(50);
  const { data } = await ask(url, BUDGETS);
  const used = expectWithin(data.budgets);
  const rows = await rowsOf(app.ledger);
  const attempts = [...rows.attempts.values()].flat();
  expect(attempts.filter(({ status }) => status === 'open')).toEqual([]);
  expect(used).toBe(attempts.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n));
  expect(used).toBe(upstream.billedNanoUsd());
  expectNothingForgotten(upstream, rows);
  expect(await app.ledger.verify()).toMatchObject({ ok: true, discrepancies: [] });
}

describe.skipIf(!canMount)('a disk that is full', { timeout: 90_000 }, () => {
  it('stops what would not be written down, loses no settlement of what is under way, and goes on by itself', async () => {
    const upstream = await upstreamOf();
    const disk = smallDisk(12_288);
    const at = await hostFor(upstream, { dataDirectory: join(disk, 'data') });
    expect((await run(at, 'before')).data.runTask).toMatchObject({ status: 'SUCCEEDED' });

    upstream.otherwise({ tokens: 10, firstTokenAfterMs: 1_500 });
    const underWay = run(at, 'under-way');
    await upstream.received(2);
    fill(join(disk, 'ballast'));
    upstream.otherwise({ tokens: 10 });
    // What still fits into the log is written; then it is refused, and nobody is called.
    let refused: Answer | undefined;
    for (let tries = 0; tries < 400 && refused === undefined; tries += 1) {
      const callsBefore = upstream.calls.length;
      const answer = await run(at, `full-${tries}-${'x'.repeat(2_000)}`);
      if (answer.data?.runTask?.status === 'SUCCEEDED') continue;
      refused = answer;
      expect(upstream.calls.length - callsBefore).toBeLessThanOrEqual(1);
    }
    expect(codeOf(refused as Answer)).toBe('LEDGER_UNAVAILABLE');
    const health = await ready(at);
    expect(health.status).toBe(503);
    expect(JSON.parse(health.text)).toMatchObject({ ledger: { ok: false, detail: 'its disk is full' } });
    const callsBefore = upstream.calls.length;
    for (let more = 0; more < 5; more += 1)
      expect(codeOf(await run(at, `refused-${more}`))).toBe('LEDGER_UNAVAILABLE');
    expect(upstream.calls).toHaveLength(callsBefore);
    // It was paid for: its cost is kept until there is room, whatever its caller is told.
    await underWay;

    rmSync(join(disk, 'ballast'));
    await worksAgain(at, 'after');
    expect((await ready(at)).status).toBe(200);
    await agree(at, upstream);
    await at.close();
    await expectVerified(at.dataDirectory);
    await upstream.close();
  });

  it('that cannot be written at all: the server does not start, and says why and what to do', async () => {
    const disk = smallDisk(512);
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    const upstream = await upstreamOf();
    const failed = await serveFor(upstream, {
      dataDirectory: join(disk, 'data'),
      flags: ['--workflows', workflowFolder()],
    }).then(
      () => 'it started',
      (error: unknown) => String(error),
    );
    expect(failed).toMatch(/ended with 1/);
    expect(failed).toMatch(/cannot be written to|opened for writing/);
    expect(failed).toMatch(/write permission/);
    expect(failed).not.toMatch(/\n {4}at /);
    await upstream.close();
  });
});

describe('a database that another program has locked', { timeout: 90_000 }, () => {
  it('goes on from the journal, refuses runs once the database has refused a transaction, and loses nothing', async () => {
    const upstream = await upstreamOf();
    const at = await hostFor(upstream);
    expect((await run(at, 'before')).data.runTask).toMatchObject({ status: 'SUCCEEDED' });
    upstream.otherwise({ tokens: 10, firstTokenAfterMs: 400 });
    const underWay = run(at, 'under-way');
    await upstream.received(2);
    const other = new DatabaseSync(join(at.dataDirectory, DATABASE), { timeout: 5_000 });
    other.exec('begin immediate');
    expect((await underWay).data.runTask).toMatchObject({ status: 'SUCCEEDED' });
    // What is in the journal was written down: it is answered at once, and put into the database later.
    expect((await run(at, 'meanwhile')).data.runTask).toMatchObject({ status: 'SUCCEEDED' });
    for (let looks = 0; looks < 200 && at.app.ledger.health().ok; looks += 1) await sleep(50);
    const health = await ready(at);
    expect(health.status).toBe(503);
    // No driver's words, and no path: it is asked without a key.
    expect(JSON.parse(health.text)).toMatchObject({
      ledger: { ok: false, detail: 'its database is locked' },
    });
    expect(health.text).not.toContain(at.dataDirectory);
    const calls = upstream.calls.length;
    const locked = await run(at, 'locked');
    expect(codeOf(locked)).toBe('LEDGER_UNAVAILABLE');
    expect(JSON.stringify(locked)).toMatch(/LEDGER_UNAVAILABLE/);
    expect(upstream.calls).toHaveLength(calls);
    other.exec('rollback');
    other.close();
    await worksAgain(at, 'after');
    await agree(at, upstream);
    await upstream.close();
  });
});

describe('files that are damaged', { timeout: 90_000 }, () => {
  it('a log that a crash cut short: starts with a prefix that adds up; a file that is no database: says so', async () => {
    const upstream = await upstreamOf();
    const dataDirectory = temporary('headgate-cut-');
    const flags = ['--workflows', workflowFolder(), '--no-watch'];
    const served = await serveFor(upstream, { dataDirectory, flags });
    for (let number = 0; number < 20; number += 1) await run(served, `w${number}`);
    await served.kill();
    const log = join(dataDirectory, `${DATABASE}-wal`);
    truncateSync(log, Math.floor(statSync(log).size * 0.7));
    const again = await serveFor(upstream, { dataDirectory, flags });
    const { data } = await ask(again.url, BUDGETS);
    expectWithin(data.budgets);
    expect((await run(again, 'after')).data.runTask).toMatchObject({ status: 'SUCCEEDED' });
    expect(await again.stop()).toBe(0);
    await expectVerified(dataDirectory);
    const { runs } = await withReader(dataDirectory, rowsOf);
    expect(runs.length).toBeGreaterThan(1);
    expect(runs.length).toBeLessThanOrEqual(21);

    writeFileSync(join(dataDirectory, DATABASE), Buffer.alloc(8_192, 7));
    rmSync(log, { force: true });
    const failed = await serveFor(upstream, { dataDirectory, flags }).then(
      () => 'it started',
      (error: unknown) => String(error),
    );
    expect(failed).toMatch(/not a database of headgate, or it is damaged/);
    expect(failed).toMatch(/backup/);
    expect(statSync(join(dataDirectory, DATABASE)).size).toBe(8_192);
    await upstream.close();
  });
});

describe('a clock that jumps', { timeout: 90_000 }, () => {
  it('a day ahead and back again, with calls under way: INV-2 holds, nothing is lost, no window opens twice', async () => {
    const DAY_MS = 86_400_000;
    let offsetMs = 0;
    const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + offsetMs };
    const upstream = await upstreamOf();
    const at = await hostFor(upstream, {
      clock,
      // Ten calls at their worst case fit beside each other.
      workflow: { budgets: ['company: { limit: $0.005, per: day, then: reject }'] },
    });
    const spend = async (mark: string, count: number): Promise<Answer[]> =>
      Promise.all(Array.from({ length: count }, (_, index) => run(at, `${mark}-${index}`)));
    await spend('today', 10);
    const { data: before } = await ask(at.url, BUDGETS);
    expect(nano(before.budgets[0].spent)).toBe(upstream.billedNanoUsd());

    upstream.otherwise({ tokens: 10, firstTokenAfterMs: 600 });
    const underWay = run(at, 'across-midnight');
    await upstream.received(11);
    offsetMs = DAY_MS;
    upstream.otherwise({ tokens: 10 });
    expect((await underWay).data.runTask).toMatchObject({ status: 'SUCCEEDED' });
    await spend('tomorrow', 5);
    const { data: ahead } = await ask(at.url, BUDGETS);
    expectWithin(ahead.budgets);

    offsetMs = 0;
    let refused: Answer | undefined;
    for (let batch = 0; batch < 30 && refused === undefined; batch += 1) {
      const answers = await spend(`back-${batch}`, 10);
      const { data: back } = await ask(at.url, BUDGETS);
      expectWithin(back.budgets);
      if (answers.every((answer) => answer.data.runTask.__typename === 'BudgetExceeded')) [refused] = answers;
    }
    expect(refused?.data.runTask).toMatchObject({ budget: 'company', limit: '0.005' });

    offsetMs = -DAY_MS;
    expect((await run(at, 'yesterday')).data.runTask).toMatchObject({ __typename: 'BudgetExceeded' });
    offsetMs = 0;
    expect(await at.app.ledger.verify()).toMatchObject({ ok: true, discrepancies: [] });
    expectNothingForgotten(upstream, await rowsOf(at.app.ledger));
    await at.close();

    // In a new process, by the true time: what was posted to the day that has not come yet counts as well, so that it is not spent again.
    const next = await hostFor(upstream, { workflows: at.workflows, dataDirectory: at.dataDirectory });
    const { data } = await ask(
      next.url,
      `{ ...Budgets costStats(window: ALL) { total { cost } } } fragment Budgets on Query ${BUDGETS}`,
    );
    expect(nano(data.budgets[0].spent)).toBe(upstream.billedNanoUsd());
    expect(nano(data.costStats.total.cost)).toBe(upstream.billedNanoUsd());
    expect((await run(next, 'after')).data.runTask).toMatchObject({ __typename: 'BudgetExceeded' });
    expect(await next.app.ledger.verify()).toMatchObject({ ok: true, discrepancies: [] });
    await upstream.close();
  });
});
