// Tags from the command line.
import { UsageError } from './io.ts';

export function parseTags(pairs: readonly string[]): { readonly [key: string]: string } {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals <= 0)
        throw new UsageError(`--tag ${pair}: not of the form key=value`, 'Write --tag team=growth.');
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}
