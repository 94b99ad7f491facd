// Reads one file's document into values, collecting problems.
import type { JsonSchema } from '../../common/json.ts';
import { nearest } from '../../common/nearest.ts';
import type { MapNode } from '../document/types.ts';
import type { Place } from '../../errors/place.ts';
import type { Problem } from '../../errors/problem.ts';
import { severityOf } from './diagnostics.ts';
import { translateKey } from './fields/foreign-words.ts';

export class Reader {
  readonly file: string;
  /** What can be judged of a schema only once all of it is read, since its references start at the whole. */
  readonly onceWhole: ((root: JsonSchema) => void)[] = [];
  readonly #problems: Problem[];
  #errors = 0;

  constructor(file: string, problems: Problem[]) {
    this.file = file;
    this.#problems = problems;
  }

  report(code: string, at: Place, message: string, remedy: string): void {
    const { file, line, column, endColumn, excerpt } = at;
    const severity = severityOf(code);
    if (severity === 'error') this.#errors += 1;
    this.#problems.push({
      code,
      severity,
      message,
      remedy,
      file,
      line,
      column,
      endColumn,
      excerpt,
    });
  }

  /** How many errors of this file have been reported here. */
  get errors(): number {
    return this.#errors;
  }

  /** Complains about keys that are not `known`; `elsewhere` says where a key would belong, if anywhere. */
  unknownKeys(
    map: MapNode,
    known: readonly string[],
    what: string,
    elsewhere: (key: string) => string | undefined = () => undefined,
  ): boolean {
    let found = false;
    for (const { key, keyAt, value } of map.entries) {
      if (known.includes(key)) continue;
      found = true;
      const near = nearest(key, known);
      const place = elsewhere(key);
      const remedy =
        place ??
        afterComma(key) ??
        translateKey(what, key, value)?.remedy ??
        (near
          ? `Did you mean \`${near}\`?`
          : `It can have: ${known.map((name) => `\`${name}\``).join(', ')}.`);
      this.report('unknown-key', keyAt, `${what} has no key \`${key}\`.`, remedy);
    }
    return found;
  }
}

/** `{ limit: $4,000 }` reads as two keys. */
function afterComma(key: string): string | undefined {
  return /^\d+$/.test(key)
    ? 'A comma inside `{ }` starts another key: write large numbers without it, `$4000`.'
    : undefined;
}
