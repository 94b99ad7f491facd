// The names in a diff: quoted, with a time behind them, with prefixes or without.

export interface Names {
  readonly from: string;
  readonly to: string;
  /** Whether they are without the prefixes that they were written with (`a/`, `b/`, or one's own); `unknown`: the line does not tell where one ends. */
  readonly strip: 'none' | 'done' | 'unknown';
}

export function isName(name: string): boolean {
  return name !== '' && name !== '/dev/null';
}

/** As it stands after `---`: up to the tab before a time, unquoted. */
export function readName(written: string): string {
  const bare = written.replace(/\r$/, '');
  if (bare.startsWith('"')) return unquote(bare.slice(0, quoteEnd(bare)));
  const tab = bare.indexOf('\t');
  return (tab === -1 ? withoutTime(bare) : bare.slice(0, tab)).trimEnd();
}

/** A time takes no more than the end of the line: of many blanks before it none is passed twice. */
function withoutTime(line: string): string {
  const end = line.slice(-80);
  const at = end.search(/ \d{4}-\d\d-\d\d \d\d:\d\d.{0,40}$/);
  return at === -1 ? line : line.slice(0, line.length - end.length + at);
}

/** Behind the closing quote. */
function quoteEnd(text: string): number {
  for (let at = 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

/**
 * The rest of `diff --git`. Names may hold blanks, so it is cut where both halves are the same name: as they stand (`--no-prefix`), or without their first folders, which
 * then differ. Where they are two names, the lines that rename say them.
 */
export function namesOfGitLine(written: string): Names {
  const line = written.replace(/\r$/, '');
  if (line.startsWith('"') || line.endsWith('"')) {
    const [from, to] = quotedHalves(line);
    return sameName(from, to) ?? { from, to, strip: 'unknown' };
  }
  // Most prefixes are as long as each other.
  const middle = (line.length - 1) / 2;
  const halves = line[middle] === ' ' ? sameName(line.slice(0, middle), line.slice(middle + 1)) : undefined;
  if (halves !== undefined) return halves;
  for (let at = line.indexOf(' '); at !== -1; at = line.indexOf(' ', at + 1)) {
    const found = sameName(line.slice(0, at), line.slice(at + 1));
    if (found !== undefined) return found;
  }
  const at = line.lastIndexOf(' b/');
  const [from, to] = at === -1 ? [line, line] : [line.slice(0, at), line.slice(at + 1)];
  return { from, to, strip: 'unknown' };
}

function quotedHalves(line: string): readonly [string, string] {
  if (line.startsWith('"')) {
    const end = quoteEnd(line);
    return [unquote(line.slice(0, end)), readName(line.slice(end + 1))];
  }
  const at = line.indexOf(' "');
  return at === -1 ? [line, line] : [line.slice(0, at), unquote(line.slice(at + 1))];
}

function sameName(from: string, to: string): Names | undefined {
  if (from === to) return { from, to, strip: 'none' };
  const [one, other] = [from.indexOf('/'), to.indexOf('/')];
  // Of equal rests the lengths are equal: compared first, for a long line has many places to be cut at.
  if (one === -1 || other === -1 || from.length - one !== to.length - other) return undefined;
  if (from.slice(0, one) === to.slice(0, other)) return undefined;
  const name = from.slice(one + 1);
  return name !== '' && name === to.slice(other + 1) ? { from: name, to: name, strip: 'done' } : undefined;
}

/** Of `---` and `+++` alone. */
export function strippedPair(from: string, to: string): { readonly from: string; readonly to: string } {
  const same = from === to ? undefined : sameName(from, to);
  if (same !== undefined) return same;
  const isPrefixed = (name: string, prefix: string): boolean =>
    name === '/dev/null' || name.startsWith(prefix);
  for (const [one, other] of [
    ['a/', 'b/'],
    ['b/', 'a/'],
  ] as const)
    if (isPrefixed(from, one) && isPrefixed(to, other))
      return { from: without(from, one), to: without(to, other) };
  return { from, to };
}

function without(name: string, prefix: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

/** git writes names outside ASCII as octal bytes between quotes. */
function unquote(name: string): string {
  const bare = name.startsWith('"')
    ? name.slice(1, name.endsWith('"') && name.length > 1 ? -1 : undefined)
    : name;
  if (!bare.includes('\\')) return bare;
  const bytes: Buffer[] = [];
  for (const [, octal, escaped, plain] of bare.matchAll(/\\([0-7]{3})|\\(.)|([^\\]+)/gsu)) {
    if (octal !== undefined) bytes.push(Buffer.from([Number.parseInt(octal, 8) & 0xff]));
    else
      bytes.push(Buffer.from(escaped === undefined ? (plain ?? '') : (ESCAPES[escaped] ?? escaped), 'utf8'));
  }
  return Buffer.concat(bytes).toString('utf8');
}

const ESCAPES: { readonly [letter: string]: string } = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
};
