// What the rules can find: each rule says it of itself.
import type { Diagnostic } from './diagnostic.ts';
import { ruleList } from './rules/registry.ts';

export const ruleDiagnostics: readonly Diagnostic[] = ruleList.flatMap((rule) => rule.diagnostics);
