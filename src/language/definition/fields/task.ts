// A task file.
import type { Json, JsonObject } from '../../../common/json.ts';
import type { DocumentNode } from '../../document/types.ts';
import type { Place } from '../../../errors/place.ts';
import { keepMemberPlaces } from '../located.ts';
import type { Reader } from '../reader.ts';
import type {
  AllowanceDefinition,
  LoopGuardDefinition,
  TaskDefinition,
  TestDefinition,
  TestValue,
} from '../types.ts';
import { loopGuards, taskBudget } from './budgets.ts';
import { expression, valueTemplate } from './expressions.ts';
import { toJson } from './json-schema.ts';
import { scalar, show } from './kind.ts';
import type { Kind } from './kind.ts';
import { expectMap, listOf, mapped, misspells, optional, record, required } from './record.ts';
import type { RecordValue } from './record.ts';
import { retain } from './retain.ts';
import { baseline } from './routes.ts';
import { NAME_SCHEMA, integer, isIdentifier, isName, promptCache, text } from './scalars.ts';
import { inputSchema } from './schemas.ts';
import { stepsKind } from './steps.ts';
import { duration, money } from './units.ts';

const DAY_MS = 86_400_000;

const taskName: Kind<{ readonly name: string; readonly at: Place }> = {
  label: 'name: lower case letters, digits, dashes, underscores',
  schema: () => NAME_SCHEMA,
  read(node, reader) {
    const value = node.kind === 'scalar' ? node.value : null;
    if (typeof value === 'string' && isName(value)) return { name: value, at: node.at };
    reader.report(
      'invalid-name',
      node.at,
      `${show(node)} cannot be the name of a task.`,
      'Use lower case letters, digits and dashes: `email-parse`.',
    );
    return undefined;
  },
};

const allowance = record(
  {
    name: 'Allowance',
    noun: 'An allowance',
    summary:
      'What one run may take, shared by its retries, fallbacks, hedges, items and child tasks: they never multiply.',
    inPlace: (text) =>
      text.startsWith('$')
        ? `{ cost: ${text} }`
        : `{ ${/^\d+$/.test(text) ? 'attempts' : 'deadline'}: ${text} }`,
  },
  {
    deadline: optional(duration({ most: DAY_MS }), 'From the start of the run to its answer.', '`2m`'),
    attempts: optional(integer(1, 10_000), 'Calls to providers, in all.', '6'),
    cost: optional(money, 'Dollars, in all.', 'only the budgets limit it'),
  },
);

const cache = mapped(
  record(
    {
      name: 'Cache',
      noun: 'A cache',
      summary: 'Answers again what was asked before: the same revision of the task, the same input.',
      inPlace: (text) => `{ for: ${/^\d+[a-z]+$/.test(text) ? text : '1h'} }`,
    },
    { for: required(duration({ most: 400 * DAY_MS }), 'How long an answer may be used again.') },
  ),
  ({ for: forMs, at }) => ({ forMs, at }),
);

const loop: Kind<readonly LoopGuardDefinition[] | 'off'> = {
  label: '`off`, or a loop guard of its own; or a list of them',
  ...(loopGuards.record ? { record: loopGuards.record } : {}),
  schema: (shared) => ({ anyOf: [{ const: 'off' }, loopGuards.schema(shared)] }),
  read: (node, reader) =>
    node.kind === 'scalar' && node.value === 'off' ? 'off' : loopGuards.read(node, reader),
};

const testInput: Kind<{ readonly [property: string]: TestValue }> = {
  label: 'map of input fields to values, or to `{ file: path }`',
  schema: () => ({ type: 'object' }),
  read(node, reader) {
    const map = expectMap(
      node,
      reader,
      'The input of a test',
      'Write `name: value` for each field of the input.',
    );
    if (!map) return undefined;
    const values = Object.fromEntries(map.entries.map(({ key, value }) => [key, testValue(value)]));
    return keepMemberPlaces(values, map);
  },
};

function testValue(node: DocumentNode): TestValue {
  const [only] = node.kind === 'map' ? node.entries : [];
  const isFile =
    node.kind === 'map' &&
    node.entries.length === 1 &&
    only?.key === 'file' &&
    only.value.kind === 'scalar' &&
    typeof only.value.value === 'string';
  return isFile && only.value.kind === 'scalar'
    ? { kind: 'file', path: only.value.value, at: only.value.at }
    : { kind: 'value', value: toJson(node) };
}

const callerInTest: Kind<JsonObject> = {
  label: 'map with `name`, `team`, `tier`, `tags`',
  schema: () => ({
    type: 'object',
    properties: {
      name: { type: 'string' },
      team: { type: 'string' },
      tier: { type: 'string' },
      tags: { type: 'object' },
    },
    additionalProperties: false,
  }),
  read(node, reader) {
    const map = expectMap(node, reader, 'The caller of a test', 'Write `tier: enterprise` and the like.');
    if (!map) return undefined;
    reader.unknownKeys(map, ['name', 'team', 'tier', 'tags'], 'A caller');
    return toJson(map) as JsonObject;
  },
};

const moment: Kind<string> = scalar({
  label: 'date, or date and time in RFC 3339',
  noun: 'a moment',
  schema: { type: 'string' },
  remedy: 'Write a date, `2026-11-22`, or a date and a time, `2026-11-22T09:30:00Z`.',
  parse({ value }) {
    if (
      typeof value !== 'string' ||
      !/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(value)
    )
      return undefined;
    return Number.isNaN(Date.parse(value)) ? undefined : value;
  },
});

