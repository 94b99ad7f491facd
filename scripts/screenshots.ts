// `npm run screenshots`: the pictures of the page in docs/images, from the demo when its loop has been stopped.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { launch, openPage } from '../test/page/support/browser.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const images = join(root, 'docs', 'images');
const PORT = 4099;
const url = `http://127.0.0.1:${PORT}`;

const VIEWS = [
  { name: 'now', path: '/' },
  { name: 'explore', path: '/explore?span=hour&by=MODEL' },
  { name: 'tasks', path: '/tasks/review' },
] as const;

const demo = spawn(process.execPath, ['src/cli/main.ts', 'demo', '--port', String(PORT)], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  mkdirSync(images, { recursive: true });
  for await (const line of createInterface({ input: demo.stdout })) {
    console.log(line);
    if (line.includes('were refused')) break;
  }
  const browser = await launch();
  for (const { name, path } of VIEWS) {
    const { page } = await openPage(browser, `${url}${path}`, { width: 1200 });
    await page.locator('h1').first().waitFor({ state: 'attached' });
    await page.getByText('live', { exact: true }).waitFor();
    // What is drawn comes with the second event of a live view.
    await page.waitForTimeout(2500);
    await page.screenshot({ path: join(images, `${name}.png`) });
    await page.context().close();
  }
  await browser.close();
} finally {
  demo.kill();
}
