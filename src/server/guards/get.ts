// GET: a page's link or image can send one, so that nothing that spends may be asked for by it.
import { getOperationAST, GraphQLError, Kind } from 'graphql';
import type { ExecutionArgs } from 'graphql';
import type { ServerContext } from '../request-context.ts';

/** Subscriptions that only look; mutations over GET are refused by yoga itself. */
const HARMLESS: ReadonlySet<string> = new Set(['costStats', 'run', 'alerts', 'providers', '__typename']);

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

/** Does the subscription look and nothing more? One whose field is inside a fragment is taken for one that does not. */
export function onlyWatches({
  document,
  operationName,
}: Pick<ExecutionArgs, 'document' | 'operationName'>): boolean {
  const selections = getOperationAST(document, operationName)?.selectionSet.selections ?? [];
  return selections.every((one) => one.kind === Kind.FIELD && HARMLESS.has(one.name.value));
}
