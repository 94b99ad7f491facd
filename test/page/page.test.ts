// The page in a real browser, over a real server with real runs.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/common/random.ts';
import { LOCAL_CALLER } from '../../src/engine/execution/local-caller.ts';
import { repositoryRoot } from '../support/repository.ts';
import { finish, makeAttempt, makeRun, settle } from '../support/ledger-records.ts';
import { chromiumPath, launch, noChromium, openPage } from './support/browser.ts';
import { servePage, type ServedPage } from './support/served.ts';

const here = chromiumPath === undefined ? describe.skip : describe;
const title = chromiumPath === undefined ? `the page (${noChromium})` : 'the page';
const PATIENT_MS = 60_000;

/** A text of its own for each number: traffic that no guard takes for a loop. */
function words(n: number): string {
  const random = seededRandom(n);
  return Array.from({ length: 12 }, () =>
    Math.floor(random() * 26 ** 6)
      .toString(36)
      .replace(/\d/g, 'e'),
  ).join(' ');
}

/** The exact nano-dollars that the page shows at a place. */
async function figure(page: Page, name: string): Promise<bigint> {
  const text = await page.locator(`[data-figure="${name}"]`).first().innerHTML();
  const own = await page.locator(`[data-figure="${name}"]`).first().getAttribute('data-nano');
  return BigInt(own ?? /data-nano="(-?\d+)"/.exec(text)?.[1] ?? '-1');
}

let browser: Browser;
if (chromiumPath !== undefined) {
  beforeAll(async () => void (browser = await launch()), PATIENT_MS);
  afterAll(async () => browser.close(), PATIENT_MS);
}

