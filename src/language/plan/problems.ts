// Problems that only a plan can find: they need the catalogue, or all of a route's candidates resolved.
import { nearest } from '../../common/nearest.ts';
import type { Problem } from '../../errors/problem.ts';
import type { Place } from '../definition/types.ts';
import type { Catalogue, CatalogueModel } from './catalogue.ts';
import type { ModelMention } from './models.ts';

export function problemAt(
  at: Place,
  code: string,
  severity: Problem['severity'],
  message: string,
  remedy: string,
): Problem {
  const { file, line, column, endColumn, excerpt } = at;
  return { code, severity, message, remedy, file, line, column, endColumn, excerpt };
}

/** An unknown price is never a zero: the budget could not be held. */
export function missingPrice(
  mention: ModelMention,
  known: CatalogueModel | undefined,
  catalogue: Catalogue,
  elsewhere: string | undefined,
): Problem {
  const wireName = mention.key.slice(mention.provider.length + 1);
  const near = known ? undefined : nearest(wireName, catalogue.modelsOf(mention.provider));
  const meant = elsewhere ?? (near && `${mention.provider}/${near}`);
  const hint = meant === undefined ? 'Write' : `Did you mean "${meant}"? Else write`;
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
