// Names that clients of other protocols may ask for: those that come and go, and what serves them.
import { missing } from './both.ts';
import { pointer } from './keyed.ts';
import type { Change, Concern } from './types.ts';

export const exposed: Concern = ({ before, after }) => {
  const [from, to] = [before.exposed ?? {}, after.exposed ?? {}];
  const change = (name: string, message: string, effects: Change['effects']): Change => ({
    subject: `exposed ${name}`,
    message,
    effects,
    covers: [pointer('exposed', name)],
  });
  const both = Object.entries(to).flatMap(([name, { task, input }]) => {
    const old = from[name];
    if (old === undefined || (old.task === task && old.input === input)) return [];
    return [change(name, `is served by ${server(to[name])} instead of ${server(old)}`, ['breaking'])];
  });
  return [
    ...missing(from, to).map((name) => change(name, 'may no longer be asked for', ['breaking'])),
    ...missing(to, from).map((name) => change(name, 'may be asked for', [])),
    ...both,
  ];
};

function server(one: { readonly task: string; readonly input: string | null } | undefined): string {
  if (one === undefined || one.input === null) return 'models';
  return `the task ${one.task} (${one.input})`;
}
