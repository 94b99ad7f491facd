// What a client asks for below a field, for resolvers that can leave out what nobody asked for.
import { Kind } from 'graphql';
import type { GraphQLResolveInfo, SelectionSetNode } from 'graphql';

/** The names of fields that are asked for, at any depth; directives and types are not looked at. */
export function selected({ fieldNodes, fragments }: GraphQLResolveInfo): ReadonlySet<string> {
  const names = new Set<string>();
  const seen = new Set<string>();
  const within = (set: SelectionSetNode | undefined): void => {
    for (const node of set?.selections ?? []) {
      if (node.kind === Kind.FIELD) {
        names.add(node.name.value);
        within(node.selectionSet);
      } else if (node.kind === Kind.INLINE_FRAGMENT) within(node.selectionSet);
      else if (!seen.has(node.name.value)) {
        seen.add(node.name.value);
        within(fragments[node.name.value]?.selectionSet);
      }
    }
  };
  for (const { selectionSet } of fieldNodes) within(selectionSet);
  return names;
}
