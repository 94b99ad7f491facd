// Options that several commands share, with their parsers: a wrong value is told with what is accepted.
import { InvalidArgumentError, Option } from 'commander';
import { parseUsd, type NanoUsd } from '../common/money.ts';
import { isDatabaseAddress, wrongAddress } from '../ledger/database-address.ts';

export const workflowsOption = (): Option =>
  new Option(
    '--workflows <dir>',
    'the folder that holds headgate.yaml (default: "workflows", else the shipped ones)',
  ).env('HEADGATE_WORKFLOWS');
export const dataOption = (): Option =>
  new Option('--data <dir>', 'the folder of the database').env('HEADGATE_DATA').default('.headgate');
export const databaseOption = (): Option =>
  new Option(
    '--database <url>',
    'the ledger in PostgreSQL instead: postgres://…; better given in the environment, since it holds a password',
  )
    .env('HEADGATE_DATABASE')
    .argParser(parseDatabase);

/** Throws DATABASE_ADDRESS: what is no address is no name of a file either. */
export function parseDatabase(text: string): string {
  if (isDatabaseAddress(text)) return text;
  throw wrongAddress(
    text === ''
      ? 'It is empty: for a ledger in a file, leave the option and the variable out.'
      : 'It does not begin with postgres://.',
  );
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('A port is a whole number from 0 to 65535; 0 takes a free one.');
  return port;
}

export function parseDollars(text: string): NanoUsd {
  const nano = parseUsd(text);
  if (nano === undefined || nano < 0n)
    throw new InvalidArgumentError('Dollars are written like 0.05 or $0.05, with nine places at most.');
  return nano;
}

export function parsePositiveInteger(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('A whole number from 1 is needed.');
  return value;
}

/** For an option that may be given several times. */
export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

export const serverOption = (): Option =>
  new Option('--server <url>', 'ask a running server instead: http://127.0.0.1:4000').env('HEADGATE_SERVER');
export const keyOption = (): Option =>
  new Option('--key <secret>', 'the API key for --server; better given in the environment').env(
    'HEADGATE_KEY',
  );
