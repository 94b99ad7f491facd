// Takes out of texts what names a person or opens a door: addresses, numbers of cards, accounts and phones, keys.
import type { Json } from './json.ts';

/** Each is linear on any input: every repetition is bounded, or followed by what it cannot match itself. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:sk|pk|rk|hg|ghp|gho|xox[abp]|AKIA|AIza)[-_]?[A-Za-z0-9_-]{16,}/g, '[secret]'],
  [/\bBearer [A-Za-z0-9._~+/=-]{8,}/g, 'Bearer [secret]'],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]+/g, '[secret]'],
  [/[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,253}/g, '[email]'],
  [/\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g, '[account]'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, '[address]'],
  // Nine digits and more, with the marks that people put between them: cards, phones, customer numbers. A date has eight.
  [/\+?\d(?:[ ()/.-]{0,2}\d){8,40}/g, '[number]'],
];

export function redactText(text: string): string {
  let redacted = text;
  for (const [pattern, mark] of PATTERNS) redacted = redacted.replace(pattern, mark);
  return redacted;
}

/** The same value with its texts redacted; keys and numbers stay. */
export function redactJson(value: Json): Json {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map(redactJson);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, redactJson(member)]));
  return value;
}

/** JSON text → JSON text. */
export function redactJsonText(text: string): string {
  return JSON.stringify(redactJson(JSON.parse(text) as Json));
}
