// In flight: values by key that come and go with each run.

/**
 * A Map's table is replaced every few dozen values that come and go, and V8 lets the one that was replaced lie until the next full collection: once it
 * has grown old, whatever was in it is kept by it, and grows old itself. So the table holds boxes, and a box is emptied when its value goes.
 */
export class InFlight<Key, Value> {
  readonly #boxes = new Map<Key, { value: Value | undefined }>();

  get size(): number {
    return this.#boxes.size;
  }

  has(key: Key): boolean {
    return this.#boxes.has(key);
  }

  get(key: Key): Value | undefined {
    return this.#boxes.get(key)?.value;
  }

  set(key: Key, value: Value): void {
    const box = this.#boxes.get(key);
    if (box === undefined) this.#boxes.set(key, { value });
    else box.value = value;
  }

  /** What it was, where it was there. */
  take(key: Key): Value | undefined {
    const box = this.#boxes.get(key);
    if (box === undefined) return undefined;
    this.#boxes.delete(key);
    const { value } = box;
    box.value = undefined;
    return value;
  }

  /** The one that is there longest goes. */
  takeOldest(): void {
    for (const key of this.#boxes.keys()) {
      this.take(key);
      return;
    }
  }

  values(): readonly Value[] {
    return Array.from(this.#boxes.values(), ({ value }) => value as Value);
  }
}
