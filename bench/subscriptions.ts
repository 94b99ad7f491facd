// Live statistics for many: costStats subscriptions over WebSockets at 1 Hz while runs happen; the server's CPU meanwhile.
//
//   node bench/subscriptions.ts [tiny|usual|full]
import { WebSocket } from 'ws';
import { Connection, post } from './support/http-load.ts';
import { startHeadgate } from './peers/headgate.ts';
import { LOAD_CORE, startNode } from './support/processes.ts';
import type { Started } from './support/processes.ts';
import { askedSize, give, held, sized } from './support/report.ts';
import type { Line } from './support/report.ts';
import { inputText } from './support/workflows.ts';

const size = askedSize();
const counts = sized(size, { tiny: [5], usual: [2_000, 10_000], full: [2_000, 10_000] });
const seconds = sized(size, { tiny: 0.5, usual: 12, full: 30 });
const RUNS_A_SECOND = 5;

const RUN =
  'mutation ($text: String!) { runTask(task: { answer: { text: $text } }) { ... on Run { status } } }';
const SUBSCRIBE =
  'subscription { costStats(window: DAY, by: [PROVIDER]) { at total { cost runs attempts inputTokens latencyP95Ms } groups { key bucket { cost runs } } } }';

let messages = 0;

function subscribe(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    socket.on('open', () => socket.send('{"type":"connection_init"}'));
    socket.on('message', (data: Buffer) => {
      const text = data.toString('utf8');
      if (text.includes('"connection_ack"'))
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: SUBSCRIBE } }));
      else if (text.includes('"type":"ping"')) socket.send('{"type":"pong"}');
      else if (text.includes('"type":"next"') && !text.includes('"errors"')) {
        messages += 1;
        resolve(socket);
      } else reject(new Error(`a subscription ended: ${text.slice(0, 500)}`));
    });
    socket.on('error', reject);
  });
}

async function keepRunning(server: Started, until: () => boolean): Promise<void> {
  const connection = await Connection.open(server.port);
  for (let index = Math.floor(performance.now()); !until(); index += 1) {
    const body = JSON.stringify({ query: RUN, variables: { text: inputText(index) } });
    await connection.send(post('/graphql', body));
    await new Promise((resolve) => setTimeout(resolve, 1000 / RUNS_A_SECOND));
  }
  connection.close();
}

const upstream = await startNode(['bench/support/upstream.ts'], { core: LOAD_CORE });
const lines: Line[] = [];
for (const count of counts) {
  const server = await startHeadgate(upstream.url, 'now');
  let over = false;
  const running = keepRunning(server, () => over);
  const sockets: WebSocket[] = [];
  // In handfuls: the listening socket's backlog is short.
  while (sockets.length < count)
    sockets.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(50, count - sockets.length) }, () => subscribe(server.url)),
      )),
    );
  await new Promise((resolve) => setTimeout(resolve, 1500));
  messages = 0;
  const before = server.cpuMicros();
  const startedMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const tookMs = performance.now() - startedMs;
  const cpuShare = (server.cpuMicros() - before) / 1000 / tookMs;
  const perSecond = messages / (tookMs / 1000);
  const residentMb = server.residentMb();
  over = true;
  await running;
  for (const socket of sockets) socket.terminate();
  await server.stop();
  const share = `${count} subscribers at 1 Hz: CPU of one core`;
  lines.push(
    count <= 2_000 && size !== 'tiny'
      ? held(share, cpuShare * 100, '%', { atMost: 30 })
      : { what: share, value: cpuShare * 100, unit: '%' },
    {
      what: `${count} subscribers: messages a second`,
      value: perSecond,
      unit: '/s',
      note: `${((cpuShare * 1e6) / perSecond).toFixed(0)} µs a message; resident ${residentMb.toFixed(0)} MB`,
    },
  );
}
await upstream.stop();
give('subscriptions', size, lines);
