// `npm run -s headgate -- ARGS`: the CLI from a checkout, from any Node, with paths meant from where the caller stands.
import { runCli } from './lib/command.mjs';

// npm changes to the folder of package.json and leaves the caller's in INIT_CWD. A process further down inherits the
// variable without having been started by npm itself, and then stands where it means to.
const caller = process.env['npm_lifecycle_event'] === 'headgate' ? process.env['INIT_CWD'] : undefined;
await runCli(process.argv.slice(2), { cwd: caller ?? process.cwd() });
