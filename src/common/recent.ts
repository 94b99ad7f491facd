// Recent: values by names of three levels, of which only those used last are kept: there may be any number of such names (INV-14).

type Levels<Value> = Map<string, Map<string, Map<string, Value>>>;

/**
 * The last `atLeast` that were used are kept, and at most twice as many: in two generations, the older of which is forgotten when the younger is full.
 * Deleting one by one would leave a Map with holes. The names are looked for one after the other: joined, they would be a new text each time,
 * which V8 first looks for among all texts that it knows.
 */
export class Recent<Value> {
  readonly #atLeast: number;
  #young: Levels<Value> = new Map();
  #old: Levels<Value> = new Map();
  #youngCount = 0;

  constructor(atLeast: number) {
    this.#atLeast = atLeast;
  }

  get(first: string, second: string, third: string): Value | undefined {
    const young = this.#young.get(first)?.get(second)?.get(third);
    if (young !== undefined) return young;
    const old = this.#old.get(first)?.get(second)?.get(third);
    if (old !== undefined) this.add(first, second, third, old);
    return old;
  }

  /** Where `get` has found nothing. */
  add(first: string, second: string, third: string, value: Value): void {
    if (this.#youngCount >= this.#atLeast) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngCount = 0;
    }
    this.#youngCount += 1;
    let seconds = this.#young.get(first);
    if (seconds === undefined) this.#young.set(first, (seconds = new Map()));
    let thirds = seconds.get(second);
    if (thirds === undefined) seconds.set(second, (thirds = new Map()));
    thirds.set(third, value);
  }
}
