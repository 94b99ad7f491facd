// Recorded answers: what providers said to exact requests, kept in a file beside the workflow.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { canonicalJson, sha256Hex } from '../../common/json.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import type { CallOutcome, ModelRequest } from '../../engine/providers/port.ts';

interface AnswersFile {
  readonly headgateAnswers: 1;
  /** By the hash of the request, in the order of the hashes: a new recording changes only its own lines. */
  readonly answers: { readonly [request: string]: RecordedAnswer };
}

export interface RecordedAnswer {
  /** `provider/model`. */
  readonly model: string;
  /** The beginning of the prompt, for those who read the file. */
  readonly prompt: string;
  readonly outcome: CallOutcome;
}

const SHOWN_PROMPT = 120;

/** Everything that an answer depends on. */
function requestHash(provider: string, request: ModelRequest): string {
  const { model, system, prompt, maxOutputTokens, temperature, structured } = request;
  return sha256Hex(
    canonicalJson({ provider, model, system, prompt, maxOutputTokens, temperature, structured }),
  ).slice(0, 32);
}

export class Answers {
  readonly path: string;
  readonly #answers: Map<string, RecordedAnswer>;
  readonly #used = new Set<string>();
  #changed = false;

  private constructor(path: string, answers: Map<string, RecordedAnswer>) {
    this.path = path;
    this.#answers = answers;
  }

  /** A file that is not there holds no answers. Throws a HeadgateError on one that is no such file. */
  static async read(path: string): Promise<Answers> {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch {
      return new Answers(path, new Map());
    }
    try {
      const file = JSON.parse(text) as AnswersFile;
      if (file.headgateAnswers !== 1) throw new Error('another format');
      return new Answers(path, new Map(Object.entries(file.answers)));
    } catch (error) {
      throw new HeadgateError(
        'ANSWERS_UNREADABLE',
        `${path} is not a file of recorded answers`,
        'Delete it and run "headgate test --record".',
        { cause: error },
      );
    }
  }

  find(provider: string, request: ModelRequest): CallOutcome | undefined {
    const hash = requestHash(provider, request);
    this.#used.add(hash);
    return this.#answers.get(hash)?.outcome;
  }

  /** Is anything of this provider recorded? */
  knows(provider: string): boolean {
    return [...this.#answers.values()].some(({ model }) => model.startsWith(`${provider}/`));
  }

  record(provider: string, request: ModelRequest, outcome: CallOutcome): void {
    const hash = requestHash(provider, request);
    this.#used.add(hash);
    const prompt =
      request.prompt.length > SHOWN_PROMPT ? `${request.prompt.slice(0, SHOWN_PROMPT)}…` : request.prompt;
    this.#answers.set(hash, { model: `${provider}/${request.model}`, prompt, outcome });
    this.#changed = true;
  }

  /** After a recording: writes what the tests asked for, and drops what no test asks for any more. */
  async save(): Promise<void> {
    if (!this.#changed) return;
    const kept = [...this.#answers]
      .filter(([hash]) => this.#used.has(hash))
      .toSorted(([left], [right]) => (left < right ? -1 : 1));
    const file: AnswersFile = { headgateAnswers: 1, answers: Object.fromEntries(kept) };
    await mkdir(dirname(this.path), { recursive: true });
    await writeFile(this.path, `${JSON.stringify(file, null, 2)}\n`);
  }
}
