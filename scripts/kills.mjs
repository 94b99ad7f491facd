// `npm run test:kills`: the served system killed 200 times at random instants; another number, or another seed: `npm run test:kills -- 500 7`.
import { run } from './lib/command.mjs';

const [kills = '200', seed] = process.argv.slice(2);
process.env['HEADGATE_KILLS'] = kills;
if (seed !== undefined) process.env['HEADGATE_SEED'] = seed;
await run('full', ['node_modules/vitest/vitest.mjs', 'run', 'test/faults/system/kills.test.ts']);
