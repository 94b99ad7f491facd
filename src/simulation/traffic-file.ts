// The traffic file: gzip of lines of JSON. A header, then names as they are needed, then runs as short lists that refer to them by number.
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { HeadgateError } from '../errors/headgate-error.ts';
import type { Traffic, TrafficAttempt, TrafficCaller, TrafficRun, TrafficStep } from './traffic.ts';
import { TRAFFIC_SCHEMA, TRAFFIC_VERSION } from './traffic-schema.ts';

type Header = { readonly headgate: 'traffic'; readonly version: number } & Pick<
  Traffic,
  'fromMs' | 'toMs' | 'hashed'
>;
type Who = readonly [string, string | null, string | null, { readonly [key: string]: string }];
/** model, outcome, input, output, latency, cost, held beyond both, first token + 1, cached, cache writes, reasoning; zeros at the end are left out. */
type AttemptLine = readonly (number | string)[];
/** path; rule; its attempts. The path alone: skipped. */
type StepLine = readonly [number, number?, ...AttemptLine[]];
/** since the run before; task, caller, input (0: a new one; n: as that of the run n before), outcome, latency, steps. */
type RunLine = readonly [number, number, number, number, number, number, ...StepLine[]];
type Line =
  | Header
  | { readonly name: string }
  | { readonly who: Who }
  | { readonly model: readonly [string, string] }
  | RunLine;

/** Inputs that are known again when they come back; of older ones a repetition looks new. */
const INPUTS_KEPT = 200_000;

/** Gives lines of text, each with its line break. `run.input` may be any numbers or texts that tell inputs apart. */
export class TrafficWriter {
  readonly #names = new Map<string, number>();
  readonly #whos = new Map<string, number>();
  readonly #models = new Map<string, number>();
  readonly #inputs = new Map<number | string, number>();
  #runs = 0;
  #lastMs: number;
  readonly header: string;

  constructor({ fromMs, toMs, hashed }: Pick<Traffic, 'fromMs' | 'toMs' | 'hashed'>) {
    this.#lastMs = fromMs;
    this.header = lineOf({ headgate: 'traffic', version: TRAFFIC_VERSION, fromMs, toMs, hashed });
  }

