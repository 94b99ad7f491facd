// `npm test`: every test. A part of them: `npm test -- test/engine/budget`.
import { compileCache, run } from './lib/command.mjs';

const env = { ...process.env, ...compileCache };
await run('full', ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)], { env });
