// `headgate cluster` as people meet it: three nodes behind one port, the page over them, a key that kills one, and a Ctrl-C that ends all.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { chromiumPath, launch, openPage } from '../page/support/browser.ts';
import { builtWithPage } from '../support/built.ts';
import { emptyDatabase, hasPostgres, query } from '../support/postgres.ts';
import { repositoryRoot } from '../support/repository.ts';
import { closedEnvironment } from '../support/served.ts';

const PATIENT_MS = 120_000;
/** What the browser says itself of a connection that its server has cut. */
const CUT = /Failed to load resource|ERR_|WebSocket connection/;

interface Started {
  readonly said: () => string;
  readonly until: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** As a terminal that is no terminal: a line. */
  readonly type: (line: string) => void;
  /** As Ctrl-C does; resolves with the exit code. */
  readonly interrupt: () => Promise<number | null>;
}

function startCluster(database: string): Started {
  const child = spawn(process.execPath, [join(builtWithPage(), 'cli', 'main.js'), 'cluster', '--port', '0'], {
    cwd: repositoryRoot,
    env: { ...closedEnvironment(), HEADGATE_DATABASE: database },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => (said += text.toString('utf8')));
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const interrupt = (): Promise<number | null> => {
    child.kill('SIGINT');
    return ended;
  };
  onTestFinished(async () => void (await interrupt()));
  return {
    said: () => said,
    async until(pattern) {
      await expect.poll(() => said, { timeout: PATIENT_MS / 2 }).toMatch(pattern);
      return pattern.exec(said) as RegExpExecArray;
    },
    type: (line) => void child.stdin.write(`${line}\n`),
    interrupt,
  };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it.skipIf(!hasPostgres)(
  'a key kills one of three nodes: the page goes on and shows who is left, no run is lost, and Ctrl-C leaves no process',
  { timeout: PATIENT_MS },
  async () => {
    const database = `${await emptyDatabase()}&silence=2000`;
    const cluster = startCluster(database);
    const [, url = ''] = await cluster.until(/3 nodes over one PostgreSQL: open (\S+)/);
    const browser = chromiumPath === undefined ? undefined : await launch();
    onTestFinished(() => browser?.close());
    const shown = browser && (await openPage(browser, url));
    const nodes = shown?.page.getByRole('region', { name: 'Nodes of the cluster' }).locator('tbody tr');
    if (nodes !== undefined) await expect.poll(() => nodes.count(), { timeout: 20_000 }).toBe(3);
    const underWay = async (): Promise<unknown> =>
      (await query(database, 'select count(*)::int as n from runs where finished_at_ms is null'))[0]?.['n'];
    await expect.poll(underWay, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);

    cluster.type('k');
    const [, killed = ''] = await cluster.until(/(node \d) was killed with what it had under way/);
    await cluster.until(new RegExp(`the others go on with what ${killed} left`));
    if (shown !== undefined && nodes !== undefined) {
      await expect.poll(() => nodes.count(), { timeout: 20_000 }).toBe(2);
      await expect
        .poll(() => shown.page.locator('.connection').textContent(), { timeout: 20_000 })
        .toBe('live');
      expect(shown.faults.filter((fault) => !CUT.test(fault))).toEqual([]);
    }

    expect(await cluster.interrupt()).toBe(0);
    expect(cluster.said()).toMatch(/(\d+) runs asked for, \1 answered, .*, 0 failed, 0 lost\./);
    const rows = await query(database, 'select place from nodes');
    expect(rows.length).toBeGreaterThanOrEqual(3);
    const pids = rows.map(({ place }) => Number(/(\d+)\D*$/.exec(String(place))?.[1]));
    expect(pids.filter((pid) => !(pid > 1) || isAlive(pid))).toEqual([]);
    expect(await underWay()).toBe(0);
  },
);
