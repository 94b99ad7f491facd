// Listeners: whoever is told of something cannot disturb the one who tells.

export interface Listeners<Event> {
  readonly listen: (listener: (event: Event) => void) => () => void;
  readonly tell: (event: Event) => void;
  readonly isEmpty: () => boolean;
}

/**
 * What a listener throws does not reach the teller, who is in the middle of posting money or stopping a loop; it is a bug all the same,
 * so it surfaces as an uncaught exception.
 */
export function createListeners<Event>(): Listeners<Event> {
  const listeners = new Set<(event: Event) => void>();
  return {
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell(event) {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    },
    isEmpty: () => listeners.size === 0,
  };
}
