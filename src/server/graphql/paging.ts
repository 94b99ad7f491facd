// Paging: Relay's connection arguments to the ledger's keyset pages, and back.
import { GraphQLError } from 'graphql';
import type { Page, PageRequest } from '../../ledger/port.ts';

const DEFAULT_PAGE = 20;
const MAX_PAGE = 200;

export interface ConnectionArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/** `prefix`: how the ids of these rows begin; a cursor that does not is refused rather than read as "from the start". */
export function pageRequest(args: ConnectionArguments, prefix: string): PageRequest {
  const { first, last } = args;
  if (first !== null && first !== undefined && last !== null && last !== undefined)
    throw badPage('Give `first` or `last`, not both.');
  const limit = first ?? last ?? DEFAULT_PAGE;
  if (limit < 0 || limit > MAX_PAGE)
    throw badPage(`A page has 0 to ${MAX_PAGE} entries; ${limit} were asked for.`);
  const after = cursorOf(args.after, prefix);
  const before = cursorOf(args.before, prefix);
  return {
    limit,
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
    ...(last === null || last === undefined ? {} : { backwards: true }),
  };
}

function cursorOf(cursor: string | null | undefined, prefix: string): string | undefined {
  if (cursor === null || cursor === undefined) return undefined;
  if (!cursor.startsWith(prefix) || cursor.length > 100)
    throw badPage(`"${cursor.slice(0, 40)}" is not a cursor of this list.`);
  return cursor;
}

function badPage(message: string): GraphQLError {
  return new GraphQLError(message, {
    extensions: {
      code: 'BAD_USER_INPUT',
      remedy: 'Pass on `pageInfo.endCursor` or `pageInfo.startCursor` as they were given.',
    },
  });
}

/** Complexity: a page costs its read, and its entries as often as it may have. */
export function pageComplexity({ first, last }: ConnectionArguments): {
  readonly field: number;
  readonly multiplier: number;
} {
  const entries = first ?? last ?? DEFAULT_PAGE;
  return { field: 5, multiplier: Math.max(1, Math.min(entries, MAX_PAGE)) };
}

export function connectionOf<Row, Node>(
  page: Page<Row>,
  request: PageRequest,
  idOf: (row: Row) => string,
  nodeOf: (row: Row) => Node,
) {
  const edges = page.rows.map((row) => ({ cursor: idOf(row), node: nodeOf(row) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: request.backwards === true ? request.before !== undefined : page.hasMore,
      hasPreviousPage: request.backwards === true ? page.hasMore : request.after !== undefined,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
