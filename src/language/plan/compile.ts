// compileWorkflows: workflow files → a frozen Plan, or every problem that stands in its way.
import type { Definition, Problem } from '../definition/types.ts';
import { loadDefinition } from '../definition/load.ts';
import { buildPlan } from './build.ts';
import type { Catalogue } from './catalogue.ts';
import type { Plan } from './types.ts';

export interface CompileOptions {
  /** Where `env` in expressions is read; only the variables that are mentioned. */
  readonly env: { readonly [name: string]: string | undefined };
  readonly catalogue: Catalogue;
  /** Prices change with time: those in force then. */
  readonly nowMs: number;
}

export interface Compiled {
  /** null when a problem is an error. */
  readonly plan: Plan | null;
  /** null when the files do not even say what they should. */
  readonly definition: Definition | null;
  /** In the order of files and lines. */
  readonly problems: readonly Problem[];
}

export function compileWorkflows(
  files: readonly { readonly path: string; readonly text: string }[],
  options: CompileOptions,
): Compiled {
  const loaded = loadDefinition(files);
  if (loaded.definition === null || loaded.problems.some(isError)) return { plan: null, ...loaded };
  const built = buildPlan(loaded.definition, options);
  const problems = [...loaded.problems, ...built.problems].sort(byPlace);
  return { plan: problems.some(isError) ? null : built.plan, definition: loaded.definition, problems };
}

function isError(problem: Problem): boolean {
  return problem.severity === 'error';
}

function byPlace(left: Problem, right: Problem): number {
  if (left.file !== right.file) return left.file < right.file ? -1 : 1;
  return left.line - right.line || left.column - right.column || (left.code < right.code ? -1 : 1);
}
