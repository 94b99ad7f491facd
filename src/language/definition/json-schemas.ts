// The JSON Schemas that editors use for workflow files, made from the field tables.
import type { JsonSchema } from '../../common/json.ts';
import type { Kind, SharedSchemas } from './fields/kind.ts';
import { projectRecord } from './fields/project.ts';
import { taskRecord } from './fields/task.ts';

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** schema/project.json: for headgate.yaml. */
export function projectJsonSchema(): JsonSchema {
  return whole(projectRecord, 'Headgate: the project file');
}

/** schema/task.json: for a task file. */
export function taskJsonSchema(): JsonSchema {
  return whole(taskRecord, 'Headgate: a task');
}

function whole(kind: Kind<unknown>, title: string): JsonSchema {
  const shared = new Shared();
  const root = kind.schema(shared);
  return { $schema: DIALECT, title, ...root, $defs: shared.definitions() };
}

/** Each named schema once, under `$defs`. */
class Shared implements SharedSchemas {
  readonly #schemas = new Map<string, JsonSchema>();

  reference(name: string, schema: () => JsonSchema): JsonSchema {
    if (!this.#schemas.has(name)) {
      this.#schemas.set(name, {}); // so that a record which contains itself ends here
      this.#schemas.set(name, schema());
    }
    return { $ref: `#/$defs/${name}` };
  }

  definitions(): { readonly [name: string]: JsonSchema } {
    return Object.fromEntries([...this.#schemas].sort(([left], [right]) => (left < right ? -1 : 1)));
  }
}

/** The text of schema/project.json or schema/task.json. */
export function printJsonSchema(name: 'project' | 'task'): string {
  return `${JSON.stringify(name === 'project' ? projectJsonSchema() : taskJsonSchema(), null, 2)}\n`;
}
