// `npm start`: the server with its defaults, from a fresh clone on. More flags: `npm start -- --port 4001`.
import { runWithPage } from './lib/page.mjs';

await runWithPage(['serve', ...process.argv.slice(2)]);
