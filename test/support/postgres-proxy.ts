// What is between a node and its PostgreSQL: a proxy on the loopback interface that loses answers, stands still like a lost network, and is away like a database that was stopped.
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

export interface PostgresProxy {
  /** The address, by way of the proxy. */
  readonly url: string;
  /** So many of the next answers reach nobody: the statement is carried out, and its connection ends. */
  loseAnswer(count?: number): void;
  /** No byte passes in either direction until it is called with `false`; connections stay open. */
  standStill(still: boolean): void;
  /** Nobody is there: connections end, and none is made until it is called with `false`. */
  away(away: boolean): void;
  readonly lostAnswers: number;
  close(): Promise<void>;
}

export async function startPostgresProxy(address: string): Promise<PostgresProxy> {
  const behind = new URL(address);
  const sockets = new Set<Socket>();
  let toLose = 0;
  let lostAnswers = 0;
  let isStill = false;
  let isAway = false;
  const server = createServer((client) => {
    if (isAway) {
      client.destroy();
      return;
    }
    const database = connect(Number(behind.port), behind.hostname);
    const end = (): void => {
      for (const socket of [client, database]) {
        socket.destroy();
        sockets.delete(socket);
      }
    };
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.setNoDelay(true).on('error', end).on('close', end);
      if (isStill) socket.pause();
    }
    let asked = false;
    client.on('data', (bytes) => {
      asked = true;
      database.write(bytes);
    });
    database.on('data', (bytes) => {
      if (toLose > 0 && asked) {
        toLose -= 1;
        lostAnswers += 1;
        end();
        return;
      }
      asked = false;
      client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  const url = new URL(address);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return {
    url: url.href,
    loseAnswer(count = 1) {
      toLose = count;
    },
    standStill(still) {
      isStill = still;
      for (const socket of sockets) {
        if (still) socket.pause();
        else socket.resume();
      }
    },
    away(away) {
      isAway = away;
      if (away) for (const socket of sockets) socket.destroy();
    },
    get lostAnswers() {
      return lostAnswers;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
