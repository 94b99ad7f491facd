// A plan as canonical JSON text, and back: stored by its hash, so that any revision can be run again.
import { canonicalJson, sha256Hex } from '../../common/json.ts';
import type { Plan, PlanLoopGuard, PlanLoops } from './types.ts';

/** JSON has no integers beyond 2^53: a bigint is written as an object with this one key. */
const BIG = '$bigint';

/** The canonical text of a plan or of a part of one: as `canonicalJson`, which knows no bigints, in one walk and without a copy. */
export function canonicalPlanText(value: unknown): string {
  if (typeof value === 'bigint') return `{"${BIG}":"${value}"}`;
  if (typeof value !== 'object' || value === null) return canonicalJson(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalPlanText(item ?? null)).join(',')}]`;
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = (value as { readonly [key: string]: unknown })[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalPlanText(member)}`);
  }
  return `{${members.join(',')}}`;
}

/** The hash of a plan's meaning: all but the hash itself and the environment's values. */
export function planHash(plan: Omit<Plan, 'hash' | 'environment'>): string {
  const { language, providers, models, budgets, guards, tasks, exposed, alerts } = plan;
  return sha256Hex(
    canonicalPlanText({ language, providers, models, budgets, guards, tasks, exposed, alerts }),
  );
}

/** The whole plan as text, for storage. */
export function encodePlan(plan: Plan): string {
  return canonicalPlanText(plan);
}

/** The plan of a text that `encodePlan` wrote. Throws on anything else: the ledger's text is not user input. */
export function decodePlan(text: string): Plan {
  const plan = JSON.parse(text, (_key, value: unknown) => {
    if (typeof value === 'object' && value !== null && BIG in value && Object.keys(value).length === 1)
      return BigInt(String(value[BIG]));
    return value;
  }) as Plan;
  if (planHash(plan) !== plan.hash) throw new Error(`the stored plan ${plan.hash} does not have that hash`);
  return deepFreeze(withLoops(plan));
}

/** A plan that was stored when a task had one loop guard at most, which held the bounds of nesting too. It keeps its hash, by which it is known. */
function withLoops(plan: Plan): Plan {
  return {
    ...plan,
    guards: { ...plan.guards, loop: loopsOf(plan.guards.loop) },
    tasks: Object.fromEntries(
      Object.entries(plan.tasks).map(([name, task]) => [name, { ...task, loop: loopsOf(task.loop) }]),
    ),
  };
}

type StoredLoops = PlanLoops | (Omit<PlanLoopGuard, 'same'> & Pick<PlanLoops, 'depth' | 'fanOut'>);

function loopsOf(stored: StoredLoops | null): PlanLoops | null {
  if (stored === null || 'guards' in stored) return stored;
  const { depth, fanOut, ...guard } = stored;
  return { guards: [{ same: 'input', ...guard }], depth, fanOut };
}

export function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
