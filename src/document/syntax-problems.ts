// What the YAML library complains about, said so that a person can mend it.
import type { ErrorCode } from 'yaml';

interface Wording {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  /** What the library says of a part that an earlier slip has put out of step. */
  readonly unspecific?: boolean;
}

const SYNTAX = 'yaml-syntax';

const WORDINGS: Partial<Record<ErrorCode, Wording>> = {
  TAB_AS_INDENT: {
    code: 'yaml-tab',
    message: 'A tab is used as indentation.',
    remedy: 'Indent with spaces; YAML does not allow tabs there.',
  },
  BAD_INDENT: {
    code: SYNTAX,
    message: 'This line is not indented like its neighbours.',
    remedy: 'Line it up with the items above it; nested lines take two more spaces.',
  },
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
