// Running tasks: runTask, startTask and cancelRun.
import { GraphQLError } from 'graphql';
import { errorText } from '../../../errors/catalogue.ts';
import type { JsonObject } from '../../../common/json.ts';
import type { Caller } from '../../../engine/budget/port.ts';
import type { DryRun, RunRequest, RunResult } from '../../../engine/execution/port.ts';
import type { Builder } from '../builder.ts';
import type { RequestContext } from '../context.ts';
import { runOptionsOf } from '../inputs.ts';
import type { Inputs, RunOptionsValue } from '../inputs.ts';
import type { RefusalOf } from '../refs.ts';
import { hasScope, mayRun, SPEAK_FOR } from '../../../engine/execution/scopes.ts';
import type { TaskModel } from '../tasks.ts';
import { notFound } from '../types/results.ts';
import type { Results } from '../types/results.ts';
import { shapeOfRecord, shapeOfSnapshot } from '../types/run-shape.ts';
import type { RunShape } from '../types/run-shape.ts';
import { visibleRun } from '../types/run.ts';

export type ResultShape =
  | RunShape
  | Exclude<RunResult, { kind: 'run' }>
  | { readonly kind: 'dry_run'; readonly dryRun: DryRun };

export function defineRunMutations(
  builder: Builder,
  inputs: Inputs,
  tasks: TaskModel,
  results: Results,
): void {
  builder.mutationFields((t) => {
    const options = t.arg({ type: inputs.runOptions });
    const args = { task: t.arg({ type: tasks.taskInput, required: true }), options };
    return {
      runTask: t.field({
        type: results.runTaskResult,
        description:
          'Runs a task and answers when it is finished. When the client goes away the run is cancelled, unless it has an idempotency key.',
        complexity: 10,
        args,
        resolve: (_root, { task, options }, context) => runTask(tasks.request(task), options ?? {}, context),
      }),
      runTaskJson: t.field({
        type: results.runTaskResult,
        description:
          'As runTask, for clients without types of their own: the task by its name, its input as JSON. `outputJson` has the answer.',
        complexity: 10,
        args: { ...jsonArgs(t), options },
        resolve: (_root, { name, input, options }, context) =>
          runTask(jsonRequest(name, input), options ?? {}, context),
      }),
      startTask: t.field({
        type: results.startTaskResult,
        description:
          'Accepts a task, answers at once; the run survives a crash. Follow it with Subscription.run.',
        complexity: 10,
        args,
        resolve: async (_root, { task, options }, context): Promise<ResultShape> => {
          const prepared = prepareRun(tasks.request(task), options ?? {}, context);
          if ('kind' in prepared) return prepared;
          const { signal: _clientGone, ...request } = prepared;
          const { engine } = context.services;
          if (request.options?.dryRun === true) return await engine.dryRun(request);
          const started = await engine.start(request);
          return started.kind === 'started' ? shapeOfRecord(started.run) : started;
        },
      }),
      runAgain: t.field({
        type: results.startTaskResult,
        description:
          'Starts a run that is over once more, as its caller, in the active revision. Where its task is what it was, steps that are done are neither called nor paid for again.',
        complexity: 10,
        args: { id: t.arg.id({ required: true }) },
        resolve: (_root, { id }, context) => runAgain(id, context),
      }),
      cancelRun: t.field({
        type: results.cancelRunResult,
        description: 'Stops a run: what is under way is aborted and settled.',
        complexity: 10,
        args: { id: t.arg.id({ required: true }) },
        resolve: (_root, { id }, context) => cancelRun(id, context),
      }),
    };
  });
}

type Fields = Parameters<Parameters<Builder['mutationFields']>[0]>[0];
type Asked = Pick<RunRequest, 'task' | 'input'>;

/** The arguments that name a task and its input without a type of their own. */
function jsonArgs(t: Pick<Fields, 'arg'>) {
  return {
    name: t.arg.string({ required: true, description: 'The name in the workflow file: `email-parse`.' }),
    input: t.arg({ type: 'JSON', required: true }),
  };
}

