// `routes:`: which models may serve a step, and which of them is asked first.
import type { DocumentNode, MapNode } from '../../document/types.ts';
import type { Place } from '../../../errors/place.ts';
import type { Reader } from '../reader.ts';
import type {
  CandidateDefinition,
  HedgeDefinition,
  Reference,
  RouteReference,
  RuleDefinition,
} from '../types.ts';
import { expression } from './expressions.ts';
import { show } from './kind.ts';
import type { Kind, SharedSchemas } from './kind.ts';
import { mapped, optional, readFields, record, recordSchema, required } from './record.ts';
import { choice, flag, integer } from './scalars.ts';
import { parseDuration } from './units.ts';

export interface UnnamedRoute {
  readonly at: Place;
  readonly pin: boolean;
  readonly rules: readonly RuleDefinition[];
}

export const MODEL_KEY = /^[a-z][a-z0-9_-]*\/[^\s/][^\s]*$/;

/** `baseline:`, of the project or of a task. */
export const baseline: Kind<Reference> = {
  label: '`provider/model`',
  schema: () => ({ type: 'string', pattern: MODEL_KEY.source }),
  read(node, reader) {
    const value = node.kind === 'scalar' ? node.value : null;
    if (typeof value === 'string' && MODEL_KEY.test(value)) return { name: value, at: node.at };
    reader.report(
      'invalid-value',
      node.at,
      `${show(node)} is not a model.`,
      "Write the provider's name and the model's, with a slash: `openai/gpt-5.6-terra`.",
    );
    return undefined;
  },
};

/** `from:`. */
export const candidates: Kind<readonly CandidateDefinition[]> = {
  label: 'list of `provider/model`, or map of them to weights',
  schema: () => ({
    anyOf: [
      { type: 'array', minItems: 1, items: { type: 'string', pattern: MODEL_KEY.source } },
      {
        type: 'object',
        minProperties: 1,
        propertyNames: { pattern: MODEL_KEY.source },
        additionalProperties: { type: 'number', exclusiveMinimum: 0 },
      },
    ],
  }),
  read(node, reader) {
    if (node.kind === 'list')
      return node.items.flatMap((item) =>
        candidate(item.kind === 'scalar' ? item.value : null, item.at, 1, item, reader),
      );
    if (node.kind === 'map')
      return node.entries.flatMap(({ key, keyAt, value }) =>
        candidate(key, keyAt, weight(value, reader), value, reader),
      );
    if (node.kind === 'scalar' && typeof node.value === 'string')
      return candidate(node.value, node.at, 1, node, reader);
    reader.report(
      'wrong-shape',
      node.at,
      `${show(node)} stands where candidates are needed.`,
      'Write a list: `from: [openai/gpt-5.6-luna, anthropic/claude-haiku-4-5]`.',
    );
    return undefined;
  },
};

function candidate(
  name: unknown,
  at: Place,
  share: number,
  node: DocumentNode,
  reader: Reader,
): CandidateDefinition[] {
  if (typeof name === 'string' && MODEL_KEY.test(name))
    return [{ model: name, provider: name.slice(0, name.indexOf('/')), weight: share, at }];
  const shown = typeof name === 'string' ? `\`${name}\`` : show(node);
  reader.report(
    'invalid-value',
    at,
    `${shown} is not a model.`,
    "Write the provider's name and the model's, with a slash: `openai/gpt-5.6-luna`.",
  );
  return [];
}

function weight(node: DocumentNode, reader: Reader): number {
  if (node.kind === 'scalar' && typeof node.value === 'number' && node.value > 0) return node.value;
  reader.report(
    'invalid-value',
    node.at,
    `${show(node)} is not a weight.`,
    'Write a number above 0; weights need not add up to 100.',
  );
  return 1;
}

const after: Kind<HedgeDefinition['after']> = {
  label: "percentile of the model's own latency, such as `p95`, or a duration",
  schema: () => ({ type: 'string', pattern: '^(p[0-9]{1,2}(\\.[0-9]+)?|([0-9]+(\\.[0-9]+)?(ms|s|m))+)$' }),
  read(node, reader) {
    const value = node.kind === 'scalar' && typeof node.value === 'string' ? node.value : '';
    const percentile = /^p(\d{1,2}(?:\.\d+)?)$/.exec(value)?.[1];
    if (percentile !== undefined && Number(percentile) > 0)
      return { kind: 'percentile', percentile: Number(percentile) };
    const ms = parseDuration(value);
    if (ms !== undefined && ms > 0) return { kind: 'delay', ms };
    reader.report(
      'invalid-value',
      node.at,
      `${show(node)} is neither a percentile nor a duration.`,
      'Write `p95`, or a duration such as `800ms`.',
    );
    return undefined;
  },
};

