// The headgate command. What it loads is kept compiled between runs, which halves the time to start.
import { enableCompileCache } from 'node:module';

if (process.argv[2] === 'serve') {
  // A hangup asks a server for its workflows again; one that comes while it starts must not end it, and what it asks for is being done anyway.
  process.on('SIGHUP', () => undefined);
  // The launcher keeps hangups back until it hears that they do no harm.
  process.send?.('ready', undefined, undefined, () => process.disconnect?.());
}

enableCompileCache();
const { runProgram } = await import('./program.ts');
process.exitCode = await runProgram(process.argv.slice(2));
