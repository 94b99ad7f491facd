// Complexity: what an operation may cost, from the costs of its fields; kept per document, since most are sent again and again.
import { complexityFromQuery } from '@pothos/plugin-complexity';
import { GraphQLError, Kind } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';

interface OperationOf {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
  readonly variableValues?: { readonly [name: string]: unknown } | null | undefined;
  readonly contextValue?: unknown;
}

/** How many combinations of page sizes are remembered per document. */
const MAX_REMEMBERED = 64;

/** Answers with an error where the operation costs more than `limit`. */
export function createComplexityCheck(limit: number): (operation: OperationOf) => GraphQLError | undefined {
  const bySchema = new WeakMap<GraphQLSchema, WeakMap<DocumentNode, Map<string, number>>>();
  return (operation) => {
    let byDocument = bySchema.get(operation.schema);
    if (byDocument === undefined) bySchema.set(operation.schema, (byDocument = new WeakMap()));
    let costs = byDocument.get(operation.document);
    if (costs === undefined) byDocument.set(operation.document, (costs = new Map()));
    const key = keyOf(operation);
    let cost = costs.get(key);
    if (cost === undefined) {
      cost = costOf(operation);
      if (costs.size < MAX_REMEMBERED) costs.set(key, cost);
    }
    return cost > limit ? tooCostly(cost, limit) : undefined;
  };
}

/** Page sizes are all that costs depend on: other variables give the same key. */
function keyOf({ operationName, variableValues }: OperationOf): string {
  let key = operationName ?? '';
  for (const name in variableValues) {
    const value = variableValues[name];
    if (typeof value === 'number') key += `|${name}=${value}`;
  }
  return key;
}

function costOf({ schema, document, operationName, variableValues, contextValue }: OperationOf): number {
  const chosen = document.definitions.filter(
    (one) =>
      one.kind !== Kind.OPERATION_DEFINITION ||
      operationName === null ||
      operationName === undefined ||
      one.name?.value === operationName,
  );
  try {
    return complexityFromQuery(
      { ...document, definitions: chosen },
      {
        schema,
        ctx: contextValue ?? {},
        variables: { ...variableValues },
      },
    ).complexity;
  } catch (error) {
    // Variables that do not fit their types are execution's to name, and it runs nothing then.
    if (error instanceof GraphQLError) return 0;
    throw error;
  }
}

function tooCostly(cost: number, limit: number): GraphQLError {
  return new GraphQLError(`The operation may cost ${cost}, which is more than ${limit}.`, {
    extensions: {
      code: 'OPERATION_TOO_COMPLEX',
      cost,
      limit: 'maxComplexity',
      remedy: 'Ask for smaller pages (first, last), or for fewer fields in each entry.',
      http: { status: 400, spec: true },
    },
  });
}
