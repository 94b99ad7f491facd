// `npm run demo`: the page over an hour of scripted traffic, then a loop that is stopped. No key, no network.
import { runWithPage } from './lib/page.mjs';

await runWithPage(['demo', ...process.argv.slice(2)]);
