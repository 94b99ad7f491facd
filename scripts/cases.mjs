// `npm run test:cases`: the dearest property tests with twenty times their cases; another factor: `npm run test:cases -- 100`.
import { run } from './lib/command.mjs';

const [factor = '20'] = process.argv.slice(2);
process.env['HEADGATE_CASES'] = factor;
await run('full', [
  'node_modules/vitest/vitest.mjs',
  'run',
  '--testTimeout=3600000',
  'test/engine/budget/budgets.property.test.ts',
  'test/faults/caps.property.test.ts',
  'test/server/graphql/tasks.test.ts',
  'test/simulation/replay.test.ts',
]);