here(title, { timeout: PATIENT_MS }, () => {
  let served: ServedPage;

  beforeAll(async () => void (served = await servePage()), PATIENT_MS);
  afterAll(async () => served.close(), PATIENT_MS);

  const triage = (n: number) =>
    served.app.engine.run({
      task: 'triage',
      caller: LOCAL_CALLER,
      input: { message: words(n) },
    });

  it('INV-11: its figures equal the ledger’s to the nano-dollar after a hundred runs at once', async () => {
    const { page, faults } = await openPage(browser, served.url);
    await Promise.all(Array.from({ length: 100 }, (_, n) => triage(n)));
    const { total } = await served.app.stats.costStats({ window: 'HOUR', by: [], filter: {} });
    expect(total.costNanoUsd).toBeGreaterThan(0n);
    await expect.poll(() => figure(page, 'hour-cost'), { timeout: 15_000 }).toBe(total.costNanoUsd);
    await expect.poll(() => figure(page, 'spent-company'), { timeout: 15_000 }).toBe(total.costNanoUsd);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('what Now says leads to what explains it: a budget to its spending by task, failed calls to models, savings to tasks', async () => {
    await triage(700);
    const { page, faults } = await openPage(browser, served.url);
    const budgets = page.getByRole('region', { name: 'Budgets' });
    await expect.poll(() => figure(page, 'spent-company'), { timeout: 15_000 }).toBeGreaterThan(0n);
    const spent = await figure(page, 'spent-company');
    await budgets.getByRole('link', { name: 'company', exact: true }).click();
    await page.getByRole('cell', { name: 'triage' }).first().waitFor();
    expect(await figure(page, 'total-cost')).toBe(spent);
    // The address says the moment, whatever the zone of who opens it.
    const { from } = Object.fromEntries(new URL(page.url()).searchParams);
    const account = served.app.budgets.views().find(({ budget }) => budget.name === 'company');
    expect(Date.parse(from ?? '')).toBe(account?.windowStartedAtMs);

    await page.getByRole('link', { name: 'triage' }).first().click();
    await page.getByRole('heading', { name: 'Runs' }).waitFor();
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toMatchObject({ task: 'triage', from });
    await page.getByRole('cell', { name: 'triage' }).first().waitFor();

    await page.goto(served.url);
    await page.getByRole('link', { name: 'failed calls' }).click();
    await page
      .getByRole('table')
      .getByRole('cell', { name: /gpt|claude/ })
      .first()
      .waitFor();
    expect(page.url()).toContain('by=MODEL');

    await page.goto(served.url);
    await page.getByRole('link', { name: /by task$/ }).click();
    const { groups } = await served.app.stats.savings({ span: { window: 'DAY' }, by: ['TASK'] });
    const saved = page.getByRole('region', { name: 'Cost by task, table' });
    for (const { keys, sum } of groups)
      await saved
        .getByRole('row', { name: keys[0]?.value ?? '' })
        .locator(`[data-nano="${sum.netNanoUsd}"]`)
        .first()
        .waitFor();
    expect(groups.length).toBeGreaterThan(0);

    // An address that says no moment is shown all the same.
    await page.goto(`${served.url}/explore?span=custom&from=yesterday&to=2026-13-01&by=NOTHING`);
    await page.getByRole('heading', { name: 'By task' }).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('pauses spending: the next call is refused until it is resumed', async () => {
    const { page, faults } = await openPage(browser, served.url);
    await page.getByRole('button', { name: 'Pause spending' }).click();
    await page.getByLabel('Why').fill('a loop was seen');
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    const paused = page.getByRole('list', { name: 'What is paused' });
    await paused.getByText('a loop was seen').waitFor();
    expect((await triage(1001)).kind).toBe('spending_paused');
    await page.getByRole('button', { name: 'Resume all' }).click();
    await paused.getByText('a loop was seen').waitFor({ state: 'detached' });
    expect((await triage(1002)).kind).toBe('run');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('shows a run: its calls on the axis of its time, why that model was called, and what it cost', async () => {
    const result = await served.app.engine.run({
      task: 'review',
      caller: LOCAL_CALLER,
      input: { change: 'diff one\nreplaces a list by a map in the harbour' },
    });
    if (result.kind !== 'run') throw new Error(result.kind);
    const { run } = result.snapshot;
    const { page, faults } = await openPage(browser, `${served.url}/runs/${run.id}`);
    await page.getByRole('heading', { name: /review/ }).waitFor();
    expect(await figure(page, 'run-cost')).toBe(run.costNanoUsd);
    expect(await page.locator('.lane.call').count()).toBe(2);
    await page.getByRole('button', { name: /strong/ }).click();
    await page.getByText('called', { exact: true }).first().waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('stops a run that is under way', async () => {
    const { page } = await openPage(browser, served.url);
    // The upstream answers in a moment: a run that lasts is one whose caller waits behind many.
    const runs = Array.from({ length: 60 }, (_, n) =>
      served.app.engine.run({
        task: 'digest',
        caller: LOCAL_CALLER,
        input: { items: Array.from({ length: 20 }, (_item, at) => words(5000 + n * 20 + at)) },
      }),
    );
    await page
      .getByRole('button', { name: /^Stop run/ })
      .first()
      .click();
    const results = await Promise.all(runs);
    const cancelled = results.filter(
      (result) => result.kind === 'run' && result.snapshot.run.status === 'cancelled',
    );
    expect(cancelled).toHaveLength(1);
    await page.context().close();
  });

  it('lists what was settled at an estimate, and lowers it to what the bill says', async () => {
    // A call that is cut while it answers: nobody tells what it came to.
    const leaving = new AbortController();
    const input = { items: Array.from({ length: 20 }, (_item, at) => words(9000 + at)) };
    await served.app.engine.run({
      task: 'digest',
      caller: LOCAL_CALLER,
      input,
      stream: true,
      texts: 'all',
      signal: leaving.signal,
      onEvent: ({ type }) => {
        if (type === 'text') leaving.abort();
      },
    });
    const [dearest] = await served.app.ledger.estimates(0, 10);
    if (dearest === undefined) throw new Error('nothing was settled at an estimate');
    const { page, faults } = await openPage(browser, `${served.url}/providers`);
    await page.getByLabel(`What ${dearest.id} cost in dollars`).fill('0.000000001');
    await page
      .getByRole('row', { name: new RegExp(dearest.id) })
      .getByRole('button', { name: 'Lower' })
      .click();
    await page.getByLabel(`What ${dearest.id} cost in dollars`).waitFor({ state: 'detached' });
    expect((await served.app.ledger.estimates(0, 50)).map(({ id }) => id)).not.toContain(dearest.id);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('shows a task’s file as it is in force', async () => {
    const { page, faults } = await openPage(browser, `${served.url}/tasks/triage`);
    const text = await readFile(join(repositoryRoot, 'demo', 'triage.yaml'), 'utf8');
    const shown = page.getByRole('region', { name: 'As it is written' }).locator('pre');
    expect((await shown.textContent())?.trim()).toBe(text.trim());
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('says what an hour more of a surge would have cost, and acknowledges its alert, with the name of who did', async () => {
    const message = 'A test says that somebody should look.';
    const alert = {
      id: 'alr_page',
      kind: 'surge' as const,
      severity: 'warning' as const,
      message,
      remedy: 'Look.',
    };
    const details = { stage: 'surge', spentNanoUsd: '5000000000', overMs: 900_000 };
    const told = { scope: 'all', atMs: Date.now(), runId: null, details };
    await served.app.ledger.recordAlert({ ...alert, ...told });
    const { page, faults } = await openPage(browser, served.url);
    // $5 in a quarter of an hour.
    await page.getByText('An hour more at this pace would have cost $20.00').waitFor();
    await page.goto(`${served.url}/alerts`);
    await page.getByRole('button', { name: `Acknowledge: ${message}` }).click();
    await page.getByText('seen to by local').waitFor();
    expect((await served.app.ledger.alert('alr_page'))?.acknowledged?.by).toBe('local');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('tries a task by the form of its schema', async () => {
    const { page, faults } = await openPage(browser, `${served.url}/tasks/triage`);
    await page.getByLabel(/^message/).fill('My invoice of March was charged twice.');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText('succeeded').waitFor({ timeout: 15_000 });
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('says what today costs against the usual of these hours, and why', async () => {
    const { ledger, stats } = served.app;
    // Nine days ago something was there already; a week ago, at this time, one call of $2.
    for (const [days, costNanoUsd] of [
      [9, 1n],
      [7, 2_000_000_000n],
    ] as const) {
      const run = makeRun(`run_past${days}`, { startedAtMs: Date.now() - days * 86_400_000 - 1 });
      const attempt = makeAttempt(`att_past${days}`, run, { postings: [] });
      await ledger.openRun(run);
      await ledger.openAttempt(attempt);
      await ledger.closeAttempt(settle(attempt, { costNanoUsd }), null);
      await ledger.finishRun(finish(run, { costNanoUsd }));
    }
    const { page, faults } = await openPage(browser, served.url);
    const panel = page.getByRole('region', { name: 'Today against the usual' });
    await panel.getByText('is usual by now').waitFor();
    const timeZone = await page.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
    const { changeNanoUsd, byCause } = await stats.costChange({ to: { calendar: 'day', timeZone } });
    await panel.locator(`[data-nano="${changeNanoUsd}"]`).first().waitFor();
    expect(byCause.length).toBeGreaterThan(0);
    for (const { amountNanoUsd } of byCause)
      await panel
        .getByRole('list', { name: 'By cause' })
        .locator(`[data-nano="${amountNanoUsd}"]`)
        .first()
        .waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('explores a span by session', async () => {
    const session = 'agent-1';
    await served.app.engine.run({
      task: 'triage',
      caller: { ...LOCAL_CALLER, session },
      input: { message: words(3001) },
    });
    const { page, faults } = await openPage(browser, `${served.url}/explore?span=hour&by=SESSION`);
    await page.getByRole('cell', { name: session }).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('draws the hundred dearest groups, all of them when asked, and writes each to the CSV, none as a formula', async () => {
    const { ledger } = served.app;
    const sessions = ['=1+1', ...Array.from({ length: 109 }, (_, index) => `many-${index}`)];
    const caller = { ...LOCAL_CALLER, name: 'many' };
    await Promise.all(
      sessions.flatMap((session, index) => {
        const run = makeRun(`run_many_${index}`, { caller: { ...caller, session }, startedAtMs: Date.now() });
        const attempt = makeAttempt(`att_many_${index}`, run, { postings: [] });
        return [
          ledger.openRun(run),
          ledger.openAttempt(attempt),
          ledger.closeAttempt(settle(attempt, { costNanoUsd: BigInt(1 + index) }), null),
          ledger.finishRun(finish(run)),
        ];
      }),
    );
    const { page, faults } = await openPage(
      browser,
      `${served.url}/explore?span=hour&by=SESSION&caller=many`,
    );
    const rows = page.getByRole('cell', { name: /^(?:many-\d+|=1\+1)$/ });
    const csv = async (): Promise<readonly string[]> => {
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'CSV' }).click(),
      ]);
      return (await readFile(await file.path(), 'utf8')).trimEnd().split('\r\n');
    };
    const showAll = page.getByRole('button', { name: 'Show all 110' });
    await showAll.waitFor();
    expect(await rows.count()).toBe(100);
    const before = await csv();
    expect(before).toHaveLength(111);
    expect(before[1]).toBe('many-108,0.00000011,1,1,900,120');
    expect(before.at(-1)).toMatch(/^'=1\+1,0\.000000001,/);
    await showAll.click();
    await expect.poll(() => rows.count()).toBe(110);
    expect(await showAll.count()).toBe(0);
    expect(page.url()).toContain('show=all');
    expect(await csv()).toEqual(before);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('explores a span by caller, with the filters in its address', async () => {
    const { page, faults } = await openPage(browser, `${served.url}/explore?span=hour&by=TASK`);
    await page.getByRole('cell', { name: 'triage' }).waitFor();
    await page.getByRole('combobox', { name: /^By/ }).selectOption('CALLER');
    await page.getByRole('cell', { name: 'local' }).waitFor();
    expect(page.url()).toContain('by=CALLER');
    const { total } = await served.app.stats.costStats({ window: 'HOUR', by: [], filter: {} });
    expect(await figure(page, 'total-cost')).toBe(total.costNanoUsd);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('is shown by a browser that was started without a language', async () => {
    const context = await browser.newContext();
    await context.addInitScript(() =>
      Object.defineProperty(navigator, 'language', { value: 'en-US@posix', configurable: true }),
    );
    const page = await context.newPage();
    await page.goto(served.url);
    await page.getByRole('heading', { name: 'Budgets' }).waitFor();
    await context.close();
  });

  it('comes back by itself after the server was restarted', async () => {
    const { page } = await openPage(browser, served.url);
    const connection = page.locator('.connection');
    await expect.poll(() => connection.textContent(), { timeout: 15_000 }).toBe('live');
    await served.restart();
    await expect.poll(() => connection.textContent(), { timeout: 30_000 }).toBe('live');
    await triage(2001);
    const { total } = await served.app.stats.costStats({ window: 'HOUR', by: [], filter: {} });
    await expect.poll(() => figure(page, 'hour-cost'), { timeout: 15_000 }).toBe(total.costNanoUsd);
    await page.context().close();
  });

  it.each(['/', '/tasks/triage'])('uses the width of a screen of 3840 pixels at %s', async (path) => {
    const { page, faults } = await openPage(browser, `${served.url}${path}`, { width: 3840 });
    await page.locator('.panel').first().waitFor();
    const { overflow, columns } = await page.evaluate(() => ({
      overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      columns: new Set(
        [...document.querySelectorAll('.panel')].map((one) => one.getBoundingClientRect().left),
      ).size,
    }));
    expect(overflow).toBeLessThanOrEqual(0);
    // Panels stand side by side.
    expect(columns).toBeGreaterThan(1);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it.each([
    '/',
    '/explore',
    '/runs',
    '/tasks',
    '/tasks/triage',
    '/revisions',
    '/providers',
    '/alerts',
    '/keys',
  ])('has nothing at %s that axe finds fault with, at 360 pixels as at 1280, light as dark', async (path) => {
    const { page, faults } = await openPage(browser, `${served.url}${path}`, {
      width: 1280,
      // So that axe may be put into it.
      bypassPolicy: true,
    });
    await page.locator('h1').first().waitFor({ state: 'attached' });
    await page.waitForLoadState('networkidle').catch(() => undefined);
    await page.addScriptTag({ content: axeSource });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [1280, 360]) {
        await page.setViewportSize({ width, height: 800 });
        // Themes differ in colours alone.
        const found = await page.evaluate(
          async (rules) => {
            await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
            const { violations } = await (
              globalThis as unknown as {
                axe: {
                  run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
                };
              }
            ).axe.run(rules);
            return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
          },
          colorScheme === 'dark' ? { runOnly: ['color-contrast'] } : {},
        );
        expect([colorScheme, width, found]).toEqual([colorScheme, width, []]);
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow).toBeLessThanOrEqual(0);
        expect(faults).toEqual([]);
      }
    }
    await page.context().close();
  });
});

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

here('the page with keys', { timeout: PATIENT_MS }, () => {
  it('INV-12: asks for a key, shows what its scopes allow, and is closed when the key is revoked', async () => {
    const served = await servePage();
    try {
      const { page } = await openPage(browser, `${served.url}/keys`);
      await page.getByLabel(/^Caller/).fill('ana');
      // Whoever makes the first goes on with it, unless something else is said.
      expect(await page.getByLabel('Scopes').inputValue()).toBe('run:* read:all admin');
      await page.getByLabel('Scopes').fill('read:stats');
      await page.getByRole('button', { name: 'Make a key' }).click();
      // The first key closes the server to the page too, and is still shown.
      await page.getByLabel('API key').waitFor();
      const secret = (await page.locator('.secret code').textContent()) ?? '';
      expect(secret).toMatch(/^hg_/);
      await page.getByRole('button', { name: 'Done' }).click();
      await expect.poll(() => page.getByText(secret).count()).toBe(0);
      await page.getByLabel('API key').fill('hg_wrong');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').waitFor();
      await page.getByLabel('API key').fill(secret);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect.poll(() => page.locator('.connection').textContent(), { timeout: 15_000 }).toBe('live');
      expect(await page.evaluate(() => document.cookie)).toBe('');
      expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('hg_');
      expect(page.url()).not.toContain('hg_');
      await page.goto(`${served.url}/keys`);
      await page.getByText(/admin/).first().waitFor();
      await page.goto(served.url);
      await expect.poll(() => page.locator('.connection').textContent(), { timeout: 15_000 }).toBe('live');

      const admin = await served.app.ledger.apiKeys();
      await served.app.ledger.revokeApiKey(admin[0]?.id ?? '', Date.now());
      await page.getByLabel('API key').waitFor({ timeout: 45_000 });
    } finally {
      await Promise.all(browser.contexts().map((context) => context.close()));
      await served.close();
    }
  });
});

here('the page while workflows change', { timeout: PATIENT_MS }, () => {
  it('shows a revision that is taken, what differs, a pin and its release, and one that is refused with its problem, without being loaded again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'headgate-demo-'));
    await cp(join(repositoryRoot, 'demo'), folder, { recursive: true });
    const served = await servePage({ workflows: folder });
    try {
      const { page, faults } = await openPage(browser, `${served.url}/revisions`);
      await page.getByText('in force').first().waitFor();
      const first = served.app.revisions.active().plan.hash;
      const file = join(folder, 'triage.yaml');
      const text = await readFile(file, 'utf8');
      await writeFile(file, text.replace('maxOutputTokens: 300', 'maxOutputTokens: 250'));
      await expect.poll(() => page.locator('tbody tr').count(), { timeout: 20_000 }).toBe(2);
      const newest = served.app.revisions.active().plan.hash;
      const row = (hash: string) => page.getByRole('row').filter({ hasText: hash.slice(0, 10) });
      await page.getByRole('radio', { name: `before: ${first.slice(0, 10)}` }).check();
      await page.getByRole('radio', { name: `after: ${newest.slice(0, 10)}` }).check();
      await page
        .getByText(/300.*250/)
        .first()
        .waitFor();
      await row(first).getByRole('button', { name: 'Pin' }).click();
      await row(first).getByText('pinned').waitFor();
      await row(first).getByText('in force').waitFor();
      expect(served.app.revisions.active().plan.hash).toBe(first);
      await page.getByRole('button', { name: 'Release' }).click();
      await row(newest).getByText('in force').waitFor();
      expect(served.app.revisions.active().plan.hash).toBe(newest);
      await writeFile(file, text.replace('route: quick', 'route: nowhere'));
      await page.getByRole('heading', { name: /Refused/ }).waitFor({ timeout: 20_000 });
      await page
        .getByText(/triage\.yaml:\d+/)
        .first()
        .waitFor();
      expect(faults).toEqual([]);
    } finally {
      await Promise.all(browser.contexts().map((context) => context.close()));
      await served.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
