// Confinement: a viewer without a wide scope is shown its own; asking for another's by name is an error, not a silent change.
import { unauthorizedError } from './builder.ts';
import type { RequestContext } from './context.ts';
import { hasScope } from '../../engine/execution/scopes.ts';

/** The filter, narrowed to the viewer unless it holds `scope` (INV-12). Throws UNAUTHORIZED for another caller's name. */
export function confine<Filter extends { readonly caller?: string }>(
  filter: Filter,
  scope: string,
  place: string,
  { caller }: RequestContext,
): Filter {
  if (hasScope(caller, scope)) return filter;
  if (filter.caller !== undefined && filter.caller !== caller.name)
    throw unauthorizedError(`${place} of "${filter.caller}"`, scope, caller.name);
  return { ...filter, caller: caller.name };
}
