// The names that tasks may not take.
import { isIntrospectionType, isSpecifiedScalarType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { RESERVED_TYPE_NAMES } from '../../../src/server/graphql/reserved-names.ts';
import { buildSchema } from '../../../src/server/graphql/schema.ts';
import { plan } from './plan.ts';

describe('reserved type names', () => {
  it('are the names of all types that the API has without any task', () => {
    const names = Object.values(buildSchema({ plan: plan([]) }).getTypeMap())
      .filter((type) => !isIntrospectionType(type))
      .map(({ name }) => name)
      .sort();
    expect([...RESERVED_TYPE_NAMES].sort()).toEqual(names);
    expect(names.filter((name) => isSpecifiedScalarType({ name } as never)).length).toBeGreaterThan(0);
  });
});
