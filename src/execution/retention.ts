// What of a run's content is written down: all of it, a redacted form, or nothing but its hash.
import type { Json } from '../common/json.ts';
import type { PlanTask } from '../plan/types.ts';
import type { LiveRun } from './live-run.ts';
import type { StepRecord } from './records.ts';

/** Patterns of what names a person or opens a door; the more particular first. */
const SENSITIVE: readonly { readonly pattern: RegExp; readonly name: string }[] = [
  { pattern: /\b(?:sk|pk|rk|hg|ghp|gho|xox[abp]|AKIA|AIza)[-_]?[A-Za-z0-9_-]{16,}/g, name: 'key' },
  { pattern: /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, name: 'token' },
  { pattern: /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g, name: 'e-mail' },
  { pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b/g, name: 'iban' },
  { pattern: /\b(?:\d[ -]?){13,19}\b/g, name: 'card' },
  { pattern: /(?:\+|\b00)\d{1,3}[ ./-]?(?:\(?\d{1,5}\)?[ ./-]?){2,5}\d{2,}/g, name: 'phone' },
  { pattern: /\(?\b\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b/g, name: 'phone' },
  { pattern: /\b(?:\d{1,3}\.){3}\d{1,3}\b/g, name: 'ip' },
];

/** The value as `retain:` lets it be written; null: not at all. */
export function kept(value: Json | null, content: PlanTask['retain']['content']): Json | null {
  switch (content) {
    case 'full':
      return value;
    case 'redacted':
      return value === null ? null : redacted(value);
    case 'hash':
      return null;
  }
}

/** A step as it is written. A durable run needs its receipts whole: they are what it goes on from. */
export function keptStep(run: LiveRun, step: StepRecord): StepRecord {
  const { content } = run.linked.task.retain;
  return content === 'full' || run.record.durable ? step : { ...step, output: kept(step.output, content) };
}

function redacted(value: Json): Json {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(redacted);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, redacted(member)]));
}

/** Addresses, keys, numbers of cards, accounts and telephones become `[e-mail]`, `[key]`, … */
export function redactText(text: string): string {
  let result = text;
  for (const { pattern, name } of SENSITIVE) result = result.replace(pattern, `[${name}]`);
  return result;
}