const test: Kind<TestDefinition> = mapped(
  record(
    {
      name: 'Test',
      noun: 'A test',
      summary:
        'A case that `headgate test` runs against recorded answers, or against the providers with `--live`.',
    },
    {
      name: required(text, 'What the case shows.'),
      input: optional(
        testInput,
        'The input; `{ file: path }` stands for the text of a file beside the task.',
        'empty',
      ),
      caller: optional(callerInTest, 'Who calls.', 'a caller without a tier'),
      now: optional(moment, 'The moment that `now` shows.', 'the real one'),
      answers: optional(text, 'The file of recorded answers, beside the task.', '`tests/TASK.answers.json`'),
      expect: required(
        listOf(expression, { noun: 'conditions', least: 1 }),
        'What has to hold of `output`; over `output`, `input` and `run`.',
      ),
    },
  ),
  ({ name, input, caller, now, answers, expect, at }) => ({
    name,
    at,
    input: input ?? {},
    caller: caller ?? {},
    now,
    answers,
    expect,
  }),
);

const LEAST_PRIORITY = -100;
const MOST_PRIORITY = 100;

const fields = {
  task: required(taskName, 'The name of the task; `email-parse` is `emailParse` in GraphQL.'),
  description: optional(text, "What the task is for: it stands in the API's documentation.", 'empty'),
  deprecated: optional(text, 'Why it should not be used any more, and what to use.', 'it is not deprecated'),
  input: optional(inputSchema, 'What a caller hands over.', 'nothing'),
  allowance: optional(allowance, 'What one run may take.', '`{ deadline: 2m, attempts: 6 }`'),
  priority: optional(
    integer(LEAST_PRIORITY, MOST_PRIORITY),
    'Which of the started runs that wait for room is begun first: the larger.',
    '0',
  ),
  budget: optional(taskBudget, 'A budget of this task alone.', "only the project's"),
  cache: optional(cache, 'Using answers again.', 'never'),
  retain: optional(retain, 'What is kept of each run.', '`{ content: full, for: 30d }`'),
  loop: optional(
    loop,
    "Loop guards of its own, instead of the project's; what one leaves out is taken from the project's guard of its kind.",
    "the project's",
  ),
  baseline: optional(baseline, 'The model that its savings are counted against.', "the project's"),
  promptCache: optional(
    promptCache,
    'Whether providers are asked to keep the beginning of its prompts.',
    "the project's",
  ),
  steps: required(stepsKind(), 'What is done, by the names that expressions use.'),
  output: optional(valueTemplate, 'What the task gives.', 'what its last step gives'),
  tests: optional(listOf(test, { noun: 'tests' }), 'Cases for `headgate test`.', 'none'),
};

export const taskRecord = record(
  {
    name: 'Task',
    noun: 'A task',
    summary: 'A task file: one kind of task. Only `task` and `steps` are needed.',
    elsewhere: belongsToProject,
  },
  fields,
);

function belongsToProject(key: string): string | undefined {
  const inProject = ['headgate', 'providers', 'models', 'policies', 'routes', 'budgets', 'guards', 'expose'];
  return inProject.includes(key) ? `\`${key}\` stands in the project file, headgate.yaml.` : undefined;
}

export interface ReadTask {
  readonly definition: TaskDefinition;
  /** Names of steps that could not be read: what mentions them is not complained about. */
  readonly brokenSteps: ReadonlySet<string>;
}

export function readTask(node: DocumentNode, reader: Reader): ReadTask | undefined {
  const read = taskRecord.read(node, reader);
  if (!read) return undefined;
  const {
    task,
    description,
    deprecated,
    input,
    allowance: allowed,
    priority,
    budget,
    cache: cached,
    retain: kept,
    loop: guard,
    baseline: against,
    promptCache: keeps,
    steps,
    output,
    tests,
    at,
  } = read;
  const hasInput =
    node.kind === 'map' &&
    node.entries.some(({ key }) => key === 'input' || misspells(key, 'input', Object.keys(fields)));
  const brokenSteps = new Set<string>();
  const definitions = steps.flatMap(({ key, keyAt, value }) => {
    if (!isIdentifier(key))
      reader.report(
        'invalid-name',
        keyAt,
        `\`${key}\` cannot be the name of a step.`,
        'Use letters, digits and `_`, so that expressions can name it: `steps.draft`.',
      );
    if (value) return [value(key, task.name)];
    brokenSteps.add(key);
    return [];
  });
  if (steps.length === 0)
    reader.report('missing-key', at, 'The task has no step.', 'Add a step with a `prompt`.');
  const definition: TaskDefinition = {
    name: task.name,
    file: reader.file,
    at: task.at,
    description: description ?? '',
    deprecated,
    input: input ?? { schema: hasInput ? UNKNOWN_INPUT : NO_INPUT, defaults: {}, at: task.at },
    allowance: allowanceOf(allowed, task.at, node),
    priority: priority ?? 0,
    budget,
    cache: cached,
    retain: kept,
    loop: guard,
    baseline: against,
    promptCache: keeps,
    steps: definitions,
    output,
    tests: tests ?? [],
  };
  return { definition, brokenSteps };
}

function allowanceOf(
  read: RecordValue<typeof allowance.fields> | null,
  taskAt: Place,
  task: DocumentNode,
): AllowanceDefinition {
  const written = task.kind === 'map' ? task.entries.find(({ key }) => key === 'allowance') : undefined;
  const made = {
    deadlineMs: read?.deadline ?? null,
    attempts: read?.attempts ?? null,
    costNanoUsd: read?.cost ?? null,
    at: read?.at ?? taskAt,
  };
  return written ? keepMemberPlaces(made, written.value) : made;
}

/** Of an input that could not be read: nothing more is said about its fields. */
const UNKNOWN_INPUT: { readonly [key: string]: Json } = { type: 'object' };
const NO_INPUT: { readonly [key: string]: Json } = {
  type: 'object',
  properties: {},
  additionalProperties: false,
};
