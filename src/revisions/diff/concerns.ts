// The concerns of a difference, in the order in which people read it: callers first, then money, then safety, then how it is done.
import { alerts } from './alerts.ts';
import { allowances } from './allowances.ts';
import { budgets } from './budgets.ts';
import { exposed } from './exposed.ts';
import { guards } from './guards.ts';
import { models } from './models.ts';
import { policies } from './policies.ts';
import { providers } from './providers.ts';
import { rateLimits } from './rate-limits.ts';
import { retention } from './retention.ts';
import { routes } from './routes.ts';
import { schemas } from './schemas.ts';
import { steps } from './steps.ts';
import { tasks } from './tasks.ts';
import type { Concern } from './types.ts';
import { costs } from './worst-cost.ts';

export const concerns: readonly Concern[] = [
  tasks,
  exposed,
  schemas,
  costs,
  budgets,
  allowances,
  rateLimits,
  models,
  guards,
  policies,
  routes,
  providers,
  steps,
  retention,
  alerts,
];
