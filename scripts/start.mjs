// `npm start`: the server with its defaults, from a fresh clone on. More flags: `npm start -- --port 4001`.
import { prepare, root, runCli } from './lib/command.mjs';
import { buildPage, isPageBuilt } from './lib/page.mjs';

if (!isPageBuilt(root)) {
  const node = await prepare('full');
  console.error('headgate: building the page, once …');
  if (!buildPage(root, node))
    console.error('headgate: the page could not be built; the API is served without it. See "npm run page".');
}
await runCli(['serve', ...process.argv.slice(2)]);
