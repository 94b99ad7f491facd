// `steps:`: a model call, `parse`, `chunk`, another task; each of them once, or for each item of a list.
import type { JsonSchema } from '../../../common/json.ts';
import { nearest } from '../../../common/nearest.ts';
import type { DocumentNode, MapNode } from '../../document/types.ts';
import type { Place } from '../../../errors/place.ts';
import { keepMemberPlaces } from '../located.ts';
import type { Reader } from '../reader.ts';
import type { EachDefinition, Expression, StepDefinition } from '../types.ts';
import { expression, objectTemplate, source, textTemplate, valueTemplate } from './expressions.ts';
import type { Kind, RecordInfo, SharedSchemas } from './kind.ts';
import { expectMap, optional, readFields, record, recordSchema, required } from './record.ts';
import type { Fields } from './record.ts';
import { routeReference } from './routes.ts';
import { choice, identifier, integer, number, promptCache, reference } from './scalars.ts';
import { outputSchema } from './schemas.ts';
import { tokens } from './units.ts';

/** A step without its name, which is the key it stands under. */
export type UnnamedStep = (key: string, task: string) => StepDefinition;

const commonFields = {
  when: optional(
    expression,
    'The step runs when this holds, else it is skipped and gives null. With `each`: asked once, before the list; a skipped list is null too.',
    'it always runs',
  ),
  each: optional(
    source,
    'The list for whose items the step runs, side by side; the step then gives the list of the results, in the order of the items.',
    'it runs once',
  ),
  as: optional(identifier, "The name of one item in the step's own expressions.", '`item`'),
  concurrent: optional(integer(1, 100), 'Items under way at once.', '4'),
};

const modelFields = {
  prompt: required(textTemplate, 'What the model is asked.'),
  system: optional(
    textTemplate,
    'The instruction that stands above the prompt. Put rules here and what comes from outside into the prompt.',
    'none',
  ),
  route: optional(
    routeReference,
    'Which models may answer.',
    "the route `default`, or the project's only route",
  ),
  maxOutputTokens: optional(
    tokens,
    'The longest answer. It sizes the hold, so say what the step needs.',
    '1024',
  ),
  temperature: optional(number(0, 2), 'How freely the model chooses its words.', "the provider's"),
  output: optional(
    outputSchema,
    'What the answer has to be: asked of the provider natively, then checked. `steps.NAME` is then that value.',
    'plain text, `steps.NAME.text`',
  ),
  accept: optional(
    expression,
    'An answer is taken when this holds, else the next candidate is asked; over `output`, `finish` (`length`: it was cut at `maxOutputTokens`) and all that the prompt can read.',
    'every answer that fits the schema is taken',
  ),
  promptCache: optional(
    promptCache,
    'Whether the provider is asked to keep the beginning of the prompt that is the same in each call: all before its first expression, up to the end of a line, and of the prompt only where the whole `system` is constant.',
    "the task's",
  ),
};
const parseFields = {
  parse: required(
    choice('email', 'diff', 'json', 'csv'),
    'What the text is: an e-mail (RFC 5322 and MIME), a unified diff, JSON, or CSV with a header line.',
  ),
  from: required(valueTemplate, 'The text.'),
  output: optional(
    outputSchema,
    'For `json`: what the value has to be. For `csv`: what a row has to be.',
    'json: any value; csv: rows of texts',
  ),
};
const chunkFields = {
  chunk: required(
    tokens,
    'The size of a piece in tokens. Pieces end between paragraphs or sentences where they can. The step gives a list of `{ index, text, tokens }`.',
  ),
  from: required(valueTemplate, 'The text.'),
  overlap: optional(tokens, 'Tokens of the end of a piece that the next one starts with.', 'none'),
};
const taskFields = {
  task: required(
    reference('task'),
    "Another task, run with what is left of this run's allowance. The step gives its output.",
  ),
  input: optional(objectTemplate, "The other task's input.", 'empty'),
};

const BODIES = { prompt: modelFields, parse: parseFields, chunk: chunkFields, task: taskFields } as const;
type Body = keyof typeof BODIES;
const ALL_KEYS = [
  ...new Set([
    ...Object.keys(commonFields),
    ...Object.values(BODIES).flatMap((fields: Fields) => Object.keys(fields)),
  ]),
];

