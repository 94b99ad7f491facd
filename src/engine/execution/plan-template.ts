// A provider's base URL or header, evaluated with the plan's own environment (INV-6).
import type { Json } from '../../common/json.ts';
import { createEnvironment, envSchema } from '../../language/expression/environment.ts';
import { compileTemplate } from '../../language/expression/template.ts';
import type { Plan, Template } from '../../language/plan/types.ts';

const environment = createEnvironment({ roots: { env: envSchema } });

/** `check` has compiled the same template, so a failure here is a fault of ours. */
export function resolvePlanTemplate(template: Template, plan: Plan): Json {
  const compiled = compileTemplate(template, environment);
  if (!compiled.ok) throw new Error(`${compiled.error.message} in ${compiled.error.source}`);
  const evaluated = compiled.value.evaluate({ env: plan.environment });
  if (!evaluated.ok) throw new Error(`${evaluated.error.message} in ${evaluated.error.source}`);
  return evaluated.value;
}
