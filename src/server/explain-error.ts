// The errors that GraphQL itself makes, with a code and a remedy like all others.
import type { ExecutionResult, GraphQLError } from 'graphql';

const REMEDIES: { readonly [code: string]: string } = {
  BAD_REQUEST: 'Send {"query": "…", "variables": {…}} as JSON.',
  BAD_USER_INPUT: 'Correct the value that the message names; `headgate schema` prints what is asked for.',
  GRAPHQL_PARSE_FAILED: 'Correct the document at the place in `locations`.',
  GRAPHQL_VALIDATION_FAILED:
    'Correct the document at the place in `locations`; `headgate schema` prints what can be asked for.',
  OPERATION_RESOLUTION_FAILURE: 'Name an operation of the document in `operationName`.',
};

/** The same error; where it came without a code, as for a variable that does not fit its type, it gets `code`. */
export function explained(error: GraphQLError, code = 'BAD_USER_INPUT'): GraphQLError {
  const { extensions } = error;
  // What GraphQL over HTTP says of a mutation that comes by GET, in a code that is the same for all methods.
  if (extensions['http']?.status === 405) {
    extensions['code'] = 'METHOD_NOT_ALLOWED';
    extensions['remedy'] ??= 'Send it as a POST with "Content-Type: application/json".';
  }
  extensions['code'] ??= code;
  const remedy = REMEDIES[String(extensions['code'])];
  if (remedy !== undefined) extensions['remedy'] ??= remedy;
  return error;
}

/** All errors of an answer, or of each in a batch. */
export function explainResult(result: unknown): void {
  for (const { errors } of (Array.isArray(result) ? result : [result]) as readonly ExecutionResult[])
    for (const error of errors ?? []) explained(error);
}
