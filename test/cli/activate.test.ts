// headgate history and activate: with a server and without one.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serve } from '../support/served.ts';
import { headgate, PROJECT, TASK, temporaryFolder } from './support.ts';

interface Row {
  readonly hash: string;
  readonly state: string;
  readonly runs: number;
  readonly attempts: number;
  readonly errorRate: number | null;
  readonly problems: readonly unknown[];
}

const TEXT = 'Rain fell on the hills. The river rose by a metre. The gate was shut at noon.';
const task = (default_: number): string => TASK.replace('default: 2', `default: ${default_}`);

describe('headgate history and activate', () => {
  it('list what ran on which revision, and pin one while no server runs', async () => {
    const workflows = temporaryFolder({ 'headgate.yaml': PROJECT, 'shorten.yaml': task(2) });
    const data = temporaryFolder();
    const run = () =>
      headgate([
        'run',
        'shorten',
        '--workflows',
        workflows,
        '--data',
        data,
        '--input',
        `text=${TEXT}`,
        '--json',
      ]);
    const revisionOf = async (): Promise<string> =>
      (JSON.parse((await run()).out) as { revision: string }).revision;
    const history = async (): Promise<readonly Row[]> =>
      JSON.parse((await headgate(['history', '--data', data, '--json'])).out) as Row[];

    expect(await headgate(['history', '--data', join(data, 'none')])).toMatchObject({ code: 1 });
    const first = await revisionOf();
    writeFileSync(join(workflows, 'shorten.yaml'), task(3));
    const second = await revisionOf();
    await run();
    expect(second).not.toBe(first);
    expect(await history()).toMatchObject([
      { hash: second, state: 'active', runs: 2, attempts: 2, errorRate: 0 },
      { hash: first, state: 'past', runs: 1 },
    ]);

    const pinned = await headgate(['activate', first.slice(0, 10), '--data', data]);
    expect(pinned).toMatchObject({
      code: 0,
      out: expect.stringContaining('the next start serves it') as string,
    });
    expect(await revisionOf()).toBe(first);
    const shown = await headgate(['history', '--data', data]);
    expect(shown.out).toMatch(new RegExp(`^${first.slice(0, 12)} .* pinned `, 'm'));
    expect(shown.err).toContain('headgate activate --release');

    expect((await headgate(['activate', '--release', '--data', data])).out).toContain('is released');
    expect((await headgate(['activate', '--release', '--data', data])).out).toBe('No revision is pinned.');
    expect(await revisionOf()).toBe(second);

    expect(await headgate(['activate', 'ffffffff', '--data', data])).toMatchObject({
      code: 1,
      err: expect.stringContaining('headgate history') as string,
    });
    expect(await headgate(['activate', '--data', data])).toMatchObject({ code: 2 });
    expect(await headgate(['activate', first, '--release', '--data', data])).toMatchObject({ code: 2 });
  });

  it('pin at a running server, which serves it at once and says so at its next start', async () => {
    const workflows = temporaryFolder({ 'headgate.yaml': PROJECT, 'shorten.yaml': task(2) });
    const data = temporaryFolder();
    const start = () =>
      serve({
        flags: ['--workflows', workflows, '--data', data, '--webhook-secret', 'between us'],
        dataDirectory: data,
      });
    const ready = async (url: string) =>
      (await (await fetch(`${url}/health/ready`)).json()) as {
        revision: { hash: string; pinned: boolean };
        problems: readonly unknown[];
      };

    const server = await start();
    const first = (await ready(server.url)).revision.hash;
    writeFileSync(join(workflows, 'shorten.yaml'), task(4));
    await reload(server.url, 'between us');
    const second = (await ready(server.url)).revision.hash;
    expect(second).not.toBe(first);

    // The ledger is the server's: the command finds its address beside it.
    const pinned = await headgate(['activate', first, '--data', data]);
    expect(pinned).toMatchObject({
      code: 0,
      out: expect.stringContaining('is pinned and serves now') as string,
    });
    expect((await ready(server.url)).revision).toMatchObject({ hash: first, pinned: true });
    expect((await headgate(['history', '--data', data])).out).toMatch(
      new RegExp(`^${first.slice(0, 12)} .* pinned `, 'm'),
    );
    await server.stop();

    const again = await start();
    expect(again.output()).toContain(`Revision ${first.slice(0, 12)} is pinned`);
    expect((await ready(again.url)).revision).toMatchObject({ hash: first, pinned: true });
    await headgate(['activate', '--release', '--server', again.url]);
    expect((await ready(again.url)).revision).toMatchObject({ hash: second, pinned: false });

    writeFileSync(join(workflows, 'shorten.yaml'), 'task: shorten\nsteps: {}\n');
    expect(await reload(again.url, 'between us')).toMatchObject({ status: 'refused', serving: second });
    expect((await ready(again.url)).problems.length).toBeGreaterThan(0);
    writeFileSync(join(workflows, 'shorten.yaml'), task(5));
    process.kill(again.pid, 'SIGHUP');
    // The signal and this request are served in one order or the other; both read what is there now.
    expect(await reload(again.url, 'between us')).toMatchObject({
      status: expect.stringMatching(/activated|unchanged/) as string,
    });
    expect((await ready(again.url)).problems).toEqual([]);
    await again.stop();
  });
});

async function reload(url: string, secret: string): Promise<object> {
  const { createHmac } = await import('node:crypto');
  const body = '{"zen":"Design for failure."}';
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  const response = await fetch(`${url}/webhooks/reload`, {
    method: 'POST',
    body,
    headers: { 'x-hub-signature-256': signature },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as object;
}

describe('headgate keys create', () => {
  it('warns of a scope for a task that the revision in force does not have, and makes the key', async () => {
    const workflows = temporaryFolder({ 'headgate.yaml': PROJECT, 'shorten.yaml': task(2) });
    const data = temporaryFolder();
    const create = (scope: string) =>
      headgate(['keys', 'create', '--caller', 'ana', '--scope', scope, '--data', data]);

    const before = await create('run:anything');
    expect(before).toMatchObject({ code: 0, err: expect.not.stringContaining('there is no task') as string });
    await headgate(['run', 'shorten', '--workflows', workflows, '--data', data, '--input', `text=${TEXT}`]);
    const misspelt = await create('run:shroten');
    expect(misspelt.code).toBe(0);
    expect(misspelt.out).toMatch(/^hg_/);
    expect(misspelt.err).toContain(
      'there is no task "shroten" in the revision in force. Did you mean "run:shorten"?',
    );
    expect((await create('run:shorten')).err).not.toContain('there is no task');
    expect((await create('run:*')).err).not.toContain('there is no task');
  });
});
