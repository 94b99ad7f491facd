// A pooler between clients and PostgreSQL, like PgBouncer in its `transaction` mode: a client has a session while a transaction lasts, and then another's.
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';

const SSL_REQUEST = 80_877_103;
const READY_FOR_QUERY = 'Z'.charCodeAt(0);
const TERMINATE = 'X'.charCodeAt(0);
const IDLE = 'I'.charCodeAt(0);

interface Session {
  readonly socket: Socket;
  /** What PostgreSQL said when it was opened; each client is told the same. */
  readonly greeting: Buffer;
  to: ((bytes: Buffer) => void) | undefined;
}

/** `session`: as long as the client is there; `transaction`: as long as its transaction is. The address of the pooler, closed with the test. */
export async function startPooler(address: string, mode: 'session' | 'transaction'): Promise<string> {
  const behind = new URL(address);
  const idle: Session[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.setNoDelay(true).on('error', () => socket.destroy());
  };

  function open(startup: Buffer): Promise<Session> {
    const socket = keep(connect(Number(behind.port), behind.hostname));
    socket.write(startup);
    const { promise, resolve } = Promise.withResolvers<Session>();
    let said = Buffer.alloc(0);
    const session: Session = { socket, greeting: said, to: undefined };
    socket.on('data', (bytes: Buffer) => {
      if (session.to !== undefined) return session.to(bytes);
      said = Buffer.concat([said, bytes]);
      if (isReady(said)) resolve(Object.assign(session, { greeting: said }));
      return undefined;
    });
    return promise;
  }

  const server = createServer((client) => {
    keep(client);
    let mine: Session | undefined;
    let startup: Buffer | undefined;
    let waiting = Promise.resolve();
    const letGo = (): void => {
      if (mine === undefined) return;
      mine.to = undefined;
      idle.push(mine);
      mine = undefined;
    };
    const obtain = async (): Promise<Session> => {
      if (mine !== undefined) return mine;
      // The one that was used last, as PgBouncer does.
      const session = idle.pop() ?? (await open(startup as Buffer));
      session.to = (bytes) => {
        client.write(bytes);
        if (mode === 'transaction' && isReady(bytes)) letGo();
      };
      return (mine = session);
    };
    const take = async (bytes: Buffer): Promise<void> => {
      // A client that takes its leave ends no session.
      if (mode === 'transaction' && bytes[0] === TERMINATE) return;
      if (startup !== undefined) {
        (await obtain()).socket.write(bytes);
      } else if (bytes.readInt32BE(4) === SSL_REQUEST) {
        client.write('N');
      } else {
        startup = bytes;
        client.write((await obtain()).greeting);
        if (mode === 'transaction') letGo();
      }
    };
    client.on('data', (bytes: Buffer) => {
      waiting = waiting.then(() => take(bytes));
    });
    client.on('close', () => (mode === 'session' ? mine?.socket.destroy() : letGo()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = new URL(address);
  url.port = String((server.address() as { readonly port: number }).port);
  return url.href;
}

/** Whether the last message says that no transaction is open. */
function isReady(bytes: Buffer): boolean {
  return (
    bytes.at(-6) === READY_FOR_QUERY && bytes.readInt32BE(bytes.length - 5) === 5 && bytes.at(-1) === IDLE
  );
}
