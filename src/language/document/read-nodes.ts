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
    this.#refuseProperties(node, at);
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

  #refuseProperties(node: YamlNode, at: Place): void {
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined) {
      this.#report(
        'yaml-alias',
        at,
        `The anchor \`&${anchor}\` marks a part of the file to be repeated.`,
        'Remove it; policies and routes are named in the project file and used by name.',
      );
    }
    if (node.tag !== undefined) {
      this.#report(
        'yaml-tag',
        at,
        `The tag \`${node.tag.replace(/^tag:yaml\.org,2002:/, '!!')}\` gives a value a type of its own.`,
        'Remove the tag; put a value in quotes when it has to be text.',
      );
    }
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
