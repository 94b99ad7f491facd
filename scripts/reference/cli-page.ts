// docs/reference/cli.md as it should be, from the commands themselves: for the script that writes it, and the test that it is current.
import type { Command } from 'commander';
import { noColours } from '../../src/cli/format/colours.ts';
import { commandsFor } from '../../src/cli/commands.ts';
import { createProgram } from '../../src/cli/program.ts';

export async function cliReferencePage(): Promise<string> {
  const io = {
    out: () => undefined,
    err: () => undefined,
    env: {},
    colours: noColours,
    errColours: noColours,
  };
  return cliReference(createProgram(await commandsFor([]), io, () => undefined));
}

/** Markdown: each command with its arguments and options. */
function cliReference(program: Command): string {
  return [
    '# The command line',
    '',
    'Generated from the commands by `npm run reference`. In a checkout a command is run as `npm run -s headgate -- COMMAND`.',
    '',
    'Exit codes: 0 done, 1 the task or the check failed, 2 wrong usage, 3 `plan --fail-on` found what it was told to look for. The answer goes to',
    'standard output, everything said about it to standard error.',
    '',
    ...program.commands.flatMap((command) => section(command, 'headgate')),
  ].join('\n');
}

function section(command: Command, parent: string): readonly string[] {
  const name = `${parent} ${command.name()}`;
  const children = command.commands.flatMap((child) => section(child, name));
  // One that only holds others takes nothing itself.
  if (children.length > 0 && command.options.length === 0) return children;
  const help = command.createHelp();
  const rows = [
    ...command.registeredArguments.map((argument) =>
      row(help.argumentTerm(argument), help.argumentDescription(argument)),
    ),
    ...command.options.map((option) => row(help.optionTerm(option), help.optionDescription(option))),
  ];
  return [
    `## ${name}`,
    '',
    `${capital(command.description())}.`,
    '',
    ...(rows.length === 0 ? [] : ['| | |', '| --- | --- |', ...rows, '']),
    ...children,
  ];
}

const row = (term: string, description: string): string =>
  `| \`${term.replaceAll('|', '\\|')}\` | ${description.replaceAll('|', '\\|')} |`;
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
