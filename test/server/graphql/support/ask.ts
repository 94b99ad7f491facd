// Asks a schema in this process, as a caller, without a server around it.
import { graphql } from 'graphql';
import type { ExecutionResult } from 'graphql';
import type { Caller } from '../../../../src/engine/budget/port.ts';
import { createContext } from '../../../../src/server/graphql/context.ts';
import { buildSchema } from '../../../../src/server/graphql/schema.ts';
import { ADMIN } from './services.ts';
import type { TestServices } from './services.ts';

// Each test asks for a shape of its own, and reads it without a cast a line.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyResult = ExecutionResult<any>;

export type Ask = (
  source: string,
  options?: { readonly caller?: Caller; readonly variables?: { readonly [name: string]: unknown } },
) => Promise<AnyResult>;

export function asker(test: TestServices): Ask {
  const schema = buildSchema({ plan: test.revisions.active().plan });
  return async (source, { caller = ADMIN, variables = {} } = {}) =>
    graphql({
      schema,
      source,
      variableValues: variables,
      contextValue: createContext({ services: test.services, caller }),
    });
}

/** The first error's code. */
export function codeOf(result: AnyResult): unknown {
  return result.errors?.[0]?.extensions['code'];
}
