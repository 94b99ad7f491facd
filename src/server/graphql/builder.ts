// The Pothos builder: scalars, nullability, Relay ids, authorisation and complexity, set once for every schema.
import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import { GraphQLError } from 'graphql';
import type { Json } from '../../common/json.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { RequestContext } from './context.ts';
import './node-id-plugin.ts';
import { decodeNodeId, encodeNodeId } from './node-ids.ts';
import { bigIntScalar, dateTimeScalar, jsonScalar, usdScalar } from './scalars.ts';
import { ADMIN, hasScope, READ_ALL, READ_STATS } from '../../engine/execution/scopes.ts';

export interface SchemaTypes {
  Context: RequestContext;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    USD: { Input: NanoUsd; Output: NanoUsd };
    DateTime: { Input: number; Output: number };
    BigInt: { Input: bigint; Output: bigint | number };
    JSON: { Input: Json; Output: Json };
  };
  AuthScopes: { scope: string };
}

/** What a field costs that has to read the ledger. */
export const READ_COST = 5;

export function createBuilder() {
  const builder = new SchemaBuilder<SchemaTypes>({
    plugins: [ScopeAuthPlugin, RelayPlugin, ComplexityPlugin, 'nodeIds'],
    defaultFieldNullability: false,
    relay: {
      clientMutationId: 'omit',
      cursorType: 'String',
      encodeGlobalID: (typename, id) => encodeNodeId(typename, String(id)),
      decodeGlobalID: decodeNodeId,
      nodesQueryOptions: false,
      brandLoadedObjects: true,
      // A connection's own cost has the size of its page in it already.
      edgesFieldOptions: { nullable: { list: false, items: false }, complexity: { field: 0, multiplier: 1 } },
      nodeFieldOptions: { nullable: false },
      nodeQueryOptions: { description: 'Anything that has an id.', complexity: { field: READ_COST } },
    },
    scopeAuth: {
      authorizeOnSubscribe: true,
      treatErrorsAsUnauthorized: false,
      authScopes: ({ caller }) => ({ scope: (scope) => hasScope(caller, scope) }),
      unauthorizedError: (_parent, context, info, result) => {
        const scope = scopeOf(result.failure);
        return unauthorizedError(
          info.path.typename === undefined ? info.fieldName : `${info.path.typename}.${info.fieldName}`,
          scope,
          context.caller.name,
        );
      },
    },
    // The limits are held before execution, with the answer kept per document; the plugin keeps the costs of the fields.
    complexity: { disabled: true, defaultComplexity: 1, defaultListMultiplier: 5 },
  });
  builder.addScalarType('USD', usdScalar);
  builder.addScalarType('DateTime', dateTimeScalar);
  builder.addScalarType('BigInt', bigIntScalar);
  builder.addScalarType('JSON', jsonScalar);
  builder.queryType({});
  builder.mutationType({});
  builder.subscriptionType({});
  return builder;
}

export type Builder = ReturnType<typeof createBuilder>;

/** Fields that a scope alone opens. */
export const needs = {
  admin: { scope: ADMIN },
  readStats: { scope: READ_STATS },
  readAll: { scope: READ_ALL },
} as const;

export function unauthorizedError(place: string, scope: string, caller: string): GraphQLError {
  return new GraphQLError(
    `${place} needs the scope "${scope}", which the key of "${caller}" does not have.`,
    {
      extensions: {
        code: 'UNAUTHORIZED',
        scope,
        remedy: `Use a key with the scope "${scope}": headgate keys create --scope ${scope}`,
      },
    },
  );
}

interface ScopeFailure {
  readonly parameter?: unknown;
  readonly failures?: readonly ScopeFailure[];
}

function scopeOf(failure: object): string {
  const { parameter, failures } = failure as ScopeFailure;
  if (typeof parameter === 'string') return parameter;
  const [first] = failures ?? [];
  return first === undefined ? ADMIN : scopeOf(first);
}
