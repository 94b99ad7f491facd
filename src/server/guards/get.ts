// GET: a page's link or image can send one, so that nothing that spends may be asked for by it.
import { getOperationAST, GraphQLError, Kind } from 'graphql';
import type { ExecutionArgs, SelectionNode } from 'graphql';
import type { ServerContext } from '../request-context.ts';

/** Subscriptions that only look; mutations over GET are refused by yoga itself. */
export const HARMLESS: ReadonlySet<string> = new Set([
  'costStats',
  'run',
  'alerts',
  'providers',
  'revisions',
  '__typename',
]);

/** An error for a subscription over GET that would run a task. */
export function sideEffectOverGet(
  { document, operationName }: Pick<ExecutionArgs, 'document' | 'operationName'>,
  { req, res }: ServerContext,
): GraphQLError | undefined {
  // A WebSocket begins as a GET, and has been asked for its origin.
  if (req.method !== 'GET' || res === null) return undefined;
  if (onlyWatches({ document, operationName })) return undefined;
  return new GraphQLError('This subscription runs a task, and is not taken over GET.', {
    extensions: {
      code: 'METHOD_NOT_ALLOWED',
      remedy: 'Send it as a POST with "Accept: text/event-stream".',
      http: { status: 405, headers: { Allow: 'POST' } },
    },
  });
}

/** Does the subscription look and nothing more? Its fields are looked for in fragments too. */
export function onlyWatches({
  document,
  operationName,
}: Pick<ExecutionArgs, 'document' | 'operationName'>): boolean {
  const seen = new Set<string>();
  const isHarmless = (selections: readonly SelectionNode[]): boolean =>
    selections.every((one) => {
      if (one.kind === Kind.FIELD) return HARMLESS.has(one.name.value);
      if (one.kind === Kind.INLINE_FRAGMENT) return isHarmless(one.selectionSet.selections);
      const { value: name } = one.name;
      if (seen.has(name)) return true;
      seen.add(name);
      const fragment = document.definitions.find(
        (definition) => definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === name,
      );
      return fragment?.kind === Kind.FRAGMENT_DEFINITION && isHarmless(fragment.selectionSet.selections);
    });
  return isHarmless(getOperationAST(document, operationName)?.selectionSet.selections ?? []);
}
