// A provider's error that quotes what it was sent, under each `retain`: in the answer, in the run, in files, in the log and in alerts.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../../src/app.ts';
import { LOCAL_CALLER } from '../../src/engine/execution/local-caller.ts';
import type { Source } from '../../src/revisions/port.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';

const QUOTED = 'Frau Weber of ana.weber@example.com, +49 30 1234 5678, has a rare illness';
const PHRASES = ['Weber', 'ana.weber@example.com', '1234 5678', 'illness'];

const opened: { close(): Promise<void> }[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function source(baseUrl: string, content: string): Source {
  const project = [
    'headgate: 1',
    'providers:',
    `  lab: { adapter: openai, baseUrl: '${baseUrl}', price: { input: $1, output: $1 } }`,
    'models: { lab/m1: { context: 32k } }',
    'routes: { default: { from: [lab/m1] } }',
  ].join('\n');
  const task = [
    'task: letter',
    `retain: { content: ${content} }`,
    'input: { text: string }',
    'steps:',
    '  a: { prompt: "Sum up: ${{ input.text }}" }',
  ].join('\n');
  const files = [
    { path: 'workflows/headgate.yaml', text: project },
    { path: 'workflows/letter.yaml', text: task },
  ];
  return {
    description: 'by hand',
    read: () => Promise.resolve({ files, commit: null, dirty: false }),
    watch: () => Promise.resolve(() => Promise.resolve()),
  };
}

async function open(
  content: string,
): Promise<{ app: App; upstream: FaultServer; data: string; log: string[] }> {
  const upstream = await startFaultServer();
  opened.push(upstream);
  const data = mkdtempSync(join(tmpdir(), 'headgate-withheld-'));
  folders.push(data);
  const log: string[] = [];
  const note = (...parts: readonly unknown[]): void => void log.push(JSON.stringify(parts));
  const app = await openApp({
    workflows: source(upstream.openaiUrl, content),
    dataDirectory: data,
    env: {},
    log: { debug: note, info: note, warn: note, error: note } as never,
  });
  return { app, upstream, data, log };
}

const withBigInts = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value;

const allFiles = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');

describe('a provider that quotes in its error what it was sent', () => {
  it.each([
    ['hash', 400, PHRASES],
    ['hash', 503, PHRASES],
    ['redacted', 400, PHRASES.slice(1, 3)],
    ['redacted', 503, PHRASES.slice(1, 3)],
  ] as const)(
    'INV-9: under `retain: { content: %s }` is not repeated, at status %i',
    async (content, status, hidden) => {
      const { app, upstream, data, log } = await open(content);
      upstream.otherwise({
        status,
        body: { error: { message: `Cannot process: ${QUOTED}`, type: 'invalid' } },
      });
      const result = await app.engine.run({
        task: 'letter',
        input: { text: QUOTED },
        caller: LOCAL_CALLER,
      });
      const told = JSON.stringify(result, withBigInts);
      expect(told).toContain(String(status));
      expect(told).toContain('errorClass');
      const alerts = await app.ledger.alerts({ limit: 50 });
      await app.close();
      const text = `${told}\n${log.join('\n')}\n${JSON.stringify(alerts, withBigInts)}\n${allFiles(data)}`;
      expect(hidden.filter((phrase) => text.includes(phrase))).toEqual([]);
    },
  );

  it('is told as it is where the task keeps its texts', async () => {
    const { app, upstream } = await open('full');
    upstream.otherwise({
      status: 400,
      body: { error: { message: `Cannot process: ${QUOTED}`, type: 'invalid' } },
    });
    const result = await app.engine.run({
      task: 'letter',
      input: { text: QUOTED },
      caller: LOCAL_CALLER,
    });
    expect(JSON.stringify(result, withBigInts)).toContain('illness');
    await app.close();
  });
});
