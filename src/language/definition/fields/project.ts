// The project file.
import type { DocumentNode } from '../../document/types.ts';
import { passMemberPlaces } from '../located.ts';
import type { Reader } from '../reader.ts';
import type { ProjectDefinition } from '../types.ts';
import { alertSink } from './alerts.ts';
import { budget, loopGuards, surgeGuard } from './budgets.ts';
import { EXPOSED_NAME, exposed } from './expose.ts';
import { scalar } from './kind.ts';
import { policy } from './policies.ts';
import { model, provider } from './providers.ts';
import { mapOf, optional, record, required } from './record.ts';
import type { Named } from './record.ts';
import { MODEL_KEY, baseline, route } from './routes.ts';
import { NAME, isName, promptCache } from './scalars.ts';

const version = scalar({
  label: '`1`',
  noun: 'a version of the language that this Headgate reads',
  schema: { const: 1 },
  remedy: 'Write `headgate: 1`.',
  parse: ({ value }) => (value === 1 ? (1 as const) : undefined),
});

const byName = (noun: string): Parameters<typeof mapOf>[1] => ({
  noun,
  isName,
  nameRemedy: 'Use lower case letters, digits and dashes, starting with a letter.',
  namePattern: NAME.source,
});
const byModel: Parameters<typeof mapOf>[1] = {
  noun: 'A model',
  isName: (name) => MODEL_KEY.test(name),
  nameRemedy: "Write the provider's name and the model's, with a slash: `openai/gpt-5.6-luna`.",
  namePattern: MODEL_KEY.source,
};

const byExposedName: Parameters<typeof mapOf>[1] = {
  noun: 'An exposed name',
  isName: (name) => EXPOSED_NAME.test(name),
  nameRemedy: 'Use letters, digits and `. _ : / @ -`, 128 at most: what clients send as the name of a model.',
  namePattern: EXPOSED_NAME.source,
};

const guards = record(
  {
    name: 'Guards',
    noun: 'A group of guards',
    summary: 'What notices that something has gone wrong before the bill does.',
  },
  {
    loop: optional(loopGuards, 'A caller that sends the same thing over and over.', 'no guard'),
    surge: optional(surgeGuard, 'Far more is spent than usual.', 'no guard'),
  },
);

const fields = {
  headgate: required(version, 'The version of the language.'),
  providers: required(mapOf(provider, byName('A provider')), 'Who serves models.'),
  models: optional(
    mapOf(model, byModel),
    'What the price catalogue lacks, or what the team wants to override.',
    "the catalogue's",
  ),
  policies: optional(mapOf(policy, byName('A policy')), 'How failures are met.', 'safe values'),
  routes: optional(
    mapOf(route, byName('A route')),
    'Which models may serve a step. A step that names no route takes the one called `default`, or the only one.',
    'each step has its route in place',
  ),
  budgets: optional(mapOf(budget, byName('A budget')), 'What may be spent.', 'no limit'),
  guards: optional(guards, 'What notices that something has gone wrong.', 'no guards'),
  alerts: optional(
    mapOf(alertSink, byName('A sink of alerts')),
    'Where alerts and cost reports go.',
    'nowhere: they are listed by `headgate alerts`, the page and the API',
  ),
  baseline: optional(
    baseline,
    'The model that savings are counted against: what would serve everything if nobody routed.',
    'savings of routing are not counted',
  ),
  promptCache: optional(
    promptCache,
    'Whether providers are asked to keep the beginning of a prompt that is the same in each call, where that pays. Tasks and steps may say otherwise.',
    '`on`',
  ),
  expose: optional(
    mapOf(exposed, byExposedName),
    "The names that clients of OpenAI's and Anthropic's protocols may ask for at `/v1`.",
    'nothing is served there',
  ),
};

export const projectRecord = record(
  {
    name: 'Project',
    noun: 'The project file',
    summary: 'What all tasks share. One file, headgate.yaml.',
    elsewhere: belongsToTask,
  },
  fields,
);

function belongsToTask(key: string): string | undefined {
  return ['task', 'steps', 'input', 'output', 'tests', 'allowance'].includes(key)
    ? `\`${key}\` stands in a task file of its own.`
    : undefined;
}

export function readProject(node: DocumentNode, reader: Reader): ProjectDefinition | undefined {
  const read = projectRecord.read(node, reader);
  if (!read) return undefined;
  const {
    providers,
    models,
    policies,
    routes,
    budgets,
    guards: watched,
    alerts,
    baseline: against,
    promptCache: keeps,
    expose,
    at,
  } = read;
  return {
    file: reader.file,
    at,
    providers: keyed(providers, (name, value) => ({ ...value, name })),
    models: keyed(models?.filter(({ name }) => MODEL_KEY.test(name)) ?? null, (key, value) => ({
      ...value,
      key,
      provider: key.slice(0, key.indexOf('/')),
      model: key.slice(key.indexOf('/') + 1),
    })),
    policies: keyed(policies, (name, value) => ({ ...value, name })),
    routes: keyed(routes, (name, value) => ({ ...value, name })),
    budgets: keyed(budgets, (name, value) => ({ ...value, name })),
    guards: { loop: watched?.loop ?? null, surge: watched?.surge ?? null },
    alerts: keyed(alerts, (name, value) => ({ ...value, name })),
    baseline: against ?? null,
    promptCache: keeps,
    exposed: Object.fromEntries(
      (expose ?? [])
        .filter(({ name }) => EXPOSED_NAME.test(name))
        .map(({ name, nameAt, value }) => {
          const made = value(name);
          return [name, passMemberPlaces(made, { ...made, at: nameAt })];
        }),
    ),
  };
}

/** What is complained about by name is shown at its name. */
function keyed<Value extends { readonly at: unknown }, Made extends object>(
  entries: readonly Named<Value>[] | null,
  make: (name: string, value: Value) => Made,
): { readonly [name: string]: Made } {
  return Object.fromEntries(
    (entries ?? []).map(({ name, nameAt, value }) => [
      name,
      passMemberPlaces(value, make(name, { ...value, at: nameAt })),
    ]),
  );
}
