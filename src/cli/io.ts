// What a command may touch: streams, the environment, and how it ends.
import { HeadgateError } from '../errors/headgate-error.ts';
import { coloursFor, type Colours } from './format/colours.ts';

/** 0: done; 1: the task or the check failed; 2: wrong usage; 3: `plan --fail-on` found what it was told to find. */
export type ExitCode = 0 | 1 | 2 | 3;

export interface CliIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: NodeJS.ProcessEnv;
  readonly colours: Colours;
  readonly errColours: Colours;
  /** Somebody watches standard error; left out: nobody does. */
  readonly isTerminal?: boolean;
}

export const processIo: CliIo = {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  env: process.env,
  colours: coloursFor(process.stdout),
  errColours: coloursFor(process.stderr),
  isTerminal: process.stderr.isTTY,
};

/** The words on the command line are not what the command takes. */
export class UsageError extends HeadgateError {
  constructor(message: string, remedy: string) {
    super('USAGE', message, remedy);
  }
}

/** An expected failure in one line; anything else with its stack, for it is a bug. */
export function reportFailure(error: unknown, io: CliIo): ExitCode {
  if (error instanceof HeadgateError) {
    io.err(`headgate: ${error.message.replace(/\.$/, '')}. ${error.remedy}`);
    return error instanceof UsageError ? 2 : 1;
  }
  io.err(
    `headgate: an unexpected error; please report it with this text.\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return 1;
}
