// Errors as clients see them, without what is for HTTP and for ourselves alone.
import type { FormattedExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';
import { explained } from './explain-error.ts';

export function formatError(error: GraphQLError): GraphQLFormattedError {
  const { extensions, ...rest } = explained(error).toJSON();
  if (extensions === undefined) return rest;
  const { http: _http, unexpected: _unexpected, ...kept } = extensions;
  return { ...rest, extensions: kept };
}

export function formatResult(result: {
  readonly errors?: readonly GraphQLError[] | undefined;
}): FormattedExecutionResult {
  const { errors, ...rest } = result;
  return errors === undefined ? rest : { ...rest, errors: errors.map(formatError) };
}
