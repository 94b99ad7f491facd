// Runs the `tests:` of tasks: each case through the real engine, on a ledger of its own, against recorded answers or live.
import { isUtf8 } from 'node:buffer';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApp, type App } from '../../app.ts';
import type { Clock } from '../../common/clock.ts';
import { systemClock } from '../../common/clock.ts';
import type { Json, JsonObject } from '../../common/json.ts';
import { NANO_PER_USD } from '../../common/money.ts';
import { expectShape } from '../../language/definition/environments.ts';
import type { Definition, TaskDefinition, TestDefinition } from '../../language/definition/types.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { LOCAL_CALLER } from '../../engine/execution/local-caller.ts';
import type { RunResult, RunSnapshot } from '../../engine/execution/port.ts';
import { compileExpression } from '../../language/expression/compile.ts';
import { createEnvironment } from '../../language/expression/environment.ts';
import { Answers } from './answers.ts';
import { taskFolder, testFile } from './task-folder.ts';
import { testProviders, type TestMode } from './providers.ts';

export interface TestResult {
  readonly task: string;
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly ok: boolean;
  /** Why not; empty when it passed. */
  readonly failures: readonly string[];
  readonly latencyMs: number;
  readonly costNanoUsd: bigint;
}

export interface TestOptions {
  readonly definition: Definition;
  readonly workflows: string;
  readonly env: { readonly [name: string]: string | undefined };
  readonly mode: TestMode;
  /** Only these tasks; empty: all. */
  readonly tasks: readonly string[];
  readonly onResult: (result: TestResult) => void;
}

/** One case after the other, in the order of tasks and files. */
export async function runTests(options: TestOptions): Promise<readonly TestResult[]> {
  const results: TestResult[] = [];
  const chosen = Object.values(options.definition.tasks).filter(
    ({ name, tests }) => tests.length > 0 && (options.tasks.length === 0 || options.tasks.includes(name)),
  );
  for (const task of chosen) {
    const files = new Map<string, Answers>();
    for (const test of task.tests) {
      const path = join(
        taskFolder(options.workflows, task),
        test.answers ?? `tests/${task.name}.answers.json`,
      );
      const answers = files.get(path) ?? (await Answers.read(path));
      files.set(path, answers);
      const result = await runTest(options, task, test, answers);
      results.push(result);
      options.onResult(result);
    }
    if (options.mode === 'record') for (const answers of files.values()) await answers.save();
  }
  return results;
}

async function runTest(
  options: TestOptions,
  task: TaskDefinition,
  test: TestDefinition,
  answers: Answers,
): Promise<TestResult> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'headgate-test-'));
  const clock = clockAt(test.now);
  const app = await openApp({
    workflows: options.workflows,
    dataDirectory,
    env: options.env,
    synchronous: 'normal',
    clock,
    wrapProviders: (registry) => testProviders(registry, options.mode, () => answers),
  });
  const started = systemClock.monotonicMs();
  try {
    const input = await inputOf(options, task, test);
    const result = await ask(app, task, test, input);
    const snapshot = result.kind === 'run' ? result.snapshot : null;
    return {
      task: task.name,
      name: test.name,
      file: test.at.file,
      line: test.at.line,
      ...verdict(options.definition, task, test, input, result),
      latencyMs: systemClock.monotonicMs() - started,
      costNanoUsd: options.mode === 'replay' ? 0n : (snapshot?.run.costNanoUsd ?? 0n),
    };
  } finally {
    await app.close(0);
    await rm(dataDirectory, { recursive: true, force: true });
  }
}

function ask(app: App, task: TaskDefinition, test: TestDefinition, input: JsonObject): Promise<RunResult> {
  const text = (name: string): string | null =>
    typeof test.caller[name] === 'string' ? test.caller[name] : null;
  return app.engine.run({
    task: task.name,
    input,
    caller: {
      ...LOCAL_CALLER,
      name: text('name') ?? 'test',
      team: text('team'),
      tier: text('tier'),
      tags: (test.caller['tags'] ?? {}) as { readonly [key: string]: string },
    },
    options: { noCache: true },
  });
}

