// Pinned routes whose model is a name that moves: the vendor answers with the version that it stands for, which the pin then refuses.
import type { Definition, Problem } from '../definition/types.ts';
import { inlineRoutes } from '../definition/routes.ts';
import type { Catalogue } from './catalogue.ts';
import { vendorOf } from './models.ts';
import { problemAt } from './problems.ts';

/** Of generations before 4.6, whose versions have dates; later ones are versions without a date in their name. */
const MOVING_CLAUDE = /^claude-(?:(?:opus|sonnet|haiku)-4-[015]|3-[57]-(?:sonnet|haiku))$/;
const DATE = /^-(?:\d{4}-\d{2}-\d{2}|\d{8})$/;

export function pinsThatMove(
  definition: Definition,
  catalogue: Catalogue,
  nowMs: number,
): readonly Problem[] {
  const routes = [...Object.values(definition.project.routes), ...inlineRoutes(definition)];
  return routes.flatMap(({ name, pin, rules }) => {
    const [candidate, ...others] = pin ? rules.flatMap(({ from }) => from) : [];
    const provider = candidate && definition.project.providers[candidate.provider];
    if (!candidate || others.length > 0 || !provider) return [];
    const model = candidate.model.slice(candidate.provider.length + 1);
    const vendor = vendorOf(provider, model, catalogue, nowMs);
    const versions = vendor === undefined ? null : versionsOf(model, vendor, catalogue);
    if (versions === null) return [];
    const [newest] = versions.toSorted().toReversed();
    return [
      problemAt(
        candidate.at,
        'pin-moving-name',
        'warning',
        `The route "${name}" is pinned to "${candidate.model}", which is no exact version: an answer says which version it is of, and the pin refuses any other.`,
        newest === undefined
          ? 'Write the version with its date, as the provider lists it; or remove `pin`.'
          : `Write the version that is meant, such as "${candidate.provider}/${newest}"; or remove \`pin\`.`,
      ),
    ];
  });
}

/** The dated versions of a moving name, as far as they are known; null: nothing says that the name moves. */
function versionsOf(model: string, vendor: string, catalogue: Catalogue): readonly string[] | null {
  const dated = catalogue
    .exactNamesOf(vendor)
    .filter((name) => name.startsWith(model) && DATE.test(name.slice(model.length)));
  if (dated.length > 0) return dated;
  const moves = model.endsWith('-latest') || (vendor === 'anthropic' && MOVING_CLAUDE.test(model));
  return moves ? [] : null;
}
