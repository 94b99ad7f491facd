// Workflows for differences: a small project that compiles, with one part of its text replaced.
import { expect } from 'vitest';
import type { Plan } from '../../../src/language/plan/types.ts';
import { compileFiles } from '../../../src/revisions/compile.ts';
import { diffPlans } from '../../../src/revisions/diff/diff.ts';
import type { Change } from '../../../src/revisions/diff/types.ts';

const PROJECT = `headgate: 1
providers:
  builtin: { adapter: builtin }
  local: { adapter: openai, baseUrl: http://127.0.0.1:9/v1, policy: quick, limits: { requests: 100/min } }
  other: { adapter: openai, baseUrl: http://127.0.0.1:8/v1, policy: quick }
models:
  local/m1: { context: 10k, price: { input: $1, output: $2 } }
  local/m2: { context: 10k, price: { input: $2, output: $4 } }
  other/m3: { context: 10k, price: free }
policies:
  quick:
    timeout: 20s
    retry: { attempts: 1 }
    bulkhead: { concurrent: 4, queue: 8 }
routes:
  default:
    - from: [local/m1, local/m2]
  free:
    - from: [other/m3]
budgets:
  all: { limit: $10, per: day }
guards:
  loop: { same: input, repeats: 20, within: 1m, then: reject }
  surge: { spend: 8x, over: 15m, baseline: 7d, floor: $5, then: pause }
`;

const TASK = `task: greet
description: Greets.
input:
  text: { type: string, maxLength: 100 }
  tone: { enum: [kind, plain], default: kind }
allowance: { deadline: 30s, attempts: 4 }
steps:
  answer:
    prompt: Greet \${{ input.text }} in a \${{ input.tone }} tone.
    maxOutputTokens: 100
    output:
      greeting: string
      mood: { enum: [good, bad] }
`;

export const OTHER = `task: shout
input: { text: string }
steps:
  answer: { route: free, prompt: 'Shout \${{ input.text }}', maxOutputTokens: 50 }
`;

export type Files = { readonly [path: string]: string };
export const FILES: Files = { 'headgate.yaml': PROJECT, 'greet.yaml': TASK, 'shout.yaml': OTHER };

export async function planOf(files: Files): Promise<Plan> {
  const { plan, problems } = await compileFiles(
    Object.entries(files).map(([path, text]) => ({ path, text })),
    { env: {}, nowMs: 1_767_225_600_000 },
  );
  if (plan === null)
    throw new Error(problems.map(({ file, line, message }) => `${file}:${line} ${message}`).join('\n'));
  return plan;
}

/** The files with one text replaced by another; it has to be there. */
export function edited(file: string, from: string, to: string, files: Files = FILES): Files {
  const text = files[file] ?? '';
  expect(text).toContain(from);
  return { ...files, [file]: text.replaceAll(from, to) };
}

export async function changesOf(after: Files, before: Files = FILES): Promise<readonly Change[]> {
  return diffPlans(await planOf(before), await planOf(after)).changes;
}

/** `subject: message [effects]`, for reading in a test. */
export function linesOf(changes: readonly Change[]): readonly string[] {
  return changes.map(
    ({ subject, message, effects }) =>
      `${subject}: ${message}${effects.length === 0 ? '' : ` [${effects.join(' ')}]`}`,
  );
}
