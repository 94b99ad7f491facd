// Redaction: no text that leaves a provider's folder holds a key (INV-9).

export const REDACTED = '[redacted]';

/** Shorter values are not treated as secrets: replacing every "a" would hide nothing and destroy the message. */
export const MIN_SECRET_CHARACTERS = 6;

/** What looks like somebody's key, even if it is not the one that was sent: `sk-…`, `Bearer …`, `api_key=…`, a JWT, `//user:password@`. */
const KEY_SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b(?:sk|pk|rk|hg|xai|gsk)[-_][A-Za-z0-9_*-]{8,}/g, REDACTED],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=*-]{8,}/gi, `$1 ${REDACTED}`],
  [/\b((?:x-)?api[-_]?key["']?\s*[:=]\s*["']?)[^\s"',;&]{6,}/gi, `$1${REDACTED}`],
  // Tokens of clouds and of others: JWT, Google, AWS, GitHub, GitLab, Slack, NVIDIA, Replicate, Stripe.
  [/\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?/g, REDACTED],
  [/\bAIza[A-Za-z0-9_-]{20,}|\bya29\.[A-Za-z0-9._-]{10,}/g, REDACTED],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g, REDACTED],
  [/\b(?:gh[pousr]_|github_pat_|glpat-|xox[abposr]-|nvapi-|r8_|whsec_)[A-Za-z0-9_-]{8,}/g, REDACTED],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, REDACTED],
  // "token=…", `"access_token": "…"`, "password: …".
  [
    /\b((?:access|refresh|auth|id|session|bearer)[-_ ]?token|secret|client[-_]secret|password|passwd|signature|sig)(["']?\s*[:=]\s*["']?)(?!\[redacted\])[^\s"',;&]{6,}/gi,
    `$1$2${REDACTED}`,
  ],
  // "Incorrect API key provided: 0123…": whatever stands after the colon.
  [/\b(api[- ]?key(?: provided)?\s*[:=]\s*["']?)(?!\[redacted\])[^\s"',;&]{6,}/gi, `$1${REDACTED}`],
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
