// `npm run page`: builds the page into dist/page, where `headgate serve` finds it. `npm start` does so by itself.
import { prepare, root } from './lib/command.mjs';
import { buildPage } from './lib/page.mjs';

process.exitCode = buildPage(root, await prepare('full')) ? 0 : 1;
