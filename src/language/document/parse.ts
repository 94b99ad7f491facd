// YAML text → Document: values with their places. Collects problems and never throws.
import { formatThousands } from '../../common/units.ts';
import { parseAllDocuments, visit } from 'yaml';
import type { Document as YamlDocument, Range, YAMLError } from 'yaml';
import type { Place } from '../../errors/place.ts';
import type { Problem } from '../../errors/problem.ts';
import { NodeReader, oddSpace } from './read-nodes.ts';
import { maskPlaceholders } from './mask.ts';
import type { Masked } from './mask.ts';
import { SourceMap } from './source-map.ts';
import { culpritOf, wordSyntaxProblem } from './syntax-problems.ts';
import type { ParsedDocument, SourceFile } from './types.ts';

/** No workflow that a person reviews is larger; what the parser can be made to do stays a matter of milliseconds. */
export const MAX_FILE_CHARACTERS = 256 * 1024;
const MAX_DEPTH = 64;
const MAX_PROBLEMS_PER_FILE = 50;

/**
 * Reads one file. The language takes YAML 1.2 core without anchors, aliases, merge keys, tags or several documents in one file:
 * each of these is a problem of its own.
 */
export function parseDocument(file: SourceFile): ParsedDocument {
  // A byte order mark is the YAML library's to skip: a blank in its place would indent the first key. It is only not shown.
  const { text } = file;
  const map = new SourceMap(file.path, text.startsWith('\uFEFF') ? ` ${text.slice(1)}` : text);
  const problems: Problem[] = [];
  const report: Report = (code, at, message, remedy) => {
    if (problems.length < MAX_PROBLEMS_PER_FILE)
      problems.push({ code, severity: 'error', message, remedy, ...at });
  };

  const refusal = file.unread ?? refuse(text);
  if (refusal) {
    report(refusal.code, map.place(refusal.offset, refusal.offset + 1), refusal.message, refusal.remedy);
    return { document: null, problems };
  }
  const masked = maskPlaceholders(text);
  const documents = compose(masked);
  const first = documents?.[0];
  if (documents === null) {
    report(
      'yaml-too-deep',
      map.place(0, 1),
      'The file is nested too deeply to be read.',
      `Flatten it: no workflow needs more than ${MAX_DEPTH} levels.`,
    );
    return { document: null, problems };
  }
  if (first === undefined) {
    reportEmpty(map, report);
    return { document: null, problems };
  }
  reportSyntax(first, map, report, masked);
  const second = documents[1];
  if (second) {
    const start = second.range[0];
    report(
      'yaml-several-documents',
      map.place(start, start + 3),
      'The file holds more than one YAML document.',
      'Put each task in a file of its own, without `---` between them.',
    );
  }
  if (first.errors.length > 0) return { document: null, problems };
  if (first.contents === null) {
    reportEmpty(map, report);
    return { document: null, problems };
  }
  const reader = new NodeReader(text, masked, map, report, MAX_DEPTH);
  const document = reader.read(first.contents);
  return { document: reader.incomplete ? null : document, problems };
}

interface UnreadableText {
  readonly code: string;
  readonly offset: number;
  readonly message: string;
  readonly remedy: string;
}