const hedge: Kind<HedgeDefinition> = mapped(
  record(
    {
      name: 'Hedge',
      noun: 'A hedge',
      summary:
        "Asking a second candidate when the first is slow; the first good answer wins, the other call is cancelled. Both draw on the run's allowance.",
    },
    {
      after: required(after, 'How long the first may take before the second is asked.'),
      atMost: optional(integer(1, 3), 'Further calls at most.', '1'),
    },
  ),
  ({ after: wait, atMost, at }) => ({ after: wait, atMost, at }),
);

const ruleFields = {
  when: optional(
    expression,
    'The rule is taken when this holds; over `input`, `steps`, `caller`, `prompt`, `env`, `now`.',
    'it always holds',
  ),
  pick: optional(
    choice('first', 'cheapest', 'fastest', 'balanced', 'weighted'),
    'How candidates that can serve are ordered.',
    '`first`; `weighted` where `from` is a map',
  ),
  from: required(candidates, 'The candidates.'),
  hedge: optional(hedge, 'Asking a second candidate when the first is slow.', 'no hedge'),
};

const ruleRecord = record(
  {
    name: 'Rule',
    noun: 'A rule',
    summary: 'One way of a route. The first rule whose `when` holds is taken.',
  },
  ruleFields,
);

const rule: Kind<RuleDefinition> = mapped(ruleRecord, ({ at, when, pick, from, hedge: second }, node) => ({
  at,
  when,
  pick: pick ?? pickOf(node),
  from,
  hedge: second,
}));

const routeFields = {
  pin: optional(
    flag,
    'Exactly one candidate, and exactly the model version that is named: an answer by another version fails the attempt.',
    '`false`',
  ),
  ...ruleFields,
};
const routeSummary = 'Which models may serve a step: a list of rules, or one rule in place of the list.';

export const route: Kind<UnnamedRoute> = {
  label: 'list of rules, or one rule',
  record: {
    ...ruleRecord.record,
    name: 'Route',
    summary: routeSummary,
    fields: record({ name: 'Route', noun: 'A route', summary: routeSummary }, routeFields).record.fields,
  },
  schema: (shared) =>
    shared.reference('Route', () => ({
      anyOf: [{ type: 'array', minItems: 1, items: ruleRecord.schema(shared) }, routeMapSchema(shared)],
    })),
  read(node, reader) {
    const models = modelsIn(node);
    if (models !== undefined) {
      reader.report(
        'wrong-shape',
        node.at,
        `${show(node)} stands where the rules of a route are needed.`,
        `Write \`{ from: [${models.join(', ')}] }\`.`,
      );
      return undefined;
    }
    if (node.kind === 'list')
      return { at: node.at, pin: false, rules: node.items.flatMap((item) => rule.read(item, reader) ?? []) };
    if (node.kind === 'map') return readRouteMap(node, reader);
    reader.report(
      'wrong-shape',
      node.at,
      `${show(node)} stands where the rules of a route are needed.`,
      'Write a list of rules: `- from: [provider/model]`.',
    );
    return undefined;
  },
};

/** Models that stand where the rules of a route do. */
function modelsIn(node: DocumentNode): readonly string[] | undefined {
  const items = node.kind === 'list' ? node.items : [node];
  const texts = items.flatMap((item) =>
    item.kind === 'scalar' && typeof item.value === 'string' ? [item.value] : [],
  );
  return texts.length > 0 && texts.length === items.length && texts.some((text) => text.includes('/'))
    ? texts
    : undefined;
}

function routeMapSchema(shared: SharedSchemas): ReturnType<Kind<never>['schema']> {
  return recordSchema(routeFields, routeSummary, shared);
}

/** Whoever writes weights, equal ones too, means them. */
function pickOf(rule: DocumentNode): 'weighted' | null {
  const weights =
    rule.kind === 'map' && rule.entries.some(({ key, value }) => key === 'from' && value.kind === 'map');
  return weights ? 'weighted' : null;
}

function readRouteMap(node: MapNode, reader: Reader): UnnamedRoute | undefined {
  reader.unknownKeys(node, Object.keys(routeFields), 'A route');
  const read = readFields(node, routeFields, 'A route', reader);
  if (!read) return undefined;
  const { pin, at, when, pick, from, hedge: second } = read;
  return {
    at,
    pin: pin ?? false,
    rules: [{ at, when, pick: pick ?? pickOf(node), from, hedge: second }],
  };
}

/** On a step: the name of a route, or rules written in place. The route in place gets its name from the step. */
export const routeReference: Kind<(name: string) => RouteReference> = {
  label: 'name of a route, or its rules written in place',
  ...(route.record ? { record: route.record } : {}),
  schema: (shared) => ({ anyOf: [{ type: 'string', minLength: 1 }, route.schema(shared)] }),
  read(node, reader) {
    if (node.kind === 'scalar' && typeof node.value === 'string') {
      const { value } = node;
      return () => ({ kind: 'named', name: value, at: node.at });
    }
    const read = route.read(node, reader);
    return read && ((name) => ({ kind: 'inline', route: { name, ...read } }));
  },
};
