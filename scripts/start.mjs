// `npm start`: the server with its defaults, from a fresh clone on. More flags: `npm start -- --port 4001`.
import { runCli } from './lib/command.mjs';

await runCli(['serve', ...process.argv.slice(2)]);
