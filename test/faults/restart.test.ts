// A process killed in the middle of a durable run: the next one goes on from the last receipt.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startFaultServer } from '../support/fault-server.ts';
import type { FaultCall } from '../support/fault-server.ts';
import { ledgerPath } from '../support/ledger-folder.ts';
import { restartEngine } from '../support/restart-child.ts';

const child = fileURLToPath(new URL('../support/restart-child.ts', import.meta.url));

function promptOf({ body }: FaultCall): string {
  const messages = body['messages'] as readonly { readonly content: string }[];
  return messages.at(-1)?.content.split(' ').slice(0, 2).join(' ') ?? '';
}

describe('a process that is killed', () => {
  // The number of the call that is under way when it happens: in the first step, in the second, among the items.
  test.each([1, 2, 4, 5])(
    'INV-3, INV-5: during call %i loses nothing billed and calls nothing completed again',
    { timeout: 60_000 },
    async (killedAtCall) => {
      const server = await startFaultServer();
      const path = ledgerPath();
      onTestFinished(() => server.close());
      let held = true;
      server.otherwise(({ number }) => (held && number >= killedAtCall ? { connection: 'silent' } : {}));

      const killed = spawn(process.execPath, [child, path, server.openaiUrl], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [runId] = (await once(createInterface(killed.stdout), 'line')) as [string];
      await server.received(killedAtCall);
      killed.kill('SIGKILL');
      await once(killed, 'exit');
      const before = server.calls.length;
      held = false;

      const { engine, ledger, providers } = await restartEngine(path, server.openaiUrl);
      onTestFinished(async () => {
        await providers.close();
        await ledger.close();
      });
      const unknown = await ledger.unreconciled();
      const known = await ledger.receipts(runId);
      expect(await engine.resume()).toBe(1);
      await engine.drain(30_000);

      const run = await ledger.run(runId);
      expect(run).toMatchObject({ status: 'succeeded', durable: true });
      const attempts = (await ledger.attemptsOf([runId])).get(runId) ?? [];
      // A row for each call that reached the provider; one more where the row was written and the call was not made.
      expect(attempts.length).toBeGreaterThanOrEqual(server.calls.length);
      expect(attempts.filter(({ status }) => status === 'succeeded')).toHaveLength(5);
      expect(attempts.filter(({ status }) => status === 'unreconciled').map(({ id }) => id)).toEqual(
        unknown.map(({ id }) => id),
      );
      expect(unknown.length).toBe(attempts.length - 5);
      expect(run?.costNanoUsd).toBe(attempts.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n));

      // What had a receipt was not asked for again; an answer that was on its way when the process died had none.
      const again = server.calls.slice(before).map(promptOf);
      expect(again).toHaveLength(5 - known.size);
      const asked = new Map([
        ['first', 'first'],
        ['second', 'second 230'],
        ['many[0]', 'many x'],
        ['many[1]', 'many y'],
        ['many[2]', 'many z'],
      ]);
      for (const key of known.keys()) expect(again).not.toContain(asked.get(key));
      const done = attempts.filter(({ status }) => status === 'succeeded').map(({ step }) => step);
      expect(new Set(done)).toEqual(new Set(asked.keys()));
    },
  );
});
