// A mutation to paste, for the first task that needs nothing but a text.
import type { JsonSchema, Plan, PlanTask } from '../../language/plan/types.ts';
import { camelName } from '../../server/graphql/names.ts';

const SAMPLE = [
  'The harbour froze in January, for the first time in forty years.',
  'Nine ships waited outside for as many days.',
  'Coal ran short in the town, and the price of bread doubled.',
  'The council opened the school as a warm room for those who had no fuel left.',
  'Children were taught in the church meanwhile.',
  'On the tenth day an icebreaker came from the south and cut a channel by noon.',
  'The first ship in carried coal, the second flour.',
  'The council has since bought an icebreaker of its own.',
  'It has not been needed yet.',
].join(' ');

/** A curl command that runs anywhere; null when no task can be tried with one text. */
export function mutationToPaste(plan: Plan, url: string, open: boolean): string | null {
  for (const task of Object.values(plan.tasks).sort((left, right) => rank(left) - rank(right))) {
    const property = onlyText(task);
    if (property === undefined) continue;
    const query = `mutation { runTask(task: { ${camelName(task.name)}: { ${property}: ${JSON.stringify(SAMPLE)} } }) { __typename ... on Run { outputJson cost latencyMs attempts { model provider { name } } } ... on NoProviderAvailable { message remedy } } }`;
    return `curl -s ${url}/graphql -H 'content-type: application/json'${open ? '' : ' -H "authorization: Bearer $HEADGATE_KEY"'} -d '${JSON.stringify({ query }).replaceAll("'", String.raw`'\''`)}'`;
  }
  return null;
}

/** The task that runs without any key comes first. */
function rank(task: PlanTask): number {
  return task.name === 'summarize' ? 0 : 1;
}

function onlyText(task: PlanTask): string | undefined {
  const required = (task.inputSchema['required'] ?? []) as readonly string[];
  const properties = (task.inputSchema['properties'] ?? {}) as { readonly [name: string]: JsonSchema };
  const [only, ...others] = required;
  return only !== undefined && others.length === 0 && properties[only]?.['type'] === 'string'
    ? only
    : undefined;
}
