// Exposed names of a plan: each a task of one exchange, or a task of the workflows under another name.
import { posix } from 'node:path';
import { exposedRoute } from '../definition/routes.ts';
import type {
  Definition,
  ExposedDefinition,
  PolicyDefinition,
  RouteDefinition,
} from '../definition/types.ts';
import type { TaskDraft } from './build.ts';
import { DEFAULT_PATIENCE, EXPOSED_ALLOWANCE, EXPOSED_RETAIN } from './defaults.ts';
import { EXCHANGE_STEP } from './exchange.ts';
import { resolveRoute } from './tasks.ts';
import type { PlanExchangeStep, PlanExposed, PlanLoops, PlanPatience } from './types.ts';

export function resolveExposed({ name, serves }: ExposedDefinition): PlanExposed {
  return serves.kind === 'task'
    ? { task: serves.task.name, input: serves.input.name }
    : { task: name, input: null };
}

/** undefined: a task of the workflows serves the name. */
export function exposedTask(
  exposed: ExposedDefinition,
  definition: Definition,
  loop: PlanLoops | null,
): TaskDraft | undefined {
  const { project } = definition;
  const route = exposedRoute(project, exposed);
  if (route === undefined) return undefined;
  const { name, maxOutputTokens, retain } = exposed;
  const patience = patienceOf(exposed, route, definition);
  const step: PlanExchangeStep = {
    key: EXCHANGE_STEP,
    kind: 'exchange',
    after: [],
    when: null,
    each: null,
    outputSchema: {},
    route: resolveRoute(route, name),
    maxOutputTokens,
    patience,
  };
  const longestMs = Math.max(0, ...Object.values(patience).map(({ timeoutMs }) => timeoutMs));
  return {
    name,
    description: '',
    deprecated: null,
    file: posix.relative(posix.dirname(project.file), exposed.at.file),
    inputSchema: { type: 'object', properties: {}, additionalProperties: false },
    inputDefaults: {},
    outputSchema: {},
    allowance: { ...EXPOSED_ALLOWANCE, deadlineMs: Math.max(EXPOSED_ALLOWANCE.deadlineMs, longestMs * 1.5) },
    cache: null,
    retain: {
      content: retain?.content ?? EXPOSED_RETAIN.content,
      forMs: retain?.forMs ?? EXPOSED_RETAIN.forMs,
    },
    loop,
    steps: [step],
    output: { kind: 'literal', value: null },
  };
}

/** What the exposed name's policy says, else what the model's or the provider's own says, else long. */
function patienceOf(
  exposed: ExposedDefinition,
  route: RouteDefinition,
  { project }: Definition,
): PlanExchangeStep['patience'] {
  const keys = new Set(route.rules.flatMap(({ from }) => from.map(({ model }) => model)));
  return Object.fromEntries(
    [...keys].sort().map((key) => {
      const provider = project.providers[key.slice(0, key.indexOf('/'))];
      const named = exposed.policy ?? project.models[key]?.policy ?? provider?.policy ?? null;
      return [key, patience(named === null ? undefined : project.policies[named.name])];
    }),
  );
}

function patience(policy: PolicyDefinition | undefined): PlanPatience {
  const timeoutMs = policy?.timeoutMs ?? DEFAULT_PATIENCE.timeoutMs;
  return {
    timeoutMs,
    firstTokenMs: policy?.firstTokenMs ?? Math.min(DEFAULT_PATIENCE.firstTokenMs, timeoutMs),
    stallMs: policy?.stallMs ?? Math.min(DEFAULT_PATIENCE.stallMs, timeoutMs),
  };
}
