// Redaction: no text that leaves a provider's folder holds a key (INV-9).

export const REDACTED = '[redacted]';

/** Shorter values are not treated as secrets: replacing every "a" would hide nothing and destroy the message. */
export const MIN_SECRET_CHARACTERS = 6;

/** What looks like somebody's key, even if it is not the one that was sent: `sk-…`, `Bearer …`, `api_key=…`, `//user:password@`. */
const KEY_SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b(?:sk|pk|rk|hg|xai|gsk)[-_][A-Za-z0-9_*-]{8,}/g, REDACTED],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=*-]{8,}/gi, `$1 ${REDACTED}`],
  [/\b((?:x-)?api[-_]?key["']?\s*[:=]\s*["']?)[^\s"',;&]{6,}/gi, `$1${REDACTED}`],
  [/\/\/[^/\s:@]+:[^/\s@]+@/g, `//${REDACTED}@`],
];

export interface Redactor {
  /** Replaces the secrets that were given: for answers, which may rightly speak of keys in general. */
  readonly exact: (text: string) => string;
  /** That, and whatever is shaped like a key: for messages. */
  readonly message: (text: string) => string;
  /** Every form of the secrets; the longest first. */
  readonly forms: readonly string[];
}

/**
 * Knows each secret also URL-encoded, JSON-escaped and in base64. `names` stand in the workflow files, of a provider and its models: what is one of them hides nothing, even where a key of a server on this
 * machine is the same word, or a name is shaped like a key.
 */
export function createRedactor(secrets: readonly string[], names: readonly string[] = []): Redactor {
  const isName = (text: string): boolean => names.some((name) => name.includes(text));
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET_CHARACTERS || isName(secret)) continue;
    forms.add(secret);
    forms.add(encodeURIComponent(secret));
    forms.add(JSON.stringify(secret).slice(1, -1));
    forms.add(Buffer.from(secret).toString('base64'));
    forms.add(Buffer.from(secret).toString('base64url'));
  }
  // The longest first: a form may be a part of another.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  const exact = (text: string): string => {
    let result = text;
    for (const form of ordered) if (result.includes(form)) result = result.replaceAll(form, REDACTED);
    return result;
  };
  return {
    exact,
    message(text) {
      let result = exact(text);
      for (const [shape, replacement] of KEY_SHAPES)
        result = result.replace(shape, (found, before: string) =>
          isName(found) ? found : replacement.replace('$1', () => before),
        );
      return result;
    },
    forms: ordered,
  };
}
