// What a subscriber that reads too slowly is told before it is dropped.
import { GraphQLError } from 'graphql';

export function tooSlow(what: string): GraphQLError {
  return new GraphQLError(`This subscriber reads too slowly: ${what} waited for it, and it is dropped.`, {
    extensions: {
      code: 'SLOW_SUBSCRIBER',
      remedy:
        'Subscribe again: the first event is the state then. Read events as they come, or ask for fewer (everyMs, a filter).',
    },
  });
}
