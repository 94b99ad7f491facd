// `npm test`: every test. A part of them: `npm test -- test/engine/budget`.
import { run } from './lib/command.mjs';

await run('full', ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)]);