async function inputOf(
  options: TestOptions,
  task: TaskDefinition,
  test: TestDefinition,
): Promise<JsonObject> {
  const input: { [name: string]: Json } = {};
  for (const [name, value] of Object.entries(test.input)) {
    if (value.kind === 'value') input[name] = value.value;
    else {
      const { kind, path } = await testFile(options.workflows, task, value.path);
      if (kind === 'outside')
        throw new HeadgateError(
          'TEST_FILE_OUTSIDE',
          `${value.at.file}:${value.at.line}: the file ${value.path} lies outside the workflows folder, by its path or by a link`,
          'Copy what the test needs into the workflows folder.',
        );
      const bytes = await readFile(path).catch((error: unknown) => {
        throw new HeadgateError(
          'TEST_FILE_UNREADABLE',
          `${value.at.file}:${value.at.line}: the file ${path} cannot be read`,
          'Paths are relative to the task file.',
          { cause: error },
        );
      });
      input[name] = isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1');
    }
  }
  return input;
}

/** `now` stands still at the moment given; durations are real. */
function clockAt(now: string | null): Clock {
  if (now === null) return systemClock;
  const nowMs = Date.parse(now);
  return { ...systemClock, nowMs: () => nowMs };
}

function verdict(
  definition: Definition,
  task: TaskDefinition,
  test: TestDefinition,
  input: JsonObject,
  result: RunResult,
): Pick<TestResult, 'ok' | 'failures'> {
  if (result.kind !== 'run')
    return { ok: false, failures: [`${result.code}: ${result.message}`, ...reasons(result)] };
  const { snapshot } = result;
  if (snapshot.run.error)
    return { ok: false, failures: [`${snapshot.run.error.code}: ${snapshot.run.error.message}`] };
  const environment = createEnvironment(expectShape(definition, task));
  const values = {
    output: snapshot.run.output,
    input: withDefaults(snapshot, input),
    run: runValues(snapshot),
  };
  const failures = test.expect.flatMap(({ source, at }) => {
    const compiled = compileExpression(source, environment);
    if (!compiled.ok) return [`line ${at.line}: ${source}: ${compiled.error.message}`];
    const evaluated = compiled.value.evaluate(values);
    if (!evaluated.ok) return [`line ${at.line}: ${source}: ${evaluated.error.message}`];
    return evaluated.value === true
      ? []
      : [`line ${at.line}: ${source} does not hold; output is ${shown(snapshot.run.output)}`];
  });
  return { ok: failures.length === 0, failures };
}

function reasons(result: RunResult): readonly string[] {
  if (result.kind === 'invalid_input')
    return result.problems.map(({ path, message }) => `${path}: ${message}`);
  if (result.kind !== 'no_provider_available') return [];
  return result.attempts.flatMap(({ errorMessage }) => (errorMessage === null ? [] : [errorMessage]));
}

/** As the run saw it: defaults filled in. */
function withDefaults({ run }: RunSnapshot, input: JsonObject): Json {
  return run.input ?? input;
}

function runValues({ run, attempts }: RunSnapshot): Json {
  const answered = attempts.filter(({ status }) => status === 'succeeded');
  return {
    // For comparing only: accounts are kept in whole nano-dollars.
    costUsd: Number(run.costNanoUsd) / Number(NANO_PER_USD),
    attempts: attempts.length,
    latencyMs: run.latencyMs ?? 0,
    providers: [...new Set(answered.map(({ provider }) => provider))],
    models: [...new Set(answered.map(({ provider, requestedModel }) => `${provider}/${requestedModel}`))],
  };
}

const SHOWN_OUTPUT = 300;

function shown(output: Json): string {
  const text = JSON.stringify(output);
  return text.length > SHOWN_OUTPUT ? `${text.slice(0, SHOWN_OUTPUT)}…` : text;
}
