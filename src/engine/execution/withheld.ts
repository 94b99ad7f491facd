// What is said of a provider's failure where the task does not keep its texts: providers quote in their errors what they were sent.
import { redactText } from '../../common/redact-text.ts';
import type { PlanTask } from '../../language/plan/types.ts';
import type { ProviderError } from '../providers/port.ts';

/** Their words are our own: they name a limit, and quote nobody. */
const OWN_WORDS: ReadonlySet<ProviderError['class']> = new Set([
  'cancelled',
  'timeout',
  'first_token_timeout',
  'stalled',
]);

/**
 * The error as files, logs, alerts and the answer may have it: under `hash` without the provider's text, under `redacted` without what names a
 * person or opens a door. Class, status, advice and what was billed stay.
 */
export function withheldError(
  error: ProviderError,
  content: PlanTask['retain']['content'],
  provider: string,
): ProviderError {
  if (content === 'full' || OWN_WORDS.has(error.class)) return error;
  if (content === 'redacted') return { ...error, message: redactText(error.message) };
  const status = error.status === null ? '' : ` ${error.status}`;
  return {
    ...error,
    message: `${provider}:${status} ${error.class.replaceAll('_', ' ')}; its text is not kept (retain: hash)`,
  };
}
