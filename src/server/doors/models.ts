// `/v1/models`: the exposed names that a key may run, as OpenAI or Anthropic would list their models.
import type { ServerResponse } from 'node:http';
import type { Caller } from '../../engine/budget/port.ts';
import type { Plan } from '../../language/plan/types.ts';
import { mayRun } from '../../engine/execution/scopes.ts';
import { unknownModel } from './refusals.ts';
import { sendDoorRefusal } from './protocol.ts';
import type { Dialect } from './protocol.ts';
import { sendBody } from './send.ts';

/** In the order of their names. What a name stands for is asked of the key: a task behind another name is run as the task. */
export function namesFor(plan: Plan, caller: Caller): readonly string[] {
  return Object.entries(plan.exposed ?? {}).flatMap(([name, { task }]) =>
    mayRun(caller, task) ? [name] : [],
  );
}

/** A name is as old as the revision that has it. */
export interface ModelsAsked {
  readonly plan: Plan;
  readonly caller: Caller;
  readonly sinceMs: number;
  /** One of them; null: all. */
  readonly name: string | null;
  readonly query: URLSearchParams;
}

export function sendModels(response: ServerResponse, dialect: Dialect, asked: ModelsAsked): void {
  const names = namesFor(asked.plan, asked.caller);
  if (asked.name !== null) {
    if (names.includes(asked.name)) sendBody(response, 200, entry(dialect, asked.name, asked.sinceMs));
    else sendDoorRefusal(response, dialect, unknownModel(asked.name, names));
    return;
  }
  sendBody(response, 200, dialect === 'openai' ? openAiList(names, asked) : anthropicPage(names, asked));
}

function openAiList(names: readonly string[], { sinceMs }: ModelsAsked): object {
  return { object: 'list', data: names.map((name) => entry('openai', name, sinceMs)) };
}

/** In pages: `limit` (20, at most 1,000), `after_id`, `before_id`. */
function anthropicPage(names: readonly string[], { query, sinceMs }: ModelsAsked): object {
  const asked = Number(query.get('limit') ?? DEFAULT_PAGE);
  const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, MOST_IN_A_PAGE) : DEFAULT_PAGE;
  const after = query.get('after_id');
  const before = query.get('before_id');
  const from = after === null ? 0 : names.indexOf(after) + 1;
  const end = before === null || !names.includes(before) ? names.length : names.indexOf(before);
  const rest = names.slice(from, Math.max(from, end));
  const page = before === null ? rest.slice(0, limit) : rest.slice(-limit);
  return {
    data: page.map((name) => entry('anthropic', name, sinceMs)),
    has_more: page.length < rest.length,
    first_id: page[0] ?? null,
    last_id: page.at(-1) ?? null,
  };
}

const DEFAULT_PAGE = 20;
const MOST_IN_A_PAGE = 1_000;

function entry(dialect: Dialect, name: string, sinceMs: number): object {
  return dialect === 'openai'
    ? { id: name, object: 'model', created: Math.floor(sinceMs / 1000), owned_by: 'headgate' }
    : { type: 'model', id: name, display_name: name, created_at: new Date(sinceMs).toISOString() };
}
