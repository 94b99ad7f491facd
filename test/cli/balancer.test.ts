// The balancer of `headgate cluster`: connections go round the nodes that there are, and past one that is gone.
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { startBalancer } from '../../src/cli/cluster/balancer.ts';
import type { Balancer } from '../../src/cli/cluster/balancer.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

async function node(name: string): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { connection: 'close' }).end(name);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(server);
  return { server, port: (server.address() as AddressInfo).port };
}

async function asked({ port }: Balancer, times: number): Promise<string[]> {
  const answers: string[] = [];
  for (let index = 0; index < times; index += 1)
    answers.push(await (await fetch(`http://127.0.0.1:${port}/`)).text());
  return answers;
}

describe('the balancer', () => {
  test('goes round the nodes', async () => {
    const nodes = [await node('a'), await node('b'), await node('c')];
    const balancer = await startBalancer(0, () => nodes.map(({ port }) => port));
    open.push(balancer);
    expect((await asked(balancer, 6)).sort()).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
  });

  test('goes past a node that is gone, also before anybody has noticed', async () => {
    const nodes = [await node('a'), await node('b')];
    const balancer = await startBalancer(0, () => nodes.map(({ port }) => port));
    open.push(balancer);
    await new Promise((resolve) => nodes[0]?.server.close(resolve));
    expect(await asked(balancer, 4)).toEqual(['b', 'b', 'b', 'b']);
  });

  test('ends a connection where there is no node at all', async () => {
    const balancer = await startBalancer(0, () => []);
    open.push(balancer);
    await expect(asked(balancer, 1)).rejects.toThrow('fetch failed');
  });
});
