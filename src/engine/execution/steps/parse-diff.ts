// A unified diff, from git or not, inside a mail or not → its files, each with its own part of the diff. One pass over the lines.
import type { Json } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { Outcome } from '../../../common/outcome.ts';
import { isName, namesOfGitLine, readName, strippedPair } from './diff-names.ts';
import type { Names } from './diff-names.ts';
import { isGenerated } from './generated-files.ts';

const MAX_FILES = 20_000;
/** Two paths of 4,096 bytes, each of which may be written as four. */
const MAX_HEADER_LINE = 40_000;

// oxlint-disable-next-line no-control-regex -- the escape sign is what colours begin with
const COLOUR = /\u001b\[[0-9;]*[mK]/g;
// oxlint-disable-next-line no-control-regex -- the same
const COLOURED_HEADER = /^(?:\u001b\[[0-9;]*m)+(?:diff --|--- |\+\+\+ |@@)/m;
const HUNK = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/;
const COMBINED_HUNK = /^(@@@+) ((?:-\d{1,9}(?:,\d{1,9})? )+)\+\d{1,9}(?:,(\d{1,9}))? @@@+/;

/** Fails with the reason when there is text and no diff in it; an empty text is a diff of nothing. */
export function parseDiffText(raw: string): Outcome<Json, string> {
  if (raw.trim() === '') return succeed([]);
  const lines = linesOf(raw);
  const reader = new DiffReader(lines);
  const problem = reader.read();
  if (problem !== undefined) return fail(problem);
  if (reader.files.length === 0)
    return fail('it has no "diff --git" line, and no "---", "+++" and "@@" lines');
  return succeed(reader.files);
}

/** Without colours; and without the line ends of the way it came, where its own header lines have them too. */
function linesOf(raw: string): readonly string[] {
  const text = raw.includes('\u001b') && COLOURED_HEADER.test(raw) ? raw.replaceAll(COLOUR, '') : raw;
  const isSentWithCr = /^(?:diff --git |\+\+\+ |@@+ -)[^\n]*\r$/m.test(text);
  return (isSentWithCr ? text.replaceAll('\r\n', '\n') : text).split('\n');
}

interface Draft {
  readonly kind: 'git' | 'combined' | 'plain';
  readonly firstLine: number;
  /** Behind what belongs to it. */
  endLine: number;
  names: Names | undefined;
  renamed: { from?: string; to?: string };
  from: string | undefined;
  to: string | undefined;
  status: 'added' | 'deleted' | 'renamed' | 'copied' | 'modified' | undefined;
  binary: boolean;
  hasHunks: boolean;
  additions: number;
  deletions: number;
  /** Of the top of the file: what stood there before, and what does now. */
  readonly kept: string[];
  readonly added: string[];
}

class DiffReader {
  readonly files: Json[] = [];
  readonly #lines: readonly string[];
  #at = 0;
  #draft: Draft | undefined;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  /** What is wrong with it. */
  read(): string | undefined {
    while (this.#at < this.#lines.length) {
      const problem = this.#line(this.#lines[this.#at] ?? '');
      if (problem !== undefined) return `line ${this.#at + 1}: ${problem}`;
      if (this.files.length > MAX_FILES) return `it has more than ${MAX_FILES} files`;
    }
    this.#end();
    return undefined;
  }

  #line(line: string): string | undefined {
    const next = this.#lines[this.#at + 1] ?? '';
    if (
      line.startsWith('diff --git ') ||
      line.startsWith('diff --cc ') ||
      line.startsWith('diff --combined ')
    ) {
      if (line.length > MAX_HEADER_LINE) return `its names have more than ${MAX_HEADER_LINE} signs`;
      this.#begin(line.startsWith('diff --git ') ? 'git' : 'combined');
      this.#nameBy(line);
    } else if (line.startsWith('Index: ')) {
      this.#begin('plain');
      this.#draftOf().to = readName(line.slice(7));
    } else if (line.startsWith('--- ') && next.startsWith('+++ ')) this.#fromAndTo(line, next);
    else if (
      /^\*\*\* \S/.test(line) &&
      next.startsWith('--- ') &&
      (this.#lines[this.#at + 2] ?? '').startsWith('***************')
    )
      return 'it is a context diff; send a unified one (`diff -u`, `git diff`)';
    else if (line.startsWith('@@ ') && this.#draft !== undefined && HUNK.test(line)) return this.#hunk(line);
    else if (line.startsWith('@@@') && this.#draft !== undefined && COMBINED_HUNK.test(line))
      return this.#combinedHunk(line);
    else this.#headerLine(line);
    this.#at += 1;
    return undefined;
  }

  #draftOf(): Draft {
    return (this.#draft ??= this.#new('plain'));
  }

  #begin(kind: Draft['kind']): void {
    this.#end();
    this.#draft = this.#new(kind);
  }

  #new(kind: Draft['kind']): Draft {
    return {
      kind,
      firstLine: this.#at,
      endLine: this.#at + 1,
      names: undefined,
      renamed: {},
      from: undefined,
      to: undefined,
      status: undefined,
      binary: false,
      hasHunks: false,
      additions: 0,
      deletions: 0,
      kept: [],
      added: [],
    };
  }

  #nameBy(line: string): void {
    const draft = this.#draftOf();
    if (draft.kind === 'git') draft.names = namesOfGitLine(line.slice('diff --git '.length));
    else {
      const name = readName(line.replace(/^diff --(?:cc|combined) /, ''));
      draft.names = { from: name, to: name, strip: 'none' };
    }
  }

  #fromAndTo(line: string, next: string): void {
    const open = this.#draft;
    // After hunks, or without a line before it that names the file: another file.
    if (open === undefined || open.hasHunks || open.binary || open.from !== undefined) this.#begin('plain');
    const draft = this.#draftOf();
    const [from, to] = [line.slice(4), next.slice(4)];
    draft.from = isNothing(from) ? '/dev/null' : readName(from);
    draft.to = isNothing(to) ? '/dev/null' : readName(to);
    this.#at += 1;
    draft.endLine = this.#at + 1;
  }

  #headerLine(line: string): void {
    const draft = this.#draft;
    if (draft === undefined) {
      this.#plainBinary(line);
      return;
    }
    if (draft.hasHunks) {
      this.#plainBinary(line);
      return;
    }
    const isHeader = this.#readHeaderLine(draft, line.replace(/\r$/, ''));
    if (isHeader && draft.endLine === this.#at) draft.endLine = this.#at + 1;
  }

  /** `Binary files a and b differ` of a diff that is not from git. */
  #plainBinary(line: string): void {
    const [, from, to] =
      /^Binary files (.{1,4096}) and (.{1,4096}) differ\r?$/.exec(line.slice(0, MAX_HEADER_LINE)) ?? [];
    if (from === undefined || to === undefined) return;
    this.#begin('plain');
    const draft = this.#draftOf();
    draft.from = readName(from);
    draft.to = readName(to);
    draft.binary = true;
  }

  #readHeaderLine(draft: Draft, line: string): boolean {
    if (line === 'GIT binary patch' || /^Binary files .* differ$/.test(line.slice(0, MAX_HEADER_LINE))) {
      draft.binary = true;
      return line !== 'GIT binary patch';
    }
    if (draft.binary) return false;
    const [, word = '', rest = ''] =
      /^(new file mode|deleted file mode|rename from|rename to|copy from|copy to|old mode|new mode|(?:dis)?similarity index|index|mode|={3,}$)(.*)$/.exec(
        line.slice(0, MAX_HEADER_LINE),
      ) ?? [];
    if (word === 'new file mode') draft.status = 'added';
    else if (word === 'deleted file mode') draft.status = 'deleted';
    else if (word.startsWith('rename') || word.startsWith('copy')) {
      draft.status = word.startsWith('rename') ? 'renamed' : 'copied';
      draft.renamed[word.endsWith('from') ? 'from' : 'to'] = readName(rest.slice(1));
    }
    return word !== '';
  }

  /** By the counts of its first line: whatever its lines look like, they are its lines. */
  #hunk(line: string): undefined {
    const draft = this.#draftOf();
    const [, , old = '1', start = '1', now = '1'] = HUNK.exec(line) ?? [];
    let [olds, news] = [Number(old), Number(now)];
    if (!draft.hasHunks && draft.status === undefined)
      draft.status = statusByCounts(draft, this.#lines, olds, news);
    draft.hasHunks = true;
    const isTop = Number(start) <= 20;
    this.#at += 1;
    for (; this.#at < this.#lines.length; this.#at += 1) {
      const text = this.#lines[this.#at] ?? '';
      const sign = text[0];
      if (sign !== '\\' && olds <= 0 && news <= 0) break;
      if (sign === '+') {
        news -= 1;
        draft.additions += 1;
        if (isTop) note(draft.added, text);
      } else if (sign === '-') {
        olds -= 1;
        draft.deletions += 1;
        if (isTop) note(draft.kept, text);
      } else if (sign === ' ' || sign === '\t' || text === '' || text === '\r') {
        // At the end of the text an empty line is its end; elsewhere it is a line without its blank.
        if (text === '' && this.#at === this.#lines.length - 1) break;
        olds -= 1;
        news -= 1;
        if (isTop) note(draft.kept, text);
      } else if (sign !== '\\') break;
    }
    draft.endLine = this.#at;
    return undefined;
  }

  /** Of a merge: a sign for each parent before each line. */
  #combinedHunk(line: string): undefined {
    const draft = this.#draftOf();
    const [, ats = '@@@', olds = '', now = '1'] = COMBINED_HUNK.exec(line) ?? [];
    const parents = ats.length - 1;
    const left = [...olds.matchAll(/-\d+(?:,(\d+))?/g)].map(([, count]) => Number(count ?? 1));
    let news = Number(now);
    draft.hasHunks = true;
    this.#at += 1;
    for (; this.#at < this.#lines.length; this.#at += 1) {
      const text = this.#lines[this.#at] ?? '';
      if (text.startsWith('\\')) continue;
      if (news <= 0 && left.every((count) => count <= 0)) break;
      const signs = text.slice(0, parents).padEnd(parents, ' ');
      if (!/^[ +-]*$/.test(signs) || (text === '' && this.#at === this.#lines.length - 1)) break;
      const isGone = signs.includes('-');
      for (const [at, sign] of signs.split('').entries())
        if (sign === (isGone ? '-' : ' ')) left[at] = (left[at] ?? 0) - 1;
      if (isGone) draft.deletions += 1;
      else {
        news -= 1;
        if (signs.includes('+')) draft.additions += 1;
      }
    }
    draft.endLine = this.#at;
    return undefined;
  }

  #end(): void {
    const draft = this.#draft;
    this.#draft = undefined;
    if (draft === undefined) return;
    // `Index:` and nothing else, or `---` and `+++` without a hunk, as in a text about diffs.
    if (draft.kind === 'plain' && !draft.hasHunks && !draft.binary) return;
    const { from, to } = namesOf(draft);
    const path = isName(to) ? to : from;
    const status =
      draft.status ?? (from === '/dev/null' ? 'added' : to === '/dev/null' ? 'deleted' : 'modified');
    const top = status === 'added' ? draft.added : draft.kept;
    this.files.push({
      path,
      oldPath: isName(from) ? from : path,
      status,
      patch: this.#lines.slice(draft.firstLine, draft.endLine).join('\n').replace(/\n+$/, ''),
      additions: draft.additions,
      deletions: draft.deletions,
      binary: draft.binary,
      generated: isGenerated(path, top),
    });
  }
}