/** What the input lacks, or is too much of it, is found where every input is checked. */
export function jsonRequest(task: string, input: unknown): Asked {
  return { task, input: input as JsonObject };
}

function runTask(
  asked: Asked,
  given: RunOptionsValue,
  context: RequestContext,
): ResultShape | Promise<ResultShape> {
  const prepared = prepareRun(asked, given, context);
  if ('kind' in prepared) return prepared;
  const { engine } = context.services;
  if (prepared.options?.dryRun === true) return engine.dryRun(prepared);
  return engine.run(prepared).then(resultShape);
}

function resultShape(result: RunResult): RunShape | Exclude<RunResult, { kind: 'run' }> {
  return result.kind === 'run' ? shapeOfSnapshot(result.snapshot) : result;
}

/** The engine's request, or why the caller may not make it. */
export function prepareRun(
  asked: Asked,
  given: RunOptionsValue,
  context: RequestContext,
): RunRequest | RefusalOf<'unauthorized'> {
  const { caller } = context;
  if (!mayRun(caller, asked.task))
    return refuse(`run:${asked.task}`, `The key of "${caller.name}" may not run ${asked.task}.`);
  if (given.caller && !hasScope(caller, SPEAK_FOR))
    return refuse(SPEAK_FOR, `The key of "${caller.name}" may not run tasks in another's name.`);
  const options = runOptionsOf(given);
  return {
    ...asked,
    caller: given.caller ? inTheNameOf(caller, given.caller) : caller,
    options,
    // With a key the client may come back for the answer; without one nobody would ever read it.
    ...(options.idempotencyKey === undefined ? { signal: context.signal() } : {}),
  };
}

function inTheNameOf(caller: Caller, other: NonNullable<RunOptionsValue['caller']>): Caller {
  return { ...caller, name: other.name, team: other.team ?? null, tier: other.tier ?? null };
}

function refuse(scope: string, message: string): RefusalOf<'unauthorized'> {
  return {
    kind: 'unauthorized',
    code: 'UNAUTHORIZED',
    scope,
    message,
    remedy: `Use a key with the scope "${scope}": headgate keys create --scope ${scope}`,
  };
}

async function runAgain(id: string, context: RequestContext): Promise<ResultShape> {
  const found = await visibleRun(id, context);
  const { caller, services } = context;
  if (found === null)
    throw cannot(
      'NOT_FOUND',
      `There is no run "${id}" that you may see.`,
      'Ask for `runs` to see which there are.',
    );
  const { task, caller: its } = found.run;
  if (!mayRun(caller, task) || (its.name !== caller.name && !hasScope(caller, SPEAK_FOR))) {
    const scope = mayRun(caller, task) ? SPEAK_FOR : `run:${task}`;
    return { kind: 'unauthorized', scope, ...errorText('UNAUTHORIZED', { task, scope }) };
  }
  const started = await services.engine.again(id);
  if (started === undefined)
    throw cannot(
      'BAD_USER_INPUT',
      `The run ${id} cannot be started again: it is not over, or its input is not kept.`,
      'Wait for its end, or send the task with its input.',
    );
  return started.kind === 'started' ? shapeOfRecord(started.run) : started;
}

function cannot(code: string, message: string, remedy: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code, remedy } });
}

async function cancelRun(id: string, context: RequestContext) {
  const found = await visibleRun(id, context);
  if (found === null) return notFound(id, 'run');
  const cancelled = await context.services.engine.cancel(id, `cancelled by ${context.caller.name}`);
  const now = await context.services.ledger.run(id);
  const shape = now === undefined ? found : shapeOfRecord(now);
  if (cancelled) return shape;
  return {
    kind: 'not_running' as const,
    run: shape,
    code: 'RUN_NOT_RUNNING',
    message: `The run ${id} is not running: it is ${shape.run.status}.`,
    remedy: 'Nothing needs to be done; its result stands.',
  };
}
