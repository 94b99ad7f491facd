// The program: parses the command line, runs one command, ends with its exit code.
import { Command, CommanderError } from 'commander';
import { commandsFor } from './commands.ts';
import type { RegisterCommand } from './commands.ts';
import { processIo, reportFailure, type CliIo, type ExitCode } from './io.ts';
import { version } from './version.ts';

/** With these commands; what one ends with goes to `end`. */
export function createProgram(
  commands: readonly RegisterCommand[],
  io: CliIo,
  end: (code: ExitCode) => void,
): Command {
  const program = new Command('headgate')
    .description(
      "The gate at the head of a team's AI spend: YAML workflows in git, run, routed and accounted for.",
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .showSuggestionAfterError(true)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text.trimEnd()), writeErr: () => undefined });
  for (const register of commands) register(program, io, end);
  return program;
}

/** Runs the command line; resolves to the exit code. Nothing here calls process.exit: open work ends by itself. */
export async function runProgram(argv: readonly string[], io: CliIo = processIo): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = createProgram(await commandsFor(argv), io, (code) => {
    exitCode = code;
  });
  try {
    if (argv.length === 0) {
      io.err('headgate: which command? Try "headgate --help", or start with "headgate serve".');
      return 2;
    }
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return endOfParsing(error, argv, program, io);
    return reportFailure(error, io);
  }
}

/** Help and version end well; anything else is wrong usage, told in one line. */
function endOfParsing(error: CommanderError, argv: readonly string[], program: Command, io: CliIo): ExitCode {
  if (error.exitCode === 0) return 0;
  if (error.code === 'commander.help') return 2;
  const named = program.commands.find((command) => command.name() === argv[0]);
  const message = error.message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .replace(/\.$/, '');
  io.err(`headgate: ${message}. Try "headgate ${named ? `${named.name()} ` : ''}--help".`);
  return 2;
}
