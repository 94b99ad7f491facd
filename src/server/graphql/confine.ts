// Confinement: a viewer without a wide scope is shown its own; asking for another's by name is an error, not a silent change.
import type { RunFilter } from '../../ledger/port.ts';
import { unauthorizedError } from './builder.ts';
import type { RequestContext } from './context.ts';
import { hasScope } from './scopes.ts';

/** The filter, narrowed to the viewer unless it holds `scope` (INV-12). Throws UNAUTHORIZED for another caller's name. */
export function confine(
  filter: RunFilter,
  scope: string,
  place: string,
  { caller }: RequestContext,
): RunFilter {
  if (hasScope(caller, scope)) return filter;
  if (filter.caller !== undefined && filter.caller !== caller.name)
    throw unauthorizedError(`${place} of "${filter.caller}"`, scope, caller.name);
  return { ...filter, caller: caller.name };
}
