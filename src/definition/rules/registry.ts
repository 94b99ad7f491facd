// All rules that need nothing but the files. Those that need prices or capabilities run on the plan.
import { expressions } from './expressions.ts';
import type { Rule } from './rule.ts';

export const ruleList: readonly Rule[] = [expressions];
