// Ajv's errors as problems of an input: a path, a code and a sentence each (INV-13).
import type { ErrorObject } from 'ajv';
import type { InputProblem } from './port.ts';

/** The most problems told at once: a list of a million bad items is told by its first ones. */
const MAX_PROBLEMS = 50;

/** Ajv's errors in the words of someone who sends JSON. */
export function inputProblems(errors: readonly ErrorObject[] | null | undefined): readonly InputProblem[] {
  const problems: InputProblem[] = [];
  for (const error of errors ?? []) {
    if (problems.length === MAX_PROBLEMS) break;
    // The branches of a choice that did not match say less than the choice itself.
    if (error.keyword === 'if') continue;
    problems.push(describe(error));
  }
  return problems;
}

function describe(error: ErrorObject): InputProblem {
  const parameters = error.params as { readonly [name: string]: unknown };
  const at = error.instancePath;
  switch (error.keyword) {
    case 'required': {
      const name = String(parameters['missingProperty']);
      return { path: `${at}/${escapePointer(name)}`, code: 'required', message: `"${name}" is missing` };
    }
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = String(parameters['additionalProperty'] ?? parameters['unevaluatedProperty']);
      return {
        path: `${at}/${escapePointer(name)}`,
        code: 'unknown_property',
        message: `"${name}" is not a property here`,
      };
    }
    case 'type':
      return { path: at, code: 'type', message: `must be ${listOf(parameters['type'])}` };
    case 'enum':
      return {
        path: at,
        code: 'enum',
        message: `must be one of ${(parameters['allowedValues'] as readonly unknown[]).map((value) => JSON.stringify(value)).join(', ')}`,
      };
    case 'const':
      return { path: at, code: 'const', message: `must be ${JSON.stringify(parameters['allowedValue'])}` };
    case 'maxLength':
      return {
        path: at,
        code: 'maxLength',
        message: `must have at most ${String(parameters['limit'])} characters`,
      };
    case 'minLength':
      return {
        path: at,
        code: 'minLength',
        message: `must have at least ${String(parameters['limit'])} characters`,
      };
    case 'format':
      return { path: at, code: 'format', message: `must be a valid ${String(parameters['format'])}` };
    default:
      return { path: at, code: error.keyword, message: error.message ?? 'is not valid' };
  }
}

function listOf(types: unknown): string {
  const names = Array.isArray(types) ? types.map(String) : [String(types)];
  return names
    .map((name) => (/^[aeio]/.test(name) ? `an ${name}` : name === 'null' ? 'null' : `a ${name}`))
    .join(' or ');
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** `/text: must be a string; "today" is missing`: for one line. */
export function problemsLine(problems: readonly InputProblem[]): string {
  return problems.map(({ path, message }) => (path === '' ? message : `${path} ${message}`)).join('; ');
}
