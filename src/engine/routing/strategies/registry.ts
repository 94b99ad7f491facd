// Every strategy by the name that `pick` gives it.
import type { StrategyName } from '../../../language/plan/types.ts';
import type { Strategy } from '../port.ts';
import { balanced } from './balanced.ts';
import { cheapest } from './cheapest.ts';
import { fastest } from './fastest.ts';
import { first } from './first.ts';
import { weighted } from './weighted.ts';

export const strategies: { readonly [Name in StrategyName]: Strategy } = {
  first,
  cheapest,
  fastest,
  balanced,
  weighted,
};
