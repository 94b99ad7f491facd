// The context of a request to this server: GraphQL's, and what yoga and the limits need beside it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import type { RequestContext } from './graphql/context.ts';

export interface ServerContext extends RequestContext {
  readonly req: IncomingMessage;
  /** null on a WebSocket. */
  readonly res: ServerResponse | null;
  /** What was sent, parsed; rejects with a GraphQLError. Absent: it is not JSON that was sent. */
  readonly body?: Promise<unknown> | undefined;
  /** What executing it has given already: there is only the answer to be made of it. */
  readonly result?: ExecutionResult;
}
