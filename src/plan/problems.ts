// Problems that only a plan can find: they need the catalogue, or all of a route's candidates resolved.
import type { Problem } from '../errors/problem.ts';
import type { Place } from '../definition/types.ts';
import type { Catalogue, CatalogueModel } from './catalogue.ts';
import type { ModelMention } from './models.ts';

export function problemAt(at: Place, code: string, severity: Problem['severity'], message: string, remedy: string): Problem {
  const { file, line, column, endColumn, excerpt } = at;
  return { code, severity, message, remedy, file, line, column, endColumn, excerpt };
}

/** An unknown price is never a zero: the budget could not be held. */
export function missingPrice(mention: ModelMention, known: CatalogueModel | undefined, catalogue: Catalogue): Problem {
  const wireName = mention.key.slice(mention.provider.length + 1);
  const near = known ? [] : nearest(wireName, catalogue.modelsOf(mention.provider));
  const hint = near.length > 0 ? `Did you mean ${near.map((name) => `"${mention.provider}/${name}"`).join(' or ')}? Else write` : 'Write';
  return problemAt(
    mention.at,
    'model-without-price',
    'error',
    known
      ? `The catalogue (${catalogue.source}) has no price per token for "${mention.key}".`
      : `There is no price for the model "${mention.key}": the catalogue (${catalogue.source}) does not have it.`,
    `${hint} it in the project file: models: { ${mention.key}: { price: { input: $1, output: $5 }, context: 128k } }, in dollars per million tokens, or price: free.`,
  );
}

export function missingContext(mention: ModelMention): Problem {
  return problemAt(
    mention.at,
    'model-without-context',
    'error',
    `The size of the context window of "${mention.key}" is not known, so it cannot be told which inputs fit.`,
    `Write it in the project file: models: { ${mention.key}: { context: 128k } }.`,
  );
}

/** At most three names that share a beginning or differ little, best first. */
function nearest(name: string, names: readonly string[]): readonly string[] {
  const lower = name.toLowerCase();
  return names
    .map((candidate) => ({ candidate, distance: editDistance(lower, candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= Math.max(2, Math.floor(lower.length / 3)))
    .sort((left, right) => left.distance - right.distance || (left.candidate < right.candidate ? -1 : 1))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Levenshtein's, with one row of state. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (left.charAt(i - 1) === right.charAt(j - 1) ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