export const stepRecords: readonly RecordInfo[] = [
  record(
    {
      name: 'Step',
      noun: 'A step',
      summary:
        'Every step can have these. There is no `needs:`: a step runs after the steps that it mentions, and steps that do not mention each other run side by side.',
    },
    commonFields,
  ).record,
  record(
    { name: 'ModelStep', noun: 'A model step', summary: 'A call of a model: a step with `prompt`.' },
    modelFields,
  ).record,
  record(
    {
      name: 'ParseStep',
      noun: 'A parse step',
      summary: 'A text taken apart without a model: a step with `parse`.',
    },
    parseFields,
  ).record,
  record(
    { name: 'ChunkStep', noun: 'A chunk step', summary: 'A long text cut into pieces: a step with `chunk`.' },
    chunkFields,
  ).record,
  record({ name: 'TaskStep', noun: 'A task step', summary: 'Another task: a step with `task`.' }, taskFields)
    .record,
];

const step: Kind<UnnamedStep> = {
  label: 'step',
  schema: (shared) => shared.reference('Step', () => stepSchema(shared)),
  read(node, reader) {
    const map = expectMap(node, reader, 'A step', 'Write a map with `prompt`, `parse`, `chunk` or `task`.');
    if (!map) return undefined;
    const body = bodyOf(map, reader);
    if (!body) return undefined;
    const shared = readFields(map, commonFields, 'A step', reader);
    if (!shared) return undefined;
    const unclear = isUnclear(map, shared);
    const each = unclear ? null : eachOf(map, shared, reader);
    const read = readBody(body, map, reader, { at: map.at, when: shared.when, each });
    return unclear ? undefined : read;
  },
};

interface StepBase {
  readonly at: Place;
  readonly when: Expression | null;
  readonly each: EachDefinition | null;
}

function readBody(body: Body, map: MapNode, reader: Reader, base: StepBase): UnnamedStep | undefined {
  switch (body) {
    case 'prompt': {
      const read = readFields(map, modelFields, 'A model step', reader);
      if (!read || lostOutput(map, read.output)) return undefined;
      const { prompt, system, maxOutputTokens, temperature, output, accept, promptCache: keeps } = read;
      const route = read.route ?? misspeltRoute(map, reader);
      return (key, task) => ({
        ...base,
        key,
        kind: 'model',
        route: route?.(`${task}.${key}`) ?? null,
        system,
        prompt,
        maxOutputTokens,
        temperature,
        promptCache: keeps,
        output,
        accept,
      });
    }
    case 'parse': {
      const read = readFields(map, parseFields, 'A parse step', reader);
      if (!read || lostOutput(map, read.output)) return undefined;
      const { parse, from, output } = read;
      if (output && (parse === 'email' || parse === 'diff'))
        reader.report(
          'conflicting-keys',
          output.at,
          `What \`parse: ${parse}\` gives is fixed.`,
          'Remove `output`.',
        );
      return (key) => ({ ...base, key, kind: 'parse', format: parse, from, output });
    }
    case 'chunk': {
      const read = readFields(map, chunkFields, 'A chunk step', reader);
      if (!read) return undefined;
      const { chunk, from, overlap } = read;
      if (overlap !== null && overlap >= chunk)
        reader.report(
          'invalid-value',
          map.at,
          'The overlap is not smaller than the piece.',
          'Write an overlap of a tenth of the piece, or none.',
        );
      return (key) => ({ ...base, key, kind: 'chunk', from, tokens: chunk, overlapTokens: overlap ?? 0 });
    }
    case 'task': {
      const read = readFields(map, taskFields, 'A task step', reader);
      if (!read) return undefined;
      const { task: called, input } = read;
      const given = input ?? { template: { kind: 'object', members: {} } as const, at: map.at };
      return (key) => ({ ...base, key, kind: 'task', task: called.name, taskAt: called.at, input: given });
    }
  }
}

/** What stands under a key that was reported as a slip of `route` is taken for it, so that everything else in the step is checked too. */
function misspeltRoute(map: MapNode, reader: Reader): ReturnType<typeof routeReference.read> | null {
  const entry = map.entries.find(({ key }) => !ALL_KEYS.includes(key) && nearest(key, ALL_KEYS) === 'route');
  return entry ? routeReference.read(entry.value, reader) : null;
}

const DEFINING: ReadonlySet<string> = new Set(['each', 'as', 'output']);

/** Whether a key that decides what the step's expressions mean is misspelt or unreadable: that is reported, and what would follow from it is not. */
function isUnclear(
  map: MapNode,
  read: { readonly each: Expression | null; readonly as: string | null },
): boolean {
  return map.entries.some(
    ({ key }) =>
      (key === 'each' && read.each === null) ||
      (key === 'as' && read.as === null) ||
      /^for[-_]?each$/i.test(key) ||
      (!ALL_KEYS.includes(key) && DEFINING.has(nearest(key, ALL_KEYS) ?? '')),
  );
}

