// buildSchema: a Plan → the GraphQL schema that serves it. The order here is the order of the API's reference.
import type { GraphQLSchema } from 'graphql';
import { lexicographicSortSchema, printSchema } from 'graphql';
import type { Plan } from '../../language/plan/types.ts';
import { createBuilder } from './builder.ts';
import { createInputs } from './inputs.ts';
import { defineOperatorMutations } from './mutations/operate.ts';
import { defineRevisionMutations } from './mutations/revisions.ts';
import { defineRunMutations } from './mutations/run-task.ts';
import type { NameCollision } from './names.ts';
import { definePlanDifference } from './queries/plan-difference.ts';
import { defineQueries } from './queries/index.ts';
import { createRefs } from './refs.ts';
import { RESERVED_TYPE_NAMES } from './reserved-names.ts';
import { defineSubscriptions } from './subscriptions/index.ts';
import { defineTasks, readTasks } from './tasks.ts';
import { defineAttempt } from './types/attempt.ts';
import { defineBudget, defineForecast } from './types/budget.ts';
import { defineCostChange } from './types/cost-change.ts';
import { defineCostStats } from './types/cost-stats.ts';
import { createEnums } from './types/enums.ts';
import { defineAlert, defineCaller, defineRevision, defineTaskType } from './types/governance.ts';
import { defineProvider } from './types/provider.ts';
import { defineResults } from './types/results.ts';
import { defineRunEvents } from './types/run-event.ts';
import { defineRun } from './types/run.ts';
import { defineSpend } from './types/spend.ts';

/** Two things of the plan, or a thing of the plan and the API itself, would have one GraphQL name. */
export class SchemaNameCollision extends Error {
  override readonly name = 'SchemaNameCollision';
  readonly collisions: readonly NameCollision[];
  constructor(collisions: readonly NameCollision[]) {
    const lines = collisions.map(
      ({ name, holders: [first, second] }) => `${name} is claimed by ${first} and by ${second}`,
    );
    super(`GraphQL names collide: ${lines.join('; ')}. Rename a task or a property.`);
    this.collisions = collisions;
  }
}

/** Throws SchemaNameCollision; `headgate check` asks `readTasks` first, so that a plan that is served has none. */
export function buildSchema({ plan }: { readonly plan: Plan }): GraphQLSchema {
  const { shapes, collisions } = readTasks(plan, RESERVED_TYPE_NAMES);
  if (collisions.length > 0) throw new SchemaNameCollision(collisions);

  const builder = createBuilder();
  const refs = createRefs(builder);
  const enums = createEnums(builder);
  const inputs = createInputs(builder, enums);
  const tasks = defineTasks(builder, plan, shapes);

  defineTaskType(builder, refs, enums, tasks);
  defineCaller(builder, refs);
  defineRevision(builder, refs, enums);
  defineProvider(builder, refs, enums);
  defineAttempt(refs, enums);
  defineRun(builder, refs, enums, tasks);
  defineBudget(builder, refs, enums);
  defineForecast(refs);
  const groupKey = defineCostStats(builder, refs, enums);
  defineSpend(builder, refs, enums, groupKey);
  defineCostChange(builder, refs, enums, groupKey);
  defineAlert(refs, enums);
  const results = defineResults(builder, refs, enums);
  defineRunEvents(builder, refs, results);

  defineQueries(builder, refs, enums, inputs, tasks);
  definePlanDifference(builder);
  defineRunMutations(builder, inputs, tasks, results);
  defineOperatorMutations(builder, refs, enums, inputs);
  defineRevisionMutations(builder, refs);
  defineSubscriptions(builder, refs, enums, inputs, tasks);
  return builder.toSchema();
}

/** The schema's SDL, sorted: the same schema always has the same text. */
export function printSchemaSdl(schema: GraphQLSchema): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}
