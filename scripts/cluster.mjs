// `npm run cluster`: three nodes over one PostgreSQL behind one port, with scripted traffic; k kills a node, Ctrl-C ends all. No key, no network.
import { runWithPage } from './lib/page.mjs';

await runWithPage(['cluster', ...process.argv.slice(2)]);
