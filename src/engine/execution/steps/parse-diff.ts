// A unified diff, from git or not, inside a mail or not → its files, each with its own part of the diff.
import type { Chunk, File } from 'parse-diff';
import type { Json } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { Outcome } from '../../../common/outcome.ts';
import { isGenerated } from './generated-files.ts';

const GIT_HEADER = /^diff --git /m;
const BINARY = /^(?:Binary files .* differ|GIT binary patch)$/m;

/** Fails with the reason when there is text and no diff in it; an empty text is a diff of nothing. */
export async function parseDiffText(raw: string): Promise<Outcome<Json, string>> {
  const text = raw.replaceAll('\r\n', '\n');
  if (text.trim() === '') return succeed([]);
  const { default: parseDiff } = await import('parse-diff');
  const sections = GIT_HEADER.test(text)
    ? text.split(/^(?=diff --git )/m).filter((section) => section.startsWith('diff --git '))
    : [text];
  const files = sections.flatMap((section) => parseDiff(section).map((file) => fileOf(file, section)));
  if (files.length === 0) return fail('it has no "diff --git" line, and no "---", "+++" and "@@" lines');
  return succeed(files);
}

function fileOf(file: File, section: string): Json {
  const git = section.startsWith('diff --git ');
  const header = git ? section.slice(0, endOfHeader(section)) : '';
  const names = git ? renamedNames(header) : undefined;
  const from = names?.from ?? unquote(file.from ?? '');
  const to = names?.to ?? unquote(file.to ?? '');
  const path = to === '/dev/null' || to === '' ? from : to;
  const binary = git && file.chunks.length === 0 && BINARY.test(section);
  const patch = `${git ? header : `--- ${from}\n+++ ${to}\n`}${file.chunks.map(chunkText).join('')}`;
  return {
    path,
    oldPath: from === '/dev/null' || from === '' ? path : from,
    status: statusOf(file, header, from, to),
    patch: patch.trimEnd(),
    additions: file.additions,
    deletions: file.deletions,
    binary,
    generated: isGenerated(path, addedText(file)),
  };
}

/** Where the first hunk, or the binary data, begins. */
function endOfHeader(section: string): number {
  const start = section.search(/^(?:@@ |GIT binary patch$)/m);
  if (start !== -1) return start;
  // The end of a mailed patch: a signature line, then the version of git.
  const signature = section.search(/^-- $/m);
  return signature === -1 ? section.length : signature;
}

function chunkText({ content, changes }: Chunk): string {
  return `${content}\n${changes.map((change) => `${change.content}\n`).join('')}`;
}

function renamedNames(header: string): { readonly from: string; readonly to: string } | undefined {
  const match = /^(?:rename|copy) from (.+)\n(?:rename|copy) to (.+)$/m.exec(header);
  return match === null ? undefined : { from: unquote(match[1] ?? ''), to: unquote(match[2] ?? '') };
}

function statusOf(file: File, header: string, from: string, to: string): string {
  if (/^copy from /m.test(header)) return 'copied';
  if (/^rename from /m.test(header)) return 'renamed';
  if (file.new === true || from === '/dev/null') return 'added';
  return file.deleted === true || to === '/dev/null' ? 'deleted' : 'modified';
}

/** The first added lines: a file's own word that it is generated stands at its top. */
function addedText({ chunks }: File): string {
  const lines: string[] = [];
  for (const { changes, newStart } of chunks) {
    if (newStart > 20) break;
    for (const change of changes) {
      if (change.type !== 'del') lines.push(change.content.slice(1));
      if (lines.length >= 20) return lines.join('\n');
    }
  }
  return lines.join('\n');
}

/** git writes names outside ASCII as octal bytes between quotes. */
function unquote(name: string): string {
  const bare = name.startsWith('"') && name.endsWith('"') ? name.slice(1, -1) : name;
  if (!bare.includes('\\')) return bare;
  const bytes: number[] = [];
  for (const [, octal, escaped, plain] of bare.matchAll(/\\([0-7]{3})|\\(.)|([^\\])/gsu)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8) & 0xff);
    else
      bytes.push(
        ...Buffer.from(escaped === undefined ? (plain ?? '') : (ESCAPES[escaped] ?? escaped), 'utf8'),
      );
  }
  return Buffer.from(bytes).toString('utf8');
}

const ESCAPES: { readonly [letter: string]: string } = { n: '\n', t: '\t', r: '\r', '"': '"', '\\': '\\' };
