// Rules of routes whose candidates all lack their key here: the files are right, but such a run would end with NO_PROVIDER_AVAILABLE.
import type { Place } from '../../errors/place.ts';
import type { Definition, Problem, RuleDefinition } from '../definition/types.ts';
import { inlineRoutes } from '../definition/routes.ts';
import { secretsOf } from '../expression/template-parts.ts';
import { problemAt } from './problems.ts';

type Env = { readonly [name: string]: string | undefined };

/**
 * One problem for all rules that lack the same keys, at the first of them. Of this machine, not of the files: the plan and its hash are the same
 * wherever the keys are.
 */
export function routesWithoutKey(definition: Definition, env: Env): readonly Problem[] {
  const routes = [...Object.values(definition.project.routes), ...inlineRoutes(definition)];
  const byKeys = new Map<
    string,
    { readonly keys: readonly string[]; readonly at: Place; readonly routes: string[] }
  >();
  for (const { name, rules } of routes)
    for (const rule of rules) {
      const keys = missingKeys(rule, definition, env);
      if (keys.length === 0) continue;
      const group = byKeys.get(keys.join('\n')) ?? { keys, at: rule.at, routes: [] };
      byKeys.set(keys.join('\n'), group);
      if (!group.routes.includes(name)) group.routes.push(name);
    }
  return [...byKeys.values()].map(({ keys, at, routes: names }) => {
    const are = keys.length === 1 ? 'is' : 'are';
    const shown = names
      .slice(0, MAX_SHOWN)
      .map((name) => `"${name}"`)
      .join(', ');
    const more = names.length > MAX_SHOWN ? ` and ${names.length - MAX_SHOWN} more` : '';
    return problemAt(
      at,
      'route-without-key',
      'warning',
      `${keys.join(keys.length === 2 ? ' and ' : ', ')} ${are} not set here: rules of ${shown}${more} have no candidate with a key.`,
      `Set ${keys.length === 1 ? 'it' : 'one of them'}; until then such a run ends with NO_PROVIDER_AVAILABLE.`,
    );
  });
}

const MAX_SHOWN = 4;

/** Sorted; none: a candidate needs no key, or has it. */
function missingKeys(rule: RuleDefinition, { project }: Definition, env: Env): readonly string[] {
  const missing = new Set<string>();
  const isSet = (name: string): boolean => (env[name] ?? env[`${name}_FILE`] ?? '') !== '';
  for (const { provider } of rule.from) {
    const { apiKeySecret = null, moreApiKeySecrets = [], headers = {} } = project.providers[provider] ?? {};
    const needed = [
      // Of a pool, any one is enough.
      ...(apiKeySecret === null || moreApiKeySecrets.some(({ name }) => isSet(name))
        ? []
        : [apiKeySecret.name]),
      ...Object.values(headers).flatMap(({ template }) => secretsOf(template)),
    ].filter((name) => !isSet(name));
    if (needed.length === 0) return [];
    for (const name of needed) missing.add(name);
  }
  return [...missing].sort();
}
