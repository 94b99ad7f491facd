// The YAML library's nodes → Document nodes, without what the language leaves out of YAML.
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Node as YamlNode, Pair, ParsedNode, Scalar } from 'yaml';
import type { Place } from '../../errors/place.ts';
import type { Masked } from './mask.ts';
import { alignOffset } from './source-map.ts';
import type { SourceMap } from './source-map.ts';
import type { DocumentNode, MapEntry, ScalarNode } from './types.ts';

type Report = (code: string, at: Place, message: string, remedy: string) => void;

export class NodeReader {
  readonly #text: string;
  readonly #masked: Masked;
  readonly #map: SourceMap;
  readonly #report: Report;
  readonly #maxDepth: number;
  /** Something was left out: what stands there cannot be judged. */
  incomplete = false;

  constructor(text: string, masked: Masked, map: SourceMap, report: Report, maxDepth: number) {
    this.#text = text;
    this.#masked = masked;
    this.#map = map;
    this.#report = report;
    this.#maxDepth = maxDepth;
  }

  read(node: YamlNode | null, depth = 0, fallback = 0): DocumentNode {
    const [start, end] = range(node, fallback);
    const at = this.#map.place(start, end);
    if (node === null) return this.#scalar(null, '', at, start, end);
    if (isAlias(node)) {
      this.incomplete = true;
      this.#report(
        'yaml-alias',
        at,
        `The alias \`*${node.source}\` repeats a part of the file.`,
        'Write the part out, or name it: policies and routes are named in the project file and used by name.',
      );
      return this.#scalar(null, '', at, start, end);
    }
    if (depth > this.#maxDepth) {
      this.incomplete = true;
      this.#report(
        'yaml-too-deep',
        at,
        'The file is nested too deeply to be read.',
        `Flatten it: no workflow needs more than ${this.#maxDepth} levels.`,
      );
      return this.#scalar(null, '', at, start, end);
    }
    const tagged = this.#refuseProperties(node, at, end);
    if (tagged !== undefined) return tagged;
    if (isMap(node))
      return {
        kind: 'map',
        at,
        entries: this.#entries(node.items as Pair<ParsedNode, ParsedNode | null>[], depth),
      };
    if (isSeq(node))
      return {
        kind: 'list',
        at,
        items: node.items.map((item) => this.read(item as YamlNode | null, depth + 1, end)),
      };
    return this.#readScalar(node as Scalar.Parsed, at, start, end);
  }

  /** A value instead of the node, where an expression that begins with `!` was taken for a tag. */
  #refuseProperties(node: YamlNode, at: Place, end: number): ScalarNode | undefined {
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined) {
      this.#report(
        'yaml-alias',
        at,
        `The anchor \`&${anchor}\` marks a part of the file to be repeated.`,
        'Remove it; policies and routes are named in the project file and used by name.',
      );
    }
    const negation = isScalar(node) ? this.#negation(node, end) : undefined;
    if (negation !== undefined) {
      const [from, text] = negation;
      this.#report(
        'yaml-tag',
        this.#map.place(from, from + text.length),
        'In YAML a `!` at the start of a value begins a tag.',
        `Write it in quotes, \`"${text.replaceAll('"', "'")}"\`, or as \`\${{ ${text} }}\`.`,
      );
      return this.#scalar(text, text, at, from, from + text.length);
    }
    if (node.tag !== undefined) {
      this.#report(
        'yaml-tag',
        at,
        `The tag \`${node.tag.replace(/^tag:yaml\.org,2002:/, '!!')}\` gives a value a type of its own.`,
        'Remove the tag; put a value in quotes when it has to be text.',
      );
    }
    return undefined;
  }

  /** `!input.done && …`: where it begins, and the whole of it; undefined: the node has no tag, or one that YAML knows. */
  #negation(node: Scalar, end: number): readonly [start: number, text: string] | undefined {
    const { tag } = node;
    if (tag === undefined || !/^![A-Za-z_(]/.test(tag)) return undefined;
    const start = this.#text.lastIndexOf(tag, end);
    if (start < 0) return undefined;
    const rest = this.#text.slice(start, Math.max(end, start + tag.length));
    return [start, rest.split('\n', 1)[0]?.trimEnd() ?? tag];
  }

  #entries(pairs: readonly Pair<ParsedNode, ParsedNode | null>[], depth: number): MapEntry[] {
    const seen = new Set<string>();
    const entries: MapEntry[] = [];
    for (const pair of pairs) {
      const [start, end] = range(pair.key, 0);
      const keyAt = this.#map.place(start, end);
      if (!isScalar(pair.key)) {
        this.#report(
          'yaml-key',
          keyAt,
          'A key has to be plain text.',
          'Write `key: value`; put a key with special signs in quotes.',
        );
        continue;
      }
      const key =
        typeof pair.key.value === 'string'
          ? this.#masked.restore(pair.key.value)
          : this.#text.slice(start, end);
      const odd = oddSpace(this.#text.slice(start, end));
      if (odd !== undefined) {
        this.incomplete = true;
        this.#report(
          'yaml-control-character',
          this.#map.place(start + odd.offset, start + odd.offset + 1),
          `The ${odd.name} stands here, which looks like a blank or like nothing and is part of the key.`,
          'Write plain spaces.',
        );
        continue;
      }
      if (key === '<<') {
        this.incomplete = true;
        this.#report(
          'yaml-merge-key',
          keyAt,
          'The merge key `<<` copies another map into this one.',
          'Write the keys out, or name the map: policies and routes are used by name.',
        );
        continue;
      }
      if (seen.has(key)) {
        this.#report(
          'yaml-duplicate-key',
          keyAt,
          `The key \`${key}\` stands twice in the same map.`,
          'Remove or rename one of the two.',
        );
        continue;
      }
      seen.add(key);
      entries.push({ key, keyAt, value: this.read(pair.value, depth + 1, end) });
    }
    return entries;
  }

  #readScalar(node: Scalar.Parsed, at: Place, start: number, end: number): ScalarNode {
    const raw: unknown = node.value;
    const source = this.#text.slice(start, end);
    if (typeof raw === 'string') return this.#scalar(this.#masked.restore(raw), source, at, start, end);
    if (typeof raw === 'number' && !Number.isFinite(raw)) return this.#scalar(source, source, at, start, end);
    if (typeof raw === 'number' && /^[-+]?0\d/.test(source))
      this.#report(
        'yaml-number',
        at,
        `\`${source}\` begins with a zero: it is octal to one reader of YAML and decimal to another.`,
        `Write \`${raw}\`, or put it in quotes when it is a text.`,
      );
    if (typeof raw === 'number' || typeof raw === 'boolean') return this.#scalar(raw, source, at, start, end);
    return this.#scalar(null, source, at, start, end);
  }

  #scalar(value: ScalarNode['value'], text: string, at: Place, start: number, end: number): ScalarNode {
    const source = this.#text;
    const map = this.#map;
    const content = contentStart(source, start, end);
    return {
      kind: 'scalar',
      value,
      text,
      at,
      locate(from, to) {
        if (typeof value !== 'string') return at;
        const first = alignOffset(value, from, source, content, end);
        return map.place(first, Math.min(end, first + Math.max(1, to - from)));
      },
    };
  }
}

/** Blanks that are no spaces, and signs without a width, at the ends of a key. */
const ODD_SPACE =
  /^[\u00a0\u1680\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff]|[\u00a0\u1680\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff]$/;

export function oddSpace(text: string): { readonly offset: number; readonly name: string } | undefined {
  const found = ODD_SPACE.exec(text);
  if (found === null) return undefined;
  const [sign] = found;
  const code = sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return { offset: found.index, name: `${sign === '\u00a0' ? 'no-break space' : 'character'} U+${code}` };
}

/** After the opening quote, or after the header of a block scalar. */
function contentStart(source: string, start: number, end: number): number {
  const first = source.charAt(start);
  if (first === '"' || first === "'") return start + 1;
  if (first !== '|' && first !== '>') return start;
  const newline = source.indexOf('\n', start);
  if (newline === -1 || newline >= end) return start;
  let index = newline + 1;
  while (source.charAt(index) === ' ' || source.charAt(index) === '\n') index += 1;
  return index;
}

function range(node: YamlNode | null | undefined, fallback: number): [number, number] {
  const found = node?.range;
  return found ? [found[0], found[1]] : [fallback, fallback];
}
