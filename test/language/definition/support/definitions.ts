// A Definition as comparable JSON: money as text, places left out.
import type { Json } from '../../../../src/common/json.ts';
import type { Definition } from '../../../../src/language/definition/types.ts';

const PLACES = new Set(['at', 'taskAt']);

export function withoutPlaces(value: unknown): Json {
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (typeof value !== 'object' || value === null) return value as Json;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      PLACES.has(name) && isPlace(member) ? [] : [[name, withoutPlaces(member)]],
    ),
  );
}

function isPlace(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'excerpt' in value;
}

export function printDefinitionJson(definition: Definition | null): string {
  return `${JSON.stringify(withoutPlaces(definition), null, 2)}\n`;
}