/** A schema that could not be read: nobody knows what the step gives. */
function lostOutput(map: MapNode, output: unknown): boolean {
  return output === null && map.entries.some(({ key }) => key === 'output');
}

/** Which of the four bodies the step has; what it lacks or has too much of is reported. */
function bodyOf(map: MapNode, reader: Reader): Body | undefined {
  const keys = map.entries.map(({ key }) => key);
  const bodies = (Object.keys(BODIES) as Body[]).filter((body) => keys.includes(body));
  const [body] = bodies;
  if (!body) {
    const unknown = reader.unknownKeys(map, ALL_KEYS, 'A step');
    const meant = unknown && keys.some((key) => nearest(key, Object.keys(BODIES)) !== undefined);
    if (!meant)
      reader.report(
        'step-without-body',
        map.at,
        'The step does nothing.',
        'Give it a `prompt`, or `parse`, `chunk` or `task`.',
      );
    return undefined;
  }
  if (bodies.length > 1) {
    const second = map.entries.find(({ key }) => key === bodies[1]);
    reader.report(
      'conflicting-keys',
      second?.keyAt ?? map.at,
      `A step does one thing; this one has ${bodies.map((name) => `\`${name}\``).join(' and ')}.`,
      'Make two steps of it; the second mentions the first.',
    );
  }
  if (bodies.length > 1) return body;
  const known = [...Object.keys(commonFields), ...Object.keys(BODIES[body])];
  const others = map.entries.filter(({ key }) => !bodies.includes(key as Body));
  reader.unknownKeys({ ...map, entries: others }, known, `A step with \`${body}\``, (key) =>
    ALL_KEYS.includes(key) ? `\`${key}\` does not go with \`${body}\`; remove it.` : undefined,
  );
  return body;
}

function eachOf(
  map: MapNode,
  read: { readonly each: Expression | null; readonly as: string | null; readonly concurrent: number | null },
  reader: Reader,
): EachDefinition | null {
  if (read.each)
    return keepMemberPlaces(
      { list: read.each, as: read.as ?? 'item', concurrent: read.concurrent, at: read.each.at },
      map,
    );
  for (const { key, keyAt } of map.entries) {
    if (key === 'as' || key === 'concurrent')
      reader.report(
        'conflicting-keys',
        keyAt,
        `\`${key}\` means nothing without \`each\`.`,
        'Add `each: ${{ … }}`, or remove it.',
      );
  }
  return null;
}

/** One object of all keys, so that editors complete them; the kind of step is told by which of the four stands in it. */
function stepSchema(shared: SharedSchemas): JsonSchema {
  const bodies = Object.entries(BODIES).map(
    ([body, fields]) => [body, recordSchema(fields, '', shared)] as const,
  );
  const properties: Record<string, JsonSchema> = {
    ...(recordSchema(commonFields, '', shared)['properties'] as Record<string, JsonSchema>),
  };
  for (const [, schema] of bodies) {
    for (const [key, property] of Object.entries(schema['properties'] as Record<string, JsonSchema>))
      properties[key] ??= property;
  }
  const kinds = bodies.map(([body, schema]): JsonSchema => {
    const own = Object.keys(schema['properties'] as JsonSchema);
    const foreign = ALL_KEYS.filter((key) => !own.includes(key) && !Object.hasOwn(commonFields, key));
    return {
      required: (schema['required'] as readonly string[]) ?? [body],
      properties: Object.fromEntries(foreign.map((key) => [key, false])),
    };
  });
  return {
    type: 'object',
    description: 'A step: a model call (`prompt`), `parse`, `chunk`, or another `task`.',
    properties,
    additionalProperties: false,
    oneOf: kinds,
  };
}

export function stepsKind(): Kind<
  readonly { readonly key: string; readonly keyAt: Place; readonly value: UnnamedStep | undefined }[]
> {
  return {
    label: 'map of step names to steps',
    schema: (shared) => ({
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$' },
      additionalProperties: step.schema(shared),
    }),
    read(node: DocumentNode, reader: Reader) {
      const map = expectMap(
        node,
        reader,
        'The group of steps',
        'Write `steps:` and, below it, `name:` for each step.',
      );
      return map?.entries.map(({ key, keyAt, value }) => ({ key, keyAt, value: step.read(value, reader) }));
    },
  };
}
