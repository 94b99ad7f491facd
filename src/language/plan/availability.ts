// Rules of routes whose candidates all lack their key here: the files are right, but such a run would end with NO_PROVIDER_AVAILABLE.
import type { Definition, Problem, RouteDefinition, RuleDefinition } from '../definition/types.ts';
import { inlineRoutes } from '../definition/routes.ts';
import { problemAt } from './problems.ts';

type Env = { readonly [name: string]: string | undefined };

/** Of this machine, not of the files: the plan and its hash are the same wherever the keys are. */
export function routesWithoutKey(definition: Definition, env: Env): readonly Problem[] {
  const routes = [...Object.values(definition.project.routes), ...inlineRoutes(definition)];
  return routes.flatMap((route) => route.rules.flatMap((rule) => keyProblem(route, rule, definition, env)));
}

function keyProblem(
  route: RouteDefinition,
  rule: RuleDefinition,
  { project }: Definition,
  env: Env,
): readonly Problem[] {
  const missing = new Set<string>();
  for (const { provider } of rule.from) {
    const secret = project.providers[provider]?.apiKeySecret?.name;
    if (secret === undefined || (env[secret] ?? '') !== '') return [];
    missing.add(secret);
  }
  const names = [...missing].join(missing.size === 2 ? ' and ' : ', ');
  if (missing.size === 0) return [];
  const message = `No candidate of this rule of "${route.name}" has its key here: ${names} ${missing.size === 1 ? 'is' : 'are'} not set.`;
  const remedy = `Set ${missing.size === 1 ? names : 'one of them'} in the environment; until then a run that takes this rule ends with NO_PROVIDER_AVAILABLE.`;
  return [problemAt(rule.at, 'route-without-key', 'warning', message, remedy)];
}