/** What a diff calls a file that is not there: git, Subversion. */
function isNothing(written: string): boolean {
  return /^\/dev\/null\b/.test(written) || /\t\((?:nonexistent|revision 0)\)\s*$/.test(written.slice(-200));
}

/** `diff -N` gives a file that is not there the beginning of time. */
function statusByCounts(draft: Draft, lines: readonly string[], olds: number, news: number): Draft['status'] {
  const { kind, firstLine, endLine } = draft;
  if (kind !== 'plain') return undefined;
  const header = lines.slice(firstLine, endLine);
  const isEpoch = (sign: string): boolean =>
    header.some(
      (line) =>
        line.startsWith(sign) && /\t(?:1970-01-01|1969-12-31|Thu Jan 0?1 .*1970)/.test(line.slice(-60)),
    );
  if (olds === 0 && isEpoch('--- ')) return 'added';
  return news === 0 && isEpoch('+++ ') ? 'deleted' : undefined;
}

function namesOf({ kind, names, renamed, from, to }: Draft): { readonly from: string; readonly to: string } {
  if (renamed.from !== undefined && renamed.to !== undefined) return { from: renamed.from, to: renamed.to };
  if (kind === 'combined' && names !== undefined) return names;
  if (names !== undefined && names.strip !== 'unknown') {
    // The line `diff --git` says both, and whether they have prefixes.
    return {
      from: from === '/dev/null' ? from : names.from,
      to: to === '/dev/null' ? to : names.to,
    };
  }
  const [one, other] = [from ?? names?.from ?? to ?? '', to ?? names?.to ?? from ?? ''];
  return strippedPair(one, other);
}

/** The first lines, without their signs. */
function note(lines: string[], text: string): void {
  if (lines.length < 20) lines.push(text.slice(1));
}
