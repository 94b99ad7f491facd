// All rules that need nothing but the files. Those that need prices or capabilities run on the plan.
import { acceptIgnoresAnswer } from './accept-ignores-answer.ts';
import { allowances } from './allowances.ts';
import { baseUrl } from './base-url.ts';
import { cacheContent } from './cache-content.ts';
import { candidates } from './candidates.ts';
import { constantConditions } from './constant-conditions.ts';
import { deadlines } from './deadlines.ts';
import { eachName } from './each-name.ts';
import { exposedNames } from './exposed-names.ts';
import { expressions } from './expressions.ts';
import { graphqlNames } from './graphql-names.ts';
import { ignoredFields } from './ignored-fields.ts';
import { limits } from './limits.ts';
import { noRoute } from './no-route.ts';
import { outputFilled } from './output-filled.ts';
import { policies } from './policies.ts';
import { prices } from './prices.ts';
import { secretInExpression } from './secret-in-expression.ts';
import { sessionAccounts } from './session-accounts.ts';
import { stepCycle } from './step-cycle.ts';
import { taskCycle } from './task-cycle.ts';
import { taskInput } from './task-input.ts';
import { testInput } from './test-input.ts';
import { unknownReference } from './unknown-reference.ts';
import { unreachableRule } from './unreachable-rule.ts';
import { unused } from './unused.ts';
import type { Rule } from './rule.ts';

export const ruleList: readonly Rule[] = [
  acceptIgnoresAnswer,
  allowances,
  baseUrl,
  cacheContent,
  candidates,
  constantConditions,
  deadlines,
  eachName,
  exposedNames,
  expressions,
  graphqlNames,
  ignoredFields,
  limits,
  noRoute,
  outputFilled,
  policies,
  prices,
  secretInExpression,
  sessionAccounts,
  stepCycle,
  taskCycle,
  taskInput,
  testInput,
  unknownReference,
  unreachableRule,
  unused,
];
