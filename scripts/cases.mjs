// `npm run test:cases`: the property tests that are the dearest, with twenty times their cases; another factor: `npm run test:cases -- 100`.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './lib/command.mjs';

const [factor = '20'] = process.argv.slice(2);
process.env['HEADGATE_CASES'] = factor;
const sized = readdirSync(join(root, 'test'), { recursive: true })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => join('test', file))
  .filter((file) => readFileSync(join(root, file), 'utf8').includes('support/cases.ts'));
await run('full', ['node_modules/vitest/vitest.mjs', 'run', '--testTimeout=3600000', ...sized]);
