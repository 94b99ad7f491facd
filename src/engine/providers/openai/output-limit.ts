// What the limit of output tokens is called: `max_completion_tokens` at OpenAI, `max_tokens` at nearly everyone who speaks its protocol.
import type { PlanProvider } from '../../../language/plan/types.ts';

export type OutputLimitName = 'max_tokens' | 'max_completion_tokens';

/** Hosts that are known to want the newer name. */
const NEWER =
  /(?:^|\.)(?:openai\.com|openai\.azure\.com|services\.ai\.azure\.com|cognitiveservices\.azure\.com|openrouter\.ai)$/;

/** Behind whatever address they are reached. */
function isNewer(vendor: PlanProvider['vendor'] | undefined): boolean {
  return vendor === 'azure' || vendor === 'openrouter';
}

/**
 * Which name to send. A wrong one is worse than an error: Ollama takes `max_completion_tokens` without a word and then writes without
 * end, which no hold covers (INV-2). So the older name goes to every host that is not known to want the newer one. OpenAI's
 * reasoning models behind a gateway refuse the older name, others the newer; both say so, and it is remembered.
 */
export class OutputLimitNames {
  readonly #usual: OutputLimitName;
  readonly #isFixed: boolean;
  /** By model; a plan's models are few (INV-14). */
  readonly #learnt = new Map<string, OutputLimitName>();

  constructor(baseUrl: string, lacks: PlanProvider['lacks'], vendor?: PlanProvider['vendor']) {
    this.#isFixed = lacks.includes('maxCompletionTokens');
    this.#usual =
      !this.#isFixed && (isNewer(vendor) || NEWER.test(URL.parse(baseUrl)?.hostname ?? ''))
        ? 'max_completion_tokens'
        : 'max_tokens';
  }

  of(model: string): OutputLimitName {
    return this.#learnt.get(model) ?? this.#usual;
  }

  /** true: the message refuses the name that was sent, and the next call will use the other. */
  learn(model: string, status: number, message: string): boolean {
    const sent = this.of(model);
    if (this.#isFixed || this.#learnt.has(model) || (status !== 400 && status !== 422)) return false;
    if (!new RegExp(`\\b${sent}\\b`).test(message) || !REFUSED.test(message)) return false;
    this.#learnt.set(model, sent === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens');
    return true;
  }
}

/** As a refused name is worded. */
const REFUSED =
  /unsupported|not supported|unknown|unrecognized|unexpected|extra[_ ]|not permitted|not allowed|forbidden/i;
