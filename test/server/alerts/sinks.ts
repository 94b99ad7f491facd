// Sinks on loopback: an HTTP server that keeps what is posted to it, and an SMTP server that keeps what is mailed.
import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Posted {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface HttpSink {
  readonly url: string;
  readonly posted: Posted[];
  /** What it answers from now on. */
  status: number;
  /** Resolves when so many were posted. */
  reached(count: number): Promise<void>;
}

export async function httpSink(status = 200): Promise<HttpSink> {
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      sink.posted.push({ headers: request.headers, text: Buffer.concat(chunks).toString() });
      response.writeHead(sink.status).end();
      for (const { count, resolve } of waiting) if (sink.posted.length >= count) resolve();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const sink: HttpSink = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    posted: [],
    status,
    reached: (count) =>
      new Promise((resolve) => {
        if (sink.posted.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
  };
  return sink;
}

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
}

/** As much of RFC 5321 as a client needs that has no reason to encrypt. */
export async function smtpSink(): Promise<{ readonly url: string; readonly mails: Mail[] }> {
  const mails: Mail[] = [];
  const server = createTcpServer((socket) => {
    let [from, to, text, isData, rest] = ['', [] as string[], '', false, ''];
    const say = (line: string): void => void socket.write(`${line}\r\n`);
    say('220 sink');
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString()).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (isData) {
          if (line !== '.') text += `${line}\n`;
          else {
            mails.push({ from, to, text });
            [to, text, isData] = [[], '', false];
            say('250 kept');
          }
        } else if (/^MAIL FROM/i.test(line)) {
          from = /<(.*)>/.exec(line)?.[1] ?? '';
          say('250 ok');
        } else if (/^RCPT TO/i.test(line)) {
          to.push(/<(.*)>/.exec(line)?.[1] ?? '');
          say('250 ok');
        } else if (/^DATA/i.test(line)) {
          isData = true;
          say('354 go on');
        } else if (/^QUIT/i.test(line)) {
          say('221 bye');
          socket.end();
        } else say('250 ok');
      }
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, mails };
}
