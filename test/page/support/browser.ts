// A real Chromium for the page's tests: an installed one, or the package's on Linux x64; where neither can be had, the tests are skipped by name.
import { existsSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { chromium, type Browser, type Page } from 'playwright-core';

const INSTALLED = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Nothing of it asks the network: no updates, no look-ups, no first-run pages. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** `HEADGATE_CHROMIUM` names one; undefined: there is none here. */
async function executable(): Promise<string | undefined> {
  const named = process.env['HEADGATE_CHROMIUM'];
  const found = [...(named === undefined ? [] : [named]), ...INSTALLED].find((path) => existsSync(path));
  if (found !== undefined || platform() !== 'linux' || arch() !== 'x64') return found;
  const { default: packaged } = await import('@sparticuz/chromium');
  return packaged.executablePath();
}

export const chromiumPath = await executable();

export const noChromium =
  'no Chromium here: install one, or name one in HEADGATE_CHROMIUM (on Linux x64 npm test brings it as a package)';

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath ?? '', args: QUIET });
}

export interface Watched {
  readonly page: Page;
  /** Errors of the console and of scripts, and requests to any other host. */
  readonly faults: readonly string[];
}

/** A page of its own, with everything noted that must not happen. */
export async function openPage(
  browser: Browser,
  url: string,
  options: {
    readonly width?: number;
    readonly bypassPolicy?: boolean;
  } = {},
): Promise<Watched> {
  const context = await browser.newContext({
    locale: 'en-US',
    bypassCSP: options.bypassPolicy ?? false,
    colorScheme: 'light',
    viewport: { width: options.width ?? 1280, height: 900 },
  });
  const page = await context.newPage();
  const faults: string[] = [];
  const { host } = new URL(url);
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    const asked = new URL(request.url());
    if (asked.protocol !== 'data:' && asked.protocol !== 'blob:' && asked.host !== host)
      faults.push(`asked ${asked.host}`);
  });
  await page.goto(url);
  return { page, faults };
}
