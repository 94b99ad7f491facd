// What the YAML library complains about, said so that a person can mend it.
import type { ErrorCode, YAMLError } from 'yaml';

interface Wording {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  /** What the library says of a part that an earlier slip has put out of step. */
  readonly unspecific?: boolean;
}

const SYNTAX = 'yaml-syntax';

const NOT_LINED_UP: Wording = {
  code: SYNTAX,
  message: 'This line is not indented like its neighbours.',
  remedy: 'Line it up with the items above it; nested lines take two more spaces.',
};

const WORDINGS: Partial<Record<ErrorCode, Wording>> = {
  TAB_AS_INDENT: {
    code: 'yaml-tab',
    message: 'A tab is used as indentation.',
    remedy: 'Indent with spaces; YAML does not allow tabs there.',
  },
  BAD_INDENT: NOT_LINED_UP,
  BLOCK_AS_IMPLICIT_KEY: {
    code: SYNTAX,
    message: 'A second `: ` on this line reads as a nested map.',
    remedy: 'Put the value in quotes, or on lines of its own after `|`.',
  },
  MULTILINE_IMPLICIT_KEY: {
    code: SYNTAX,
    message: 'Text stands where a `key: value` line is expected.',
    remedy: 'Give the line a key, or put several lines of text after `|`.',
  },
  BAD_SCALAR_START: {
    code: SYNTAX,
    message: 'A value cannot start with this sign unless it is in quotes.',
    remedy: 'Put the value in quotes.',
  },
  BAD_DQ_ESCAPE: {
    code: SYNTAX,
    message: 'This backslash sequence means nothing in a double-quoted text.',
    remedy: 'Write `\\\\` for a backslash, or use single quotes.',
  },
  RESOURCE_EXHAUSTION: {
    code: 'yaml-too-deep',
    message: 'The file is nested too deeply to be read.',
    remedy: 'Flatten it: no workflow needs more than 64 levels.',
  },
};

export function wordSyntaxProblem(code: ErrorCode, libraryMessage: string): Wording {
  if (code === 'BAD_INDENT' && /^flow /i.test(libraryMessage))
    return {
      code: SYNTAX,
      message: 'A bracket that opens here is not closed.',
      remedy: 'Close it with `]` or `}`; every bracket needs its own.',
    };
  if (/flow-(?:seq|map)-start at node end/.test(libraryMessage))
    return {
      code: SYNTAX,
      message: 'A bracket follows a text directly.',
      remedy: 'Put the text in quotes, `"string[]"`, or separate the two.',
    };
  const known = WORDINGS[code];
  if (known) return known;
  if (code === 'MISSING_CHAR' && libraryMessage.includes('quote')) {
    return {
      code: SYNTAX,
      message: 'A text in quotes is not closed.',
      remedy: 'Close the quotes; several lines of text stand best after `|`.',
    };
  }
  const sentence =
    libraryMessage
      .split('\n')[0]
      ?.replace(/ at line \d+, column \d+:?$/, '')
      .trim() ?? '';
  return {
    code: SYNTAX,
    unspecific: true,
    message: `The YAML cannot be read here: ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}.`,
    remedy:
      'Check quotes, brackets and indentation of this line and the one above it; put text with special signs in quotes.',
  };
}

interface Line {
  readonly start: number;
  readonly end: number;
  /** Of its first sign, from 0. */
  readonly column: number;
  readonly text: string;
}

/** The line that is at fault where the library points at another: it stops at what comes before, blank lines and comments too. */
export function culpritOf(
  { code, message, pos: [start] }: YAMLError,
  text: string,
): (Line & { readonly wording?: Wording }) | undefined {
  const here = lineAt(text, start);
  const next = contentFrom(text, here.end + 1);
  if (code === 'BAD_INDENT') return isContent(here) ? undefined : next;
  // One key and a text: the text goes on in the next line, which is indented as if it belonged to it.
  if (code === 'BLOCK_AS_IMPLICIT_KEY' && here.text.split(/:\s/).length < 3)
    return { ...(next && next.column > here.column ? next : here), wording: NOT_LINED_UP };
  if (!/unexpected scalar (?:token in YAML stream|at node end)/i.test(message)) return undefined;
  // `prompt: "… ${{ "a" + input.b }}"`: the text ended at the second quote.
  if (/:\s+"[^"]*\$\{\{[^"}]*"/.test(here.text))
    return {
      ...here,
      wording: {
        code: SYNTAX,
        message: 'A double quote inside the text in double quotes ends it.',
        remedy: "Write the texts inside `${{ }}` in single quotes: `'a'`; or put the whole after `|`.",
      },
    };
  const first = contentFrom(text, 0);
  if (!first || first.start >= here.start || /:(?:\s|$)/.test(first.text)) return undefined;
  return {
    ...first,
    wording: {
      code: SYNTAX,
      message: 'This line is no `key: value`.',
      remedy: 'Write a colon and a space between the key and its value.',
    },
  };
}

/** Without its indentation. */
function lineAt(text: string, offset: number): Line {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const found = text.indexOf('\n', offset);
  const end = found === -1 ? text.length : found;
  const line = text.slice(lineStart, end);
  const column = line.length - line.trimStart().length;
  return { start: lineStart + column, end, column, text: line.trim() };
}

function isContent({ text }: Line): boolean {
  return text !== '' && !text.startsWith('#');
}

function contentFrom(text: string, offset: number): Line | undefined {
  for (let from = offset; from < text.length;) {
    const line = lineAt(text, from);
    if (isContent(line)) return line;
    from = line.end + 1;
  }
  return undefined;
}
