// Something that is loaded when it is first needed, once: a load that fails is not kept, so that the next who asks tries again.

export interface Loaded<Value> {
  /** undefined: it is not there yet. */
  value(): Value | undefined;
  /** Loads it where it is not there. Rejects with what the load rejected with. */
  get(): Promise<Value>;
  /** The wait for it; undefined: it is there. Rejects as `get` does. */
  load(): Promise<void> | undefined;
}

/**
 * Who asks while it is being loaded waits for that. `again`: what is tried where `load` fails, since Node keeps some modules that could not be read for
 * want of a file descriptor as failed, whoever imports them after.
 */
export function loadedOnce<Value>(
  load: () => Promise<Value>,
  again?: () => Promise<Value> | Value,
): Loaded<Value> {
  let loaded: { readonly value: Value } | undefined;
  let loading: Promise<Value> | undefined;
  const run = async (): Promise<Value> => {
    try {
      const value = await load().catch((error: unknown) => {
        if (again === undefined) throw error;
        return again();
      });
      loaded = { value };
      return value;
    } finally {
      loading = undefined;
    }
  };
  const get = (): Promise<Value> =>
    loaded === undefined ? (loading ??= run()) : Promise.resolve(loaded.value);
  return {
    value: () => loaded?.value,
    get,
    load: () => (loaded === undefined ? get().then(() => undefined) : undefined),
  };
}
