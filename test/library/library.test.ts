// The library, used as a program of one's own would.
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createEngine, loadWorkflows, type HeadgateEngine, type TaskTypes } from '../../src/index.ts';
import { PROJECT, TASK, temporaryFolder } from '../cli/support.ts';

const workflows = temporaryFolder({ 'headgate.yaml': PROJECT, 'shorten.yaml': TASK });
const TEXT =
  'Rain fell on the hills. The river rose by a metre. The gate was shut at noon. No field was flooded.';

type Tasks = { shorten: { input: { text: string; sentences?: number }; output: { text: string } } };

const engines: { close(): Promise<void> }[] = [];
function engine<T extends TaskTypes = Tasks>(): HeadgateEngine<T> {
  const made = createEngine<T>({ workflows, dataDirectory: join(temporaryFolder(), 'data'), env: {} });
  engines.push(made);
  return made;
}
afterEach(async () => {
  for (const made of engines.splice(0)) await made.close();
});

describe('the library', () => {
  it('runs a task without a server, with its output typed', async () => {
    const answer = await engine().run('shorten', { text: TEXT, sentences: 1 });
    if (!answer.ok) throw new Error(answer.error.message);
    expect(TEXT).toContain(answer.output.text);
    expect(answer.result.snapshot.attempts).toHaveLength(1);
  });

  it('INV-13: gives an expected failure as a value', async () => {
    const answer = await engine().run('shorten', { text: TEXT, sentences: 0 });
    expect(answer).toMatchObject({ ok: false, error: { code: 'INVALID_INPUT' } });
  });

  it('counts what was run', async () => {
    const own = engine();
    await own.run('shorten', { text: TEXT });
    const { total } = await own.costStats('DAY');
    expect(total).toMatchObject({ runs: 1, attempts: 1, costNanoUsd: 0n });
  });

  it('says what a run would do, and calls nobody', async () => {
    const own = engine();
    const planned = await own.dryRun('shorten', { text: TEXT });
    expect(planned).toMatchObject({ task: 'shorten', holdNanoUsd: 0n });
    expect((await own.costStats('DAY')).total.runs).toBe(0);
  });

  it('throws in one line when the workflows are not there, and takes no call once closed', async () => {
    const missing = createEngine({
      workflows: join(workflows, 'nowhere'),
      dataDirectory: join(temporaryFolder(), 'data'),
      env: {},
    });
    await expect(missing.run('shorten', {})).rejects.toThrow('there is no folder');
    await missing.close();
    await expect(missing.run('shorten', {})).rejects.toThrow('closed');
  });

  it('loads workflows with their problems', async () => {
    expect((await loadWorkflows(workflows, { env: {} })).plan?.tasks['shorten']?.name).toBe('shorten');
    const broken = temporaryFolder({
      'headgate.yaml': PROJECT,
      'shorten.yaml': TASK.replace('route', 'rout'),
    });
    const { plan, problems } = await loadWorkflows(broken, { env: {} });
    expect(plan).toBeNull();
    expect(problems.map(({ code }) => code)).toContain('unknown-key');
  });
});
