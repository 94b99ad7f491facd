// Node ids: one text per thing, readable, unique across types, and stable across restarts and revisions.
import { GraphQLError } from 'graphql';

/** Ids that the ledger makes carry their type already: `run_01kb…`. */
const OWN_PREFIX: { readonly [typename: string]: string } = {
  Run: 'run_',
  Alert: 'alr_',
  ApiKey: 'key_',
  Attempt: 'att_',
};

/** Ids of things with a name of their own: `provider:openai`. */
const NAMED_PREFIX: { readonly [typename: string]: string } = {
  Budget: 'budget:',
  Provider: 'provider:',
  Revision: 'revision:',
  TaskType: 'task:',
};

export function encodeNodeId(typename: string, id: string): string {
  return `${NAMED_PREFIX[typename] ?? ''}${id}`;
}

export function decodeNodeId(globalId: string): { readonly typename: string; readonly id: string } {
  for (const [typename, prefix] of Object.entries(OWN_PREFIX)) {
    if (globalId.startsWith(prefix)) return { typename, id: globalId };
  }
  for (const [typename, prefix] of Object.entries(NAMED_PREFIX)) {
    if (globalId.startsWith(prefix)) return { typename, id: globalId.slice(prefix.length) };
  }
  throw new GraphQLError(`"${globalId.slice(0, 60)}" is not an id that this API gives out.`, {
    extensions: {
      code: 'BAD_USER_INPUT',
      remedy: 'Ids look like run_01kb…, budget:company or provider:openai.',
    },
  });
}

/** `openai` and `provider:openai` name the same provider. */
export function nameOf(typename: string, idOrName: string): string {
  const prefix = NAMED_PREFIX[typename] ?? '';
  return idOrName.startsWith(prefix) ? idOrName.slice(prefix.length) : idOrName;
}
