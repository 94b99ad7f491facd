// What a client asks for below a field, for resolvers that can leave out what nobody asked for.
import { Kind } from 'graphql';
import type { GraphQLResolveInfo, SelectionSetNode } from 'graphql';

/** Whether a field of such a name is asked for at any depth; directives and types are not looked at. */
export function selects(
  { fieldNodes, fragments }: GraphQLResolveInfo,
  isWanted: (name: string) => boolean,
): boolean {
  const seen = new Set<string>();
  const within = (set: SelectionSetNode | undefined): boolean =>
    set?.selections.some((node) => {
      if (node.kind === Kind.FIELD) return isWanted(node.name.value) || within(node.selectionSet);
      if (node.kind === Kind.INLINE_FRAGMENT) return within(node.selectionSet);
      if (seen.has(node.name.value)) return false;
      seen.add(node.name.value);
      return within(fragments[node.name.value]?.selectionSet);
    }) ?? false;
  return fieldNodes.some(({ selectionSet }) => within(selectionSet));
}