  run(run: Omit<TrafficRun, 'input'> & { readonly input: number | string }): string {
    const lines: string[] = [];
    const name = (text: string): number =>
      numberOf(this.#names, text, () => lines.push(lineOf({ name: text })));
    const { name: caller, team, tier, tags } = run.who;
    const who: Who = [caller, team, tier, tags];
    const atMs = Math.round(run.atMs);
    const line: RunLine = [
      atMs - this.#lastMs,
      name(run.task),
      numberOf(this.#whos, JSON.stringify(who), () => lines.push(lineOf({ who }))),
      this.#sameAs(run.input),
      name(run.outcome),
      Math.round(run.latencyMs),
      ...run.steps.map((step): StepLine => {
        const path = name(step.path);
        if (step.skipped) return [path];
        return [
          path,
          step.rule === null ? -1 : name(step.rule),
          ...step.attempts.map((attempt) => {
            const key = JSON.stringify([attempt.model, attempt.rates]);
            const model = numberOf(this.#models, key, () =>
              lines.push(lineOf({ model: [attempt.model, attempt.rates] })),
            );
            return attemptLine(attempt, model, name(attempt.outcome));
          }),
        ];
      }),
    ];
    this.#lastMs = atMs;
    return lines.join('') + lineOf(line);
  }

  #sameAs(input: number | string): number {
    const at = this.#runs;
    this.#runs += 1;
    const before = this.#inputs.get(input);
    this.#inputs.delete(input);
    this.#inputs.set(input, at);
    if (this.#inputs.size > INPUTS_KEPT)
      for (const oldest of this.#inputs.keys()) {
        this.#inputs.delete(oldest);
        break;
      }
    return before === undefined ? 0 : at - before;
  }
}

/** In characters: more than any run has. */
const LONGEST_LINE = 16 * 2 ** 20;

const lineOf = (value: Line): string => `${JSON.stringify(value)}\n`;

function numberOf(known: Map<string, number>, key: string, add: () => void): number {
  let number = known.get(key);
  if (number === undefined) {
    number = known.size;
    known.set(key, number);
    add();
  }
  return number;
}

function attemptLine(attempt: TrafficAttempt, model: number, outcome: number): AttemptLine {
  const { costNanoUsd, inputTokens, outputTokens, heldTokens, firstTokenMs } = attempt;
  const cost = costNanoUsd <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(costNanoUsd) : costNanoUsd.toString();
  const line: (number | string)[] = [
    model,
    outcome,
    inputTokens,
    outputTokens,
    Math.round(attempt.latencyMs),
    cost,
    heldTokens - inputTokens - outputTokens,
    firstTokenMs === null ? 0 : Math.round(firstTokenMs) + 1,
    attempt.cachedInputTokens,
    attempt.cacheWriteTokens,
    attempt.reasoningTokens,
  ];
  while (line.length > 2 && line.at(-1) === 0) line.pop();
  return line;
}

const validLine = new Ajv2020({ strict: false }).compile<Line>(TRAFFIC_SCHEMA);

/** Reads the header now and the runs when they are gone through. Throws TRAFFIC_INVALID or TRAFFIC_NEWER, with the line. */
export async function openTrafficFile(path: string): Promise<Traffic> {
  const open = (): Readable => createReadStream(path);
  let header: Header | undefined;
  for await (const [line] of linesOf(open(), path)) {
    if (line === undefined) continue;
    header = headerOf(line, path);
    break;
  }
  if (header === undefined) throw invalid(path, 1, 'the file is empty');
  const { fromMs, toMs, hashed } = header;
  return { fromMs, toMs, hashed, runs: () => runsOf(linesOf(open(), path), path) };
}

/** The lines that came with each piece of the file: a step of an asynchronous loop for each line would cost more than the line. */
async function* linesOf(source: Readable, path: string): AsyncGenerator<readonly string[]> {
  const text = createGunzip().setEncoding('utf8');
  const fail = (error: Error): void => void text.destroy(error);
  source.on('error', fail).pipe(text);
  let rest = '';
  try {
    for await (const piece of text as AsyncIterable<string>) {
      const lines = `${rest}${piece}`.split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LONGEST_LINE) throw new Error('a line of it has no end');
      yield lines;
    }
    if (rest !== '') yield [rest];
  } catch (error) {
    if (error instanceof HeadgateError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR')
      throw new HeadgateError(
        'TRAFFIC_UNREADABLE',
        `${path} cannot be read (${code})`,
        'Name a file that `headgate traffic export` wrote.',
        { cause: error },
      );
    throw new HeadgateError(
      'TRAFFIC_INVALID',
      `${path} is damaged or no gzip file: ${error instanceof Error ? error.message : 'unknown'}`,
      'Export it again with `headgate traffic export`.',
      { cause: error },
    );
  } finally {
    source.destroy();
    text.destroy();
  }
}

function invalid(path: string, line: number, reason: string): HeadgateError {
  return new HeadgateError(
    'TRAFFIC_INVALID',
    `${path}, line ${line}: ${reason}`,
    'Export it again with `headgate traffic export`; schema/traffic.json tells the format.',
  );
}

function parsed(text: string, path: string, number: number): Line {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(path, number, 'it is no JSON');
  }
  if (!validLine(value)) {
    const [problem] = validLine.errors ?? [];
    throw invalid(
      path,
      number,
      `${problem?.instancePath ?? ''} ${problem?.message ?? 'it is not valid'}`.trim(),
    );
  }
  return value;
}

function headerOf(text: string, path: string): Header {
  let version: unknown;
  try {
    ({ version } = JSON.parse(text) as Partial<Header>);
  } catch {
    throw invalid(path, 1, 'it is no JSON');
  }
  if (typeof version === 'number' && version > TRAFFIC_VERSION)
    throw new HeadgateError(
      'TRAFFIC_NEWER',
      `${path} is traffic of version ${version}; this Headgate reads ${TRAFFIC_VERSION}`,
      'Update Headgate, or export the traffic with this version.',
    );
  const line = parsed(text, path, 1);
  if (!('headgate' in line)) throw invalid(path, 1, 'it has no header of a traffic file');
  return line;
}

async function* runsOf(pieces: AsyncIterable<readonly string[]>, path: string): AsyncGenerator<TrafficRun> {
  const names: string[] = [];
  const whos: TrafficCaller[] = [];
  const models: { readonly model: string; readonly rates: string }[] = [];
  /** The inputs' numbers, of the newest runs. */
  const inputs = new Float64Array(INPUTS_KEPT);
  let number = 0;
  let runs = 0;
  let atMs = 0;
  for await (const lines of pieces)
    for (const text of lines) {
      number += 1;
      if (number === 1) {
        atMs = headerOf(text, path).fromMs;
        continue;
      }
      const line = parsed(text, path, number);
      const known = <Value>(list: readonly Value[], index: number): Value => {
        const value = list[index];
        if (value === undefined)
          throw invalid(path, number, `it refers to number ${index} of a list that has ${list.length}`);
        return value;
      };
      if ('name' in line) names.push(line.name);
      else if ('who' in line) {
        const [name, team, tier, tags] = line.who;
        whos.push({ name, team, tier, tags });
      } else if ('model' in line) models.push({ model: line.model[0], rates: line.model[1] });
      else if ('headgate' in line) throw invalid(path, number, 'it is a second header');
      else {
        const [sinceMs, task, who, same, outcome, latencyMs, ...steps] = line;
        atMs += sinceMs;
        const isKnown = same > 0 && same < INPUTS_KEPT && same <= runs;
        const input = isKnown ? (inputs[(runs - same) % INPUTS_KEPT] ?? runs) : runs;
        inputs[runs % INPUTS_KEPT] = input;
        runs += 1;
        yield {
          atMs,
          task: known(names, task),
          who: known(whos, who),
          input,
          outcome: known(names, outcome),
          latencyMs,
          steps: steps.map(([step, rule, ...attempts]): TrafficStep => ({
            path: known(names, step),
            skipped: rule === undefined,
            rule: rule === undefined || rule === -1 ? null : known(names, rule),
            attempts: attempts.map((attempt) => {
              const [model = 0, ended = 0, ...rest] = attempt;
              const count = (index: number): number => Number(rest[index] ?? 0);
              const firstToken = count(5);
              return {
                ...known(models, Number(model)),
                outcome: known(names, Number(ended)) as TrafficAttempt['outcome'],
                inputTokens: count(0),
                outputTokens: count(1),
                latencyMs: count(2),
                costNanoUsd: BigInt(rest[3] ?? 0),
                heldTokens: count(4) + count(0) + count(1),
                firstTokenMs: firstToken === 0 ? null : firstToken - 1,
                cachedInputTokens: count(6),
                cacheWriteTokens: count(7),
                reasoningTokens: count(8),
              };
            }),
          })),
        };
      }
    }
}
