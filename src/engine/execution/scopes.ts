// Scopes: what a caller may do, said once and asked everywhere (INV-12).
import type { Caller } from '../budget/port.ts';

/** Everything. */
export const ADMIN = 'admin';
/** Runs, budgets and statistics of all callers. */
export const READ_ALL = 'read:all';
/** Statistics, budgets, revisions and alerts of all callers; no single runs. */
export const READ_STATS = 'read:stats';
/** Start runs in another caller's name. */
export const SPEAK_FOR = 'caller:*';

const FIXED_SCOPES: ReadonlySet<string> = new Set([ADMIN, READ_ALL, READ_STATS, SPEAK_FOR, 'run:*']);
/** A task, or an exposed name. */
const RUN_ONE_TASK = /^run:[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$/;

/** Is it a scope that a key can be given? */
export function isScope(text: string): boolean {
  return FIXED_SCOPES.has(text) || RUN_ONE_TASK.test(text);
}

/** Does the caller hold the scope, itself or through a wider one? */
export function hasScope(caller: Caller, scope: string): boolean {
  const { scopes } = caller;
  if (scopes.includes(scope) || scopes.includes(ADMIN)) return true;
  if (scope === READ_STATS) return scopes.includes(READ_ALL);
  return scope.startsWith('run:') && scopes.includes('run:*');
}

export function mayRun(caller: Caller, task: string): boolean {
  return hasScope(caller, `run:${task}`);
}

/** A caller sees its own runs; others' only with `read:all`. */
export function maySeeRunsOf(viewer: Caller, owner: string): boolean {
  return viewer.name === owner || hasScope(viewer, READ_ALL);
}

/** A caller sees its own spend; others' only with `read:stats`. */
export function maySeeSpendOf(viewer: Caller, owner: string): boolean {
  return viewer.name === owner || hasScope(viewer, READ_STATS);
}
