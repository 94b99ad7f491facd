// What the rules look at: all files together, as far as they could be read.
import { viewOf } from '../../common/json-schema.ts';
import type { JsonSchema } from '../../common/json.ts';
import { createEnvironment } from '../expression/environment.ts';
import type { Environment } from '../expression/environment.ts';
import type { EnvironmentShape } from '../expression/types.ts';
import { taskShape } from './schemas.ts';
import type { ProjectDefinition, TaskDefinition } from './types.ts';

/** What has been declared under each kind of name, readable or not: what cannot be read is complained about once, where it stands. */
export interface Declared {
  readonly providers: ReadonlySet<string>;
  readonly models: ReadonlySet<string>;
  readonly policies: ReadonlySet<string>;
  readonly routes: ReadonlySet<string>;
  readonly budgets: ReadonlySet<string>;
  readonly tasks: ReadonlySet<string>;
}

export class Workspace {
  /** null: there is none, or it could not be read; nothing is then said about names that it would declare. */
  readonly project: ProjectDefinition | null;
  readonly tasks: { readonly [name: string]: TaskDefinition };
  readonly declared: Declared;
  readonly #brokenSteps: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #shapes = new Map<string, EnvironmentShape>();
  readonly #environments = new WeakMap<EnvironmentShape, Environment>();

  constructor(parts: {
    readonly project: ProjectDefinition | null;
    readonly tasks: { readonly [name: string]: TaskDefinition };
    readonly declared: Declared;
    readonly brokenSteps: ReadonlyMap<string, ReadonlySet<string>>;
  }) {
    this.project = parts.project;
    this.tasks = parts.tasks;
    this.declared = parts.declared;
    this.#brokenSteps = parts.brokenSteps;
  }

  taskList(): readonly TaskDefinition[] {
    return Object.values(this.tasks);
  }

  brokenSteps(task: TaskDefinition): ReadonlySet<string> {
    return this.#brokenSteps.get(task.name) ?? NONE;
  }

  /** What `when` and `each` of the task's steps can name. */
  shape(task: TaskDefinition): EnvironmentShape {
    let shape = this.#shapes.get(task.name);
    if (!shape) this.#shapes.set(task.name, (shape = taskShape(this, task, this.brokenSteps(task))));
    return shape;
  }

  environment(shape: EnvironmentShape): Environment {
    let environment = this.#environments.get(shape);
    if (!environment) this.#environments.set(shape, (environment = createEnvironment(shape)));
    return environment;
  }
}

const NONE: ReadonlySet<string> = new Set();

/** The schema of a list's items; `{}` where it is not known. */
export function itemSchema(list: JsonSchema): JsonSchema {
  return viewOf(list).items ?? {};
}
