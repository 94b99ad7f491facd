// `expose:`: the names that clients of OpenAI's and Anthropic's protocols may ask for.
import { keepMemberPlaces } from '../located.ts';
import type { Reader } from '../reader.ts';
import type { ExposedDefinition } from '../types.ts';
import type { Kind } from './kind.ts';
import { mapped, optional, record } from './record.ts';
import type { RecordValue } from './record.ts';
import { retain } from './retain.ts';
import { candidates } from './routes.ts';
import { reference } from './scalars.ts';
import { tokens } from './units.ts';

/** What clients send as `model`. */
export const EXPOSED_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$/;

const exposedRecord = record(
  {
    name: 'Exposed',
    noun: 'An exposed name',
    summary:
      "A name that clients of OpenAI's and Anthropic's protocols ask for as a model's, at `/v1`. It has one of `route`, `from` and `task`; nothing that is not exposed is served there.",
  },
  {
    route: optional(reference('route'), 'The route that serves it.', '`from` or `task` does'),
    from: optional(
      candidates,
      'The candidates that serve it, the first that can before the others.',
      '`route` or `task` does',
    ),
    task: optional(
      reference('task'),
      'The task that serves it: a whole workflow behind the name of a model.',
      '`route` or `from` does',
    ),
    input: optional(
      reference('field of the input'),
      'With `task`: the field of its input that receives the last message of the user.',
      'needed with `task`',
    ),
    maxOutputTokens: optional(
      tokens,
      'The most output that a call may ask for. What a client asks beyond it is lowered, and a client that asks for nothing is given it: this is what is held before the call.',
      'what the client asks for, or else the most that the model gives',
    ),
    policy: optional(
      reference('policy'),
      'Its `timeout`, `firstToken` and `stall` hold for these calls.',
      "the provider's own policy as far as it says so, else `{ timeout: 10m, firstToken: 60s, stall: 2m }`",
    ),
    retain: optional(retain, 'What is kept of each run.', '`{ content: hash, for: 30d }`'),
  },
);

type Read = RecordValue<(typeof exposedRecord)['fields']>;

export const exposed: Kind<(name: string) => ExposedDefinition> = mapped(
  exposedRecord,
  (read, node, reader) => {
    const serves = servesOf(read, reader);
    if (serves === undefined) return undefined;
    const { maxOutputTokens, policy, retain: kept, at } = read;
    return (name) =>
      keepMemberPlaces({ name, at, serves: serves(name), maxOutputTokens, policy, retain: kept }, node);
  },
);

function servesOf(read: Read, reader: Reader): ((name: string) => ExposedDefinition['serves']) | undefined {
  const { route, from, task, input, maxOutputTokens, policy, retain: kept, at } = read;
  const written = [route && '`route`', from && '`from`', task && '`task`'].filter((key) => key !== null);
  if (written.length > 1) {
    reader.report(
      'conflicting-keys',
      at,
      `${written.join(' and ')} both say what serves the name.`,
      'Keep one of `route`, `from` and `task`.',
    );
    return undefined;
  }
  if (task) {
    const others = [
      maxOutputTokens !== null && '`maxOutputTokens`',
      policy && '`policy`',
      kept && '`retain`',
    ].filter((key) => typeof key === 'string');
    if (others.length > 0)
      reader.report(
        'conflicting-keys',
        at,
        `${others.join(' and ')} ${others.length === 1 ? 'means' : 'mean'} nothing for a name that a task serves.`,
        "Write it in the task's file.",
      );
    if (input) return () => ({ kind: 'task', task, input });
    reader.report(
      'missing-key',
      at,
      'A name that a task serves needs `input`.',
      `Add \`input:\` with the field of the input of \`${task.name}\` that receives the last message of the user.`,
    );
    return undefined;
  }
  if (input)
    reader.report(
      'conflicting-keys',
      at,
      '`input` means nothing without `task`.',
      'Remove it, or add `task`.',
    );
  if (route) return () => ({ kind: 'route', route: { kind: 'named', ...route } });
  if (from)
    return (name) => ({
      kind: 'route',
      route: {
        kind: 'inline',
        route: { name, at, pin: false, rules: [{ at, when: null, pick: null, from, hedge: null }] },
      },
    });
  reader.report(
    'missing-key',
    at,
    'An exposed name needs `route`, `from` or `task`.',
    'Say which models serve it: `from: [openai/gpt-5.6-luna]`.',
  );
  return undefined;
}
