// Two commits against each other: the working tree, built, beside a commit, built the same way. By CPU a call, since a busy machine has a throughput of its own.
//
//   npm run bench -- --against REF [--call door|graphql] [--processes 2] [--rounds 8] [--seconds 2]
import { parseArgs } from 'node:util';
import { startHeadgate } from './peers/headgate.ts';
import { builtCommit, builtTree } from './support/built.ts';
import { chat, CHAT_END, RUN_END, runTask } from './support/calls.ts';
import { contest, several, standingText, toldBy } from './support/contest.ts';
import { LOAD_CORE, startNode } from './support/processes.ts';

const { values } = parseArgs({
  options: {
    against: { type: 'string', default: 'HEAD' },
    call: { type: 'string', default: 'door' },
    processes: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '2' },
    'warm-up': { type: 'string', default: '15' },
  },
});
const CALLS = {
  door: { request: chat(), expect: CHAT_END },
  graphql: { request: runTask, expect: RUN_END },
};
const call = Object.entries(CALLS).find(([name]) => name === values.call)?.[1];
if (call === undefined) throw new Error(`--call is ${Object.keys(CALLS).join(' or ')}, not "${values.call}"`);

const mains = { before: builtCommit(values.against), now: builtTree() };
const upstream = await startNode(['bench/support/upstream.ts'], { core: LOAD_CORE });
const started = (main: string) =>
  several(Number(values.processes), () => startHeadgate(upstream.url, 'now', { main }));
const contenders = [
  { name: 'before', servers: await started(mains.before), ...call },
  { name: 'now', servers: await started(mains.now), ...call },
];
const standings = await contest(contenders, {
  inFlight: 32,
  rounds: Number(values.rounds),
  warmUpSeconds: Number(values['warm-up']),
  roundSeconds: Number(values.seconds),
});
for (const { servers } of contenders) for (const server of servers) await server.stop();
await upstream.stop();

const [before, now] = [standings.get('before'), standings.get('now')];
if (before === undefined || now === undefined) throw new Error('no contest');
for (const [name, standing] of standings)
  console.log(`${name.padEnd(7)} ${standing.perSecond.toFixed(0)} a second, ${standingText(standing)}`);
const ratio = now.cpuMicros / before.cpuMicros;
const main = now.byThread.main / before.byThread.main;
console.log(
  `now beside before: CPU ${ratio.toFixed(3)} ×, of the main thread ${main.toFixed(3)} ×; ${toldBy(ratio, now, before)}`,
);
