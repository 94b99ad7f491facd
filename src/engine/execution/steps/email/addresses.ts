// The addresses of a field, after RFC 5322: names are decoded after the addresses were read, never before (RFC 2047, section 6.2).
import { decodeText, printable, WORD_HERE } from './headers.ts';

export interface Address {
  readonly name: string;
  readonly address: string;
}

type Token =
  | { readonly kind: 'word' | 'quoted' | 'comment'; readonly text: string; readonly spaced: boolean }
  | { readonly kind: 'special'; readonly text: string; readonly spaced: boolean };

/** Members of a group are addresses like the others; what has neither a name nor an address is left out. */
export function readAddresses(value: string): Address[] {
  const found: Address[] = [];
  let some: Token[] = [];
  let inAngle = false;
  let isRoute = false;
  const end = (): void => {
    const one = addressOf(some);
    if (one.name !== '' || one.address !== '') found.push(one);
    some = [];
    inAngle = false;
  };
  for (const token of tokens(value)) {
    if (token.kind === 'special') {
      if (token.text === '<') {
        inAngle = true;
        isRoute = false;
      }
      if (token.text === '>') inAngle = false;
      if (token.text === ',' || token.text === ';') {
        // In a source route (`<@a,@b:jo@c>`) a comma is part of it; nowhere else.
        if (inAngle && token.text === ',' && isRoute) continue;
        end();
        continue;
      }
      if (token.text === ':' && !inAngle) {
        // The name of a group.
        some = [];
        continue;
      }
    }
    const before = some.at(-1);
    if (before?.kind === 'special' && before.text === '<') isRoute = token.text.startsWith('@');
    some.push(token);
  }
  end();
  return found;
}

const SPECIALS = '<>,;:';
/** An encoded word may follow without a blank. */
const WORD_END = /[\s<>,;:"()]|=\?/g;
const DOMAIN_LITERAL = /[^\s<>,;:"()[\]]{0,256}\[[0-9a-z:.]{2,64}\]/iy;

function* tokens(value: string): Generator<Token> {
  let at = 0;
  let spaced = false;
  while (at < value.length) {
    const sign = value[at] as string;
    if (/\s/.test(sign)) {
      spaced = true;
      at += 1;
      continue;
    }
    let end = at + 1;
    let kind: Token['kind'] = 'word';
    let text = sign;
    WORD_HERE.lastIndex = at;
    if (SPECIALS.includes(sign)) kind = 'special';
    else if (sign === '"') {
      kind = 'quoted';
      end = quotedEnd(value, at);
      text = value.slice(at, end);
    } else if (sign === '(') {
      kind = 'comment';
      end = commentEnd(value, at);
      text = value.slice(at + 1, end - 1);
    } else if (sign === '=' && WORD_HERE.test(value)) {
      // Whatever stands in it, an encoded word is one.
      end = WORD_HERE.lastIndex;
      text = value.slice(at, end);
    } else if (sign !== ')') {
      end = wordEnd(value, at);
      text = value.slice(at, end);
    }
    if (sign !== ')') yield { kind, text, spaced };
    spaced = false;
    at = end;
  }
}

/** A colon inside the brackets of an address of numbers (`jo@[IPv6:2001:db8::1]`) ends nothing. */
function wordEnd(value: string, start: number): number {
  DOMAIN_LITERAL.lastIndex = start;
  WORD_END.lastIndex = DOMAIN_LITERAL.test(value) ? DOMAIN_LITERAL.lastIndex : start + 1;
  return WORD_END.exec(value)?.index ?? value.length;
}

/** Behind the closing quote; where there is none, behind this one. */
function quotedEnd(value: string, start: number): number {
  for (let at = start + 1; at < value.length; at += 1) {
    if (value[at] === '\\') at += 1;
    else if (value[at] === '"') return at + 1;
  }
  return value.length;
}

function commentEnd(value: string, start: number): number {
  let depth = 0;
  for (let at = start; at < value.length; at += 1) {
    if (value[at] === '\\') at += 1;
    else if (value[at] === '(') depth += 1;
    else if (value[at] === ')') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return value.length + 1;
}

function addressOf(all: readonly Token[]): Address {
  const comments = all.filter(({ kind }) => kind === 'comment').map(({ text }) => text);
  const some = all.filter(({ kind }) => kind !== 'comment');
  const open = some.findIndex(({ kind, text }) => kind === 'special' && text === '<');
  if (open !== -1) {
    const rest = some.slice(open + 1).filter(({ kind, text }) => kind !== 'special' || text !== '<');
    const close = rest.findIndex(({ kind, text }) => kind === 'special' && text === '>');
    const inside = close === -1 ? rest : rest.slice(0, close);
    const route = inside.findLastIndex(({ kind, text }) => kind === 'special' && text === ':');
    const address = joined(inside.slice(route + 1));
    return { name: nameOf(some.slice(0, open)) || decodeText(comments.join(' ')), address };
  }
  // `jo@example.com (Jo)`, `"jo smith"@example.com`, `Jo jo@example.com`, `root`.
  const bare = some.filter(({ kind }) => kind !== 'special');
  const at = bare.findIndex(({ text, kind }) => kind === 'word' && text.includes('@'));
  if (at === -1) {
    const [only] = bare;
    const isName =
      bare.length !== 1 || only === undefined || only.kind === 'quoted' || only.text.startsWith('=?');
    return isName
      ? { name: nameOf(bare), address: '' }
      : { name: decodeText(comments.join(' ')), address: printable(only.text) };
  }
  // What is written around the @ with blanks belongs to it.
  let from = at;
  let to = at;
  while (
    from > 0 &&
    (!bare[from]?.spaced || /^[@.]/.test(bare[from]?.text ?? '') || /[@.]$/.test(bare[from - 1]?.text ?? ''))
  )
    from -= 1;
  while (
    to + 1 < bare.length &&
    (!bare[to + 1]?.spaced || /[@.]$/.test(bare[to]?.text ?? '') || /^[.@]/.test(bare[to + 1]?.text ?? ''))
  )
    to += 1;
  const name = nameOf([...bare.slice(0, from), ...bare.slice(to + 1)]);
  return { name: name || decodeText(comments.join(' ')), address: joined(bare.slice(from, to + 1)) };
}

/** Blanks around the dots and the @ of an address do not count (RFC 5322, 4.4). */
function joined(inside: readonly Token[]): string {
  return printable(inside.map(({ text }) => text).join(''));
}

function nameOf(some: readonly Token[]): string {
  let name = '';
  for (const { kind, text, spaced } of some)
    name +=
      (name !== '' && spaced ? ' ' : '') +
      (kind === 'quoted'
        ? text.slice(1, text.endsWith('"') && text.length > 1 ? -1 : undefined).replaceAll(/\\(.)/gs, '$1')
        : text);
  return decodeText(name);
}
