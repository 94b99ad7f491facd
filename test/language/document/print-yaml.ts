// A value → YAML text that reads back as the same value.
import { stringify } from 'yaml';
import type { Json } from '../../../src/common/json.ts';

/** Texts of several lines as blocks, everything else as YAML writes it; lines are not folded. */
export function printYaml(value: Json): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false, version: '1.2', schema: 'core' });
}
