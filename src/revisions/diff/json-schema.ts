// Compatibility of two JSON Schemas: whether what one side sends or reads still fits, keyword by keyword.
import { viewOf } from '../../common/json-schema.ts';
import { canonicalJson, type JsonSchema } from '../../common/json.ts';

export interface SchemaChange {
  /** `text`, `actions[].due`; '' for the whole. */
  readonly path: string;
  readonly message: string;
  /** The new schema refuses something that the old one took. */
  readonly narrower: boolean;
  /** The new schema takes something that the old one refused. */
  readonly wider: boolean;
}

/** Of the two, only these words matter to people alone. */
const ANNOTATIONS = [
  'title',
  'description',
  'examples',
  'deprecated',
  '$comment',
  'contentMediaType',
  'contentEncoding',
  'readOnly',
  'writeOnly',
];
/** Keyword → whether a larger number takes more. */
const BOUNDS: { readonly [keyword: string]: boolean } = {
  maxLength: true,
  maximum: true,
  exclusiveMaximum: true,
  maxItems: true,
  maxProperties: true,
  minLength: false,
  minimum: false,
  exclusiveMinimum: false,
  minItems: false,
  minProperties: false,
};

/** Empty exactly when both are the same JSON. */
export function compareSchemas(before: JsonSchema, after: JsonSchema, path = ''): readonly SchemaChange[] {
  if (canonicalJson(before) === canonicalJson(after)) return [];
  const seen = new Set<string>();
  const changes: SchemaChange[] = [];
  const tell = (message: string, narrower: boolean, wider: boolean, at = path): void => {
    changes.push({ path: at, message, narrower, wider });
  };
  const changed = (keyword: string): boolean => {
    seen.add(keyword);
    return canonicalJson(before[keyword] ?? null) !== canonicalJson(after[keyword] ?? null);
  };

  if (changed('type')) {
    const [from, to] = [typesOf(before), typesOf(after)];
    tell(
      `is ${to.join(' or ') || 'anything'} instead of ${from.join(' or ') || 'anything'}`,
      !takesAll(to, from),
      !takesAll(from, to),
    );
  }
  for (const keyword of ['enum', 'const']) if (changed(keyword)) tellValues(before, after, keyword, tell);
  for (const [keyword, largerTakesMore] of Object.entries(BOUNDS)) {
    if (!changed(keyword)) continue;
    const [from, to] = [before[keyword], after[keyword]];
    const wider = to === undefined || (from !== undefined && Number(to) > Number(from) === largerTakesMore);
    tell(`has ${keyword} ${shown(to)} instead of ${shown(from)}`, !wider, wider);
  }
  for (const keyword of ['pattern', 'format', 'multipleOf', 'uniqueItems'])
    if (changed(keyword))
      tell(
        `has ${keyword} ${shown(after[keyword])} instead of ${shown(before[keyword])}`,
        after[keyword] !== undefined,
        before[keyword] !== undefined,
      );
  changes.push(...compareProperties(before, after, path, seen));
  changes.push(...compareItems(before, after, path, seen));
  if (changed('default'))
    tell(`has the default ${shown(after['default'])} instead of ${shown(before['default'])}`, false, false);
  for (const keyword of ANNOTATIONS) if (changed(keyword)) tell(`has another ${keyword}`, false, false);
  for (const keyword of new Set([...Object.keys(before), ...Object.keys(after)]))
    if (!seen.has(keyword) && changed(keyword)) tell(`has another ${keyword}`, true, true);
  if (changes.length === 0) tell('is written otherwise', false, false);
  return changes;
}

type Tell = (message: string, narrower: boolean, wider: boolean, at?: string) => void;

function tellValues(before: JsonSchema, after: JsonSchema, keyword: string, tell: Tell): void {
  const valuesOf = (schema: JsonSchema): readonly string[] | null => {
    const value = schema[keyword];
    return value === undefined
      ? null
      : (keyword === 'enum' ? (value as readonly unknown[]) : [value]).map((one) => JSON.stringify(one));
  };
  const [from, to] = [valuesOf(before), valuesOf(after)];
  if (from === null || to === null) {
    tell(to === null ? 'may be any value' : `is one of ${to.join(', ')}`, to !== null, to === null);
    return;
  }
  const gone = from.filter((value) => !to.includes(value));
  const added = to.filter((value) => !from.includes(value));
  if (gone.length > 0) tell(`may no longer be ${gone.join(', ')}`, true, false);
  if (added.length > 0) tell(`may be ${added.join(', ')} too`, false, true);
  if (gone.length === 0 && added.length === 0) tell('lists its values in another order', false, false);
}

function compareProperties(
  before: JsonSchema,
  after: JsonSchema,
  path: string,
  seen: Set<string>,
): readonly SchemaChange[] {
  for (const keyword of ['properties', 'required', 'additionalProperties']) seen.add(keyword);
  const { properties: from, required: needed } = viewOf(before);
  const { properties: to, required: needs } = viewOf(after);
  const changes: SchemaChange[] = [];
  for (const [name, schema] of Object.entries(from)) {
    const at = path === '' ? name : `${path}.${name}`;
    const other = to[name];
    if (other === undefined) {
      // Readers miss it, and senders are refused where nothing else may be sent.
      changes.push({
        path: at,
        message: 'is gone',
        narrower: after['additionalProperties'] === false,
        wider: true,
      });
      continue;
    }
    changes.push(...compareSchemas(schema, other, at));
    if (needed.has(name) !== needs.has(name))
      changes.push({
        path: at,
        message: needs.has(name) ? 'is required' : 'is optional',
        narrower: needs.has(name),
        wider: !needs.has(name),
      });
  }
  for (const name of Object.keys(to)) {
    if (name in from) continue;
    const at = path === '' ? name : `${path}.${name}`;
    // A reader does not mind a member that it does not know.
    changes.push({
      path: at,
      message: needs.has(name) ? 'is new and required' : 'is new',
      narrower: needs.has(name),
      wider: false,
    });
  }
  const additional = [before, after].map((schema) => canonicalJson(schema['additionalProperties'] ?? true));
  if (additional[0] !== additional[1])
    changes.push({
      path,
      message: `takes ${additional[1] === 'false' ? 'no' : 'other'} members beside those listed`,
      narrower: additional[1] !== 'true',
      wider: additional[0] !== 'true',
    });
  return changes;
}

function compareItems(
  before: JsonSchema,
  after: JsonSchema,
  path: string,
  seen: Set<string>,
): readonly SchemaChange[] {
  const [from, to] = [viewOf(before).items, viewOf(after).items];
  if (!from || !to) return [];
  seen.add('items');
  return compareSchemas(from, to, `${path}[]`);
}

function typesOf(schema: JsonSchema): readonly string[] {
  const type = schema['type'];
  return typeof type === 'string' ? [type] : Array.isArray(type) ? type.map(String) : [];
}

/** Does the first list take every type of the second? An empty one takes all. */
function takesAll(types: readonly string[], others: readonly string[]): boolean {
  if (types.length === 0) return true;
  return (
    others.length > 0 &&
    others.every((type) => types.includes(type) || (type === 'integer' && types.includes('number')))
  );
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}