/** What is refused before the YAML library sees it: each could make it slow, or is invisible to the person who reads the file. */
function refuse(text: string): UnreadableText | undefined {
  if (text.length > MAX_FILE_CHARACTERS) {
    const message = `The file has ${formatThousands(text.length)} characters; at most ${formatThousands(MAX_FILE_CHARACTERS)} are read.`;
    return {
      code: 'yaml-too-large',
      offset: 0,
      message,
      remedy: 'Split it, or move long texts into the input of the task.',
    };
  }
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u202a-\u202e\u2066-\u2069]/.exec(text);
  if (control) {
    const name = `U+${control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
    return {
      code: 'yaml-control-character',
      offset: control.index,
      message: `The invisible character ${name} stands here.`,
      remedy: 'Delete it; a text that needs it can write it as an escape in double quotes.',
    };
  }
  const conflict = /^<{7} .*$/m.exec(text);
  if (conflict) {
    return {
      code: 'yaml-syntax',
      offset: conflict.index,
      message: 'A merge conflict of git stands in the file.',
      remedy: 'Keep one of the two sides, and remove the lines of `<<<<<<<`, `=======` and `>>>>>>>`.',
    };
  }
  const deep = deepNesting(text);
  if (deep !== -1) {
    return {
      code: 'yaml-too-deep',
      offset: deep,
      message: 'The file is nested too deeply to be read.',
      remedy: `Flatten it: no workflow needs more than ${MAX_DEPTH} levels.`,
    };
  }
  return undefined;
}

/** The offset where opening signs outnumber closing ones by more than any honest file: the parser would go as deep. */
function deepNesting(text: string): number {
  let flow = 0;
  let dashes = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 91 || code === 123) flow += 1;
    else if ((code === 93 || code === 125) && flow > 0) flow -= 1;
    if (code === 10) dashes = 0;
    else if ((code === 45 || code === 63) && /\s/.test(text.charAt(index + 1))) dashes += 1;
    if (flow > 4 * MAX_DEPTH || dashes > 4 * MAX_DEPTH) return index;
  }
  return -1;
}

function compose(masked: Masked): readonly YamlDocument.Parsed[] | null {
  // The library makes an Error of each complaint; without their stack traces a hostile file costs a tenth.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return parseAllDocuments(masked.text, OPTIONS) as readonly YamlDocument.Parsed[]; // an empty stream is an empty array with a flag
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const OPTIONS = {
  prettyErrors: false,
  version: '1.2',
  schema: 'core',
  merge: false,
  stringKeys: false,
  uniqueKeys: false,
  logLevel: 'silent',
} as const;

type Report = (code: string, at: Place, message: string, remedy: string) => void;

/** One slip makes the library complain several times about the same line; the first complaint is the one to mend. */
function onePerLine(errors: readonly YAMLError[], map: SourceMap): readonly YAMLError[] {
  const lines = new Set<number>();
  return errors.filter((error) => {
    const line = map.line(error.pos[0]);
    if (lines.has(line)) return false;
    lines.add(line);
    return true;
  });
}

function reportEmpty(map: SourceMap, report: Report): void {
  report(
    'yaml-empty',
    map.place(0, 1),
    'The file is empty.',
    'Write a task (`task: name`) or delete the file.',
  );
}

function reportSyntax(document: YamlDocument.Parsed, map: SourceMap, report: Report, masked: Masked): void {
  let before = false;
  for (const error of onePerLine(document.errors, map)) {
    const [start, end] = error.pos;
    const wording = wordSyntaxProblem(error.code, masked.restore(error.message));
    if (wording.unspecific && before) continue;
    before = true;
    const odd = oddIndentation(map.place(start, end));
    if (odd !== undefined) {
      report('yaml-control-character', odd.at, odd.message, 'Indent with plain spaces.');
      continue;
    }
    const opening = openingOf(error, document);
    const culprit = opening === undefined ? culpritOf(error, masked.text) : undefined;
    if (culprit) {
      const { code, message, remedy } = culprit.wording ?? wording;
      report(code, map.place(culprit.start, culprit.end), message, remedy);
      continue;
    }
    const at = opening === undefined ? map.place(start, end) : map.place(opening, opening + 1);
    report(wording.code, at, wording.message, wording.remedy);
    // What is not closed takes in all that follows: nothing sure can be said about the rest.
    if (opening !== undefined) return;
  }
}

/** What an editor shows as a blank, and YAML does not take for one. */
function oddIndentation(at: Place): { readonly at: Place; readonly message: string } | undefined {
  const indentation = /^ */.exec(at.excerpt)?.[0].length ?? 0;
  const odd = oddSpace(at.excerpt.slice(indentation).trimEnd().slice(0, 1));
  if (odd === undefined) return undefined;
  const column = indentation + 1;
  return {
    at: { ...at, column, endColumn: column + 1 },
    message: `The ${odd.name} stands in the indentation.`,
  };
}

/** Where the text or the bracket begins that is not closed: the library notices only where it should have ended. */
function openingOf({ code, message, pos }: YAMLError, document: YamlDocument.Parsed): number | undefined {
  const quote = code === 'MISSING_CHAR' && message.includes('quote');
  const bracket = code === 'BAD_INDENT' && /^flow /i.test(message);
  if (!quote && !bracket) return undefined;
  let found: number | undefined;
  const consider = (range: Range | null | undefined): void => {
    if (range && range[0] <= pos[0] && range[2] >= pos[0] - 1) found = range[0];
  };
  visit(document, {
    Scalar: (_key, node) => {
      if (quote && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE')) consider(node.range);
    },
    Collection: (_key, node) => {
      if (bracket && node.flow) consider(node.range);
    },
  });
  return found;
}
