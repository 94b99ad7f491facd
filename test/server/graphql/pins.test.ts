// What a person switched is never silent: a pin and a pause are in `viewer` and on each refusal.
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { PROJECT, TASK, temporaryFolder } from '../../cli/support.ts';
import { serve, type Served } from '../../support/served.ts';

const workflows = temporaryFolder({ 'headgate.yaml': PROJECT, 'shorten.yaml': TASK });
const dataDirectory = join(temporaryFolder(), 'data');
let served: Served | undefined;
afterAll(async () => void (await served?.stop()));

async function ask(query: string): Promise<unknown> {
  const response = await fetch(`${served?.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return ((await response.json()) as { data: unknown }).data;
}

const VIEWER = '{ viewer { pinnedRevision { hash } pauses { scope reason } } }';
const RUN = `mutation { runTask(task: { shorten: { text: "It rained." } }) { __typename ... on Refusal { code pinnedRevision { hash } } } }`;

describe('a pin and a pause', () => {
  it('show in viewer and on each refusal, and are gone when they are undone', async () => {
    served = await serve({
      flags: ['--workflows', workflows, '--data', dataDirectory, '--no-watch'],
      dataDirectory,
    });
    expect(await ask(VIEWER)).toEqual({ viewer: { pinnedRevision: null, pauses: [] } });
    const { revisions } = (await ask('{ revisions(first: 1) { edges { node { hash } } } }')) as {
      revisions: { edges: readonly { node: { hash: string } }[] };
    };
    const hash = revisions.edges[0]?.node.hash ?? '';
    await ask(`mutation { activateRevision(hash: "${hash}") { hash } }`);
    await ask('mutation { pauseSpending(scope: { all: true }, reason: "the bill is odd") { scope } }');
    expect(await ask(VIEWER)).toEqual({
      viewer: { pinnedRevision: { hash }, pauses: [{ scope: 'all', reason: 'the bill is odd' }] },
    });
    expect(await ask(RUN)).toEqual({
      runTask: { __typename: 'SpendingPaused', code: 'SPENDING_PAUSED', pinnedRevision: { hash } },
    });
    await ask('mutation { resumeSpending(scope: { all: true }) { scope } }');
    await ask('mutation { releaseRevision { hash } }');
    expect(await ask(VIEWER)).toEqual({ viewer: { pinnedRevision: null, pauses: [] } });
    expect(await ask(RUN)).toEqual({ runTask: { __typename: 'Run' } });
  }, 60_000);
});
