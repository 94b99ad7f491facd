// Recorded data that tests read where it is present; it is never copied into the repository.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const FOLDER = process.env['HEADGATE_SHARED_DATA'] ?? resolve(import.meta.dirname, '../../../shared/data');

/** Whether that part of the data is here: `cassettes`, `eml`, … */
export function hasSharedData(part: string): boolean {
  return existsSync(join(FOLDER, part));
}

export function readSharedData(path: string): string {
  return readFileSync(join(FOLDER, path), 'utf8');
}

export function readSharedBytes(path: string): Buffer {
  return readFileSync(join(FOLDER, path));
}

export function listSharedData(folder: string): readonly string[] {
  return readdirSync(join(FOLDER, folder)).sort();
}
