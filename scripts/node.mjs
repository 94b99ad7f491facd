// `node scripts/node.mjs FILE ARGS`: a development tool, run by the Node that Headgate runs with.
import { run } from './lib/command.mjs';

await run('full', process.argv.slice(2));
