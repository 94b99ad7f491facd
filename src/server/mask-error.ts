// Masking: expected errors pass with their code and remedy; unexpected ones become an id that is in the log.
import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { isStorageError, storageWords } from '../errors/storage-words.ts';
import { HeadgateError } from '../errors/headgate-error.ts';

/** The innermost error that was thrown, and whether someone meant the client to read it. */
function causeOf(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError !== null && cause.originalError !== undefined)
    cause = cause.originalError;
  return cause;
}

export function createMaskError(log: Logger): (error: unknown) => GraphQLError {
  return (error) => {
    const cause = causeOf(error);
    if (cause instanceof GraphQLError) return error instanceof GraphQLError ? error : cause;
    const place =
      error instanceof GraphQLError
        ? { nodes: error.nodes, path: error.path, source: error.source, positions: error.positions }
        : {};
    if (cause instanceof HeadgateError && !isStorageError(cause)) {
      return new GraphQLError(cause.message, {
        ...place,
        extensions: { code: cause.code, remedy: cause.remedy },
      });
    }
    const errorId = randomUUID();
    log.error(
      { errorId, err: cause, path: error instanceof GraphQLError ? error.path : undefined },
      'unexpected error',
    );
    const storage = cause instanceof HeadgateError ? cause : undefined;
    return new GraphQLError(
      storage ? `The ledger is unavailable: ${storageWords(storage)}.` : 'Unexpected error.',
      {
        ...place,
        extensions: {
          code: storage ? 'LEDGER_UNAVAILABLE' : 'INTERNAL_SERVER_ERROR',
          errorId,
          remedy: `Look for ${errorId} in the server's log.`,
          unexpected: true,
        },
      },
    );
  };
}
