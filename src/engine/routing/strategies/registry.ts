// Every strategy by the name that `pick` gives it.
import type { Pick } from '../../../language/plan/types.ts';
import type { Strategy } from '../port.ts';
import { balanced } from './balanced.ts';
import { cheapest } from './cheapest.ts';
import { fastest } from './fastest.ts';
import { first } from './first.ts';
import { weighted } from './weighted.ts';

export const strategies: { readonly [P in Pick]: Strategy } = {
  first,
  cheapest,
  fastest,
  balanced,
  weighted,
};
