// Reads drizzle-kit's migrations from their folder, in order.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HeadgateError } from '../errors/headgate-error.ts';

export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

/** Throws MIGRATIONS_MISSING. */
export function readMigrations(folder: string): readonly Migration[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'migration.sql')));
  } catch (error) {
    throw new HeadgateError(
      'MIGRATIONS_MISSING',
      `The folder of migrations ${folder} cannot be read.`,
      'Install headgate again: the folder is part of the package.',
      { cause: error },
    );
  }
  return names.sort().map((name) => ({
    name,
    statements: readFileSync(join(folder, name, 'migration.sql'), 'utf8').split('--> statement-breakpoint'),
  }));
}
