// The table of all functions, by name and way of calling.
import { generalFunctions } from './general.ts';
import { listFunctions } from './lists.ts';
import { textFunctions } from './texts.ts';
import type { FunctionEntry } from './entry.ts';

export const functionTable: readonly FunctionEntry[] = [
  ...generalFunctions,
  ...textFunctions,
  ...listFunctions,
];

const byName = new Map<string, FunctionEntry[]>();
for (const entry of functionTable) {
  const key = keyOf(entry.name, entry.receiver !== null);
  byName.set(key, [...(byName.get(key) ?? []), entry]);
}

function keyOf(name: string, isMethod: boolean): string {
  return isMethod ? `.${name}` : name;
}

export function overloads(name: string, isMethod: boolean): readonly FunctionEntry[] {
  return byName.get(keyOf(name, isMethod)) ?? [];
}

export function functionNames(isMethod: boolean): string[] {
  return [...byName.keys()]
    .filter((key) => key.startsWith('.') === isMethod)
    .map((key) => key.replace(/^\./, ''));
}
