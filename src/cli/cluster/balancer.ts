// A small balancer for a cluster on one machine: each connection goes to the next node that takes it.
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface Balancer {
  readonly port: number;
  close(): Promise<void>;
}

/** `ports`: of the nodes that there are now. Throws EADDRINUSE. */
export async function startBalancer(port: number, ports: () => readonly number[]): Promise<Balancer> {
  const open = new Set<Socket>();
  let next = 0;

  const server = createServer((client) => {
    open.add(client);
    client.on('close', () => open.delete(client));
    client.on('error', () => client.destroy());
    const all = ports();
    next += 1;
    pass(
      client,
      all.map((_, index) => all[(next + index) % all.length] ?? 0),
    );
  });

  /** To the first of them that answers; what a client says meanwhile waits in its socket. */
  function pass(client: Socket, [first, ...others]: readonly number[]): void {
    if (first === undefined || client.destroyed) {
      client.destroy();
      return;
    }
    const node = connect(first, '127.0.0.1');
    let isThere = false;
    node.once('connect', () => {
      isThere = true;
      client.pipe(node).pipe(client);
      client.on('close', () => node.destroy());
    });
    node.on('error', () => {
      if (isThere) client.destroy();
      else pass(client, others);
    });
    node.on('close', () => {
      if (isThere) client.destroy();
    });
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
