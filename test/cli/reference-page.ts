// docs/reference/cli.md as it should be: for the script that writes it, and the test that it is current.
import { noColours } from '../../src/cli/format/colours.ts';
import { createProgram } from '../../src/cli/program.ts';
import { cliReference } from '../../src/cli/reference.ts';

export function cliReferencePage(): string {
  const io = {
    out: () => undefined,
    err: () => undefined,
    env: {},
    colours: noColours,
    errColours: noColours,
  };
  return cliReference(createProgram(io, () => undefined));
}
