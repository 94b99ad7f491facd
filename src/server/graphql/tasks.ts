// TaskModel: TaskInput and TaskOutput generated from the plan's tasks, and the way from one to the engine and back.
import type { Json, JsonObject } from '../../common/json.ts';
import { isExposed } from '../../language/plan/exchange.ts';
import type { Plan, PlanTask } from '../../language/plan/types.ts';
import type { Builder } from './builder.ts';
import { defineInputObject, defineOutputObject } from './json-schema/types.ts';
import { looksLikeObject, shapeOf } from './json-schema/shape.ts';
import type { Shape, ShapeNote } from './json-schema/shape.ts';
import { fits, toJsonFor } from './json-schema/values.ts';
import { camelName, NameRegistry, pascalName } from './names.ts';
import type { NameCollision } from './names.ts';
import type { OutputShape, TaskTypeShape } from './refs.ts';

/** One task as GraphQL sees it. */
export interface TaskShapes {
  readonly task: PlanTask;
  /** Its field in TaskInput. */
  readonly field: string;
  readonly input: Shape;
  readonly outputName: string;
  /** Always an object: an output of another kind is put under `value`. */
  readonly output: Extract<Shape, { kind: 'object' }>;
  /** The task's output is what stands under `value`. */
  readonly wrapped: boolean;
}

export interface ReadTasks {
  readonly shapes: readonly TaskShapes[];
  readonly collisions: readonly NameCollision[];
  readonly notes: readonly ShapeNote[];
}

/** Reads every task's schemas: pure, so that `check` can ask before anything is served. `reserved` are the API's own type names. */
export function readTasks(plan: Plan, reserved: Iterable<string>): ReadTasks {
  const names = new NameRegistry(reserved);
  const fields = new NameRegistry();
  const notes: ShapeNote[] = [];
  const shapes: TaskShapes[] = [];
  for (const task of Object.values(plan.tasks)) {
    if (isExposed(task)) continue;
    const claimer = `task "${task.name}"`;
    const field = camelName(task.name);
    if (!fields.claim(field, claimer)) continue;
    const context = { names, notes, claimer };
    const pascal = pascalName(task.name);
    const outputName = `${pascal}Output`;
    const input = shapeOf(task.inputSchema, `${pascal}Input`, `${task.name}.input`, context);
    // What is not an object gets the name of the field that it is put under.
    const readName = looksLikeObject(task.outputSchema) ? outputName : `${outputName}Value`;
    const read = shapeOf(task.outputSchema, readName, `${task.name}.output`, context);
    const wrapped = read.kind !== 'object';
    if (wrapped) names.claim(outputName, claimer);
    shapes.push({
      task,
      field,
      input,
      outputName,
      output: wrapped ? valueShape(outputName, read) : read,
      wrapped,
    });
  }
  return { shapes, collisions: [...fields.collisions, ...names.collisions], notes };
}

function valueShape(name: string, shape: Shape): Extract<Shape, { kind: 'object' }> {
  const field = {
    name: 'value',
    property: 'value',
    shape,
    optional: true,
    nullable: true,
    defaultValue: undefined,
    description: '',
    deprecated: null,
  };
  return { kind: 'object', name, description: '', fields: [field] };
}

export type TaskModel = ReturnType<typeof defineTasks>;

export function defineTasks(builder: Builder, plan: Plan, shapes: readonly TaskShapes[]) {
  const byField = new Map(shapes.map((one) => [one.field, { ...one, toJson: toJsonFor(one.input) }]));
  const byTask = new Map(shapes.map((one) => [one.task.name, one]));

  const taskInput = builder.inputType('TaskInput', {
    description: 'One field per task, generated from the workflow files: exactly one of them is given.',
    isOneOf: true,
    fields: (t) =>
      shapes.length === 0
        ? { none: t.boolean({ description: 'The workflows define no task yet.' }) }
        : Object.fromEntries(
            shapes.map(({ task, field, input }) => [
              field,
              t.field({
                type: input.kind === 'object' ? defineInputObject(builder, input) : 'JSON',
                ...(task.description === '' ? {} : { description: task.description }),
                ...(task.deprecated === null ? {} : { deprecationReason: task.deprecated }),
              }),
            ]),
          ),
  });

  const outputRefs =
    shapes.length === 0
      ? [
          builder
            .objectRef<unknown>('NoOutput')
            .implement({ fields: (t) => ({ none: t.boolean({ resolve: () => true }) }) }),
        ]
      : shapes.map(({ output, wrapped }) =>
          defineOutputObject(builder, output, (parent) => {
            const { value } = parent as OutputShape;
            return (wrapped ? { value } : value) as { readonly [property: string]: Json | undefined };
          }),
        );
  const outputUnion = builder.unionType('TaskOutput', {
    description: 'What the tasks answer with.',
    types: outputRefs,
    resolveType: (value) => (value as OutputShape).typename,
  });

  return {
    taskInput,
    outputUnion,
    taskTypes: Object.values(plan.tasks).map((task): TaskTypeShape => ({ name: task.name, task })),

    taskType(name: string): TaskTypeShape {
      return { name, task: plan.tasks[name] ?? null };
    },

    fieldOf(name: string): string | undefined {
      return byTask.get(name)?.field;
    },

    /** `{ emailParse: {…} }` → the task's name and its input as JSON. */
    request(input: object): { readonly task: string; readonly input: JsonObject } {
      for (const [field, value] of Object.entries(input)) {
        const found = byField.get(field);
        if (found === undefined || value === undefined || value === null) continue;
        return {
          task: found.task.name,
          input: (found.toJson === undefined ? value : found.toJson(value)) as JsonObject,
        };
      }
      throw new TypeError('TaskInput was empty after validation');
    },

    /** The output as its type shows it; null where there is none, or it has another shape than the active revision's. */
    output(task: string, value: Json | null): OutputShape | null {
      const found = value === null ? undefined : byTask.get(task);
      if (found === undefined || value === null) return null;
      return fits(found.output, found.wrapped ? { value } : value)
        ? { typename: found.outputName, value }
        : null;
    },
  };
}
