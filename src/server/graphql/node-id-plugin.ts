// A Pothos plugin: ids of nodes are there at once. The relay plugin gives a promise, and one promise among its fields makes promises of a whole run's.
import SchemaBuilder, { BasePlugin } from '@pothos/core';
import type { PothosOutputFieldConfig, SchemaTypes } from '@pothos/core';
import type { GraphQLFieldResolver } from 'graphql';
import { encodeNodeId } from './node-ids.ts';

declare global {
  namespace PothosSchemaTypes {
    interface Plugins<Types extends SchemaTypes> {
      nodeIds: NodeIdPlugin<Types>;
    }
  }
}

/** What `builder.node` was given. */
interface NodeOptions {
  readonly id?: { readonly resolve: (node: unknown) => string };
}

/** Stands last in the list of plugins, so that the others hold for its ids too. */
class NodeIdPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    { name, parentType, kind }: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    if (name !== 'id' || kind !== 'Object') return resolver;
    const { id } = this.builder.configStore.getTypeConfig(parentType).pothosOptions as NodeOptions;
    return id === undefined ? resolver : (node) => encodeNodeId(parentType, id.resolve(node));
  }
}

SchemaBuilder.registerPlugin('nodeIds', NodeIdPlugin);
