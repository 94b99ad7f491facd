// `npm run test:cluster`: three nodes over one PostgreSQL, killed 200 times, and it 5 times; another number, or another seed: `npm run test:cluster -- 500 7`.
import { run } from './lib/command.mjs';

const [kills = '200', seed] = process.argv.slice(2);
process.env['HEADGATE_KILLS'] = kills;
if (seed !== undefined) process.env['HEADGATE_SEED'] = seed;
await run('full', ['node_modules/vitest/vitest.mjs', 'run', 'test/faults/system/cluster.test.ts']);
