// JSON Schema validators: 2020-12, formats checked, in time linear to the value, whoever sends it.
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Options } from 'ajv';
import formats from 'ajv-formats';
import { canonicalJson } from '../../common/json.ts';
import { linearTime } from '../expression/pattern.ts';

/** The workflow's own check judges schemas; a keyword that is unknown here is an annotation. */
export function createAjv(options: Pick<Options, 'allErrors' | 'useDefaults' | 'coerceTypes'> = {}): Ajv2020 {
  const ajv = new Ajv2020({
    ...options,
    strict: false,
    validateSchema: false,
    meta: false,
    code: { regExp: linearTime },
  });
  formats.default(ajv);
  // Ajv's own compares each item with each.
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (isAsked: boolean, items: readonly unknown[]) =>
      !isAsked || new Set(items.map(canonicalJson)).size === items.length,
    error: { message: 'must not have an item twice' },
  });
  return ajv;
}
