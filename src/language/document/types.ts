// A Document: the values of a YAML file, each with its place; maps keep the order of the file.
import type { Place } from '../../errors/place.ts';
import type { Problem } from '../../errors/problem.ts';

export interface SourceFile {
  /** As shown in problems. */
  readonly path: string;
  readonly text: string;
  /** Why it cannot be read as text, at an offset into what is there to be shown. */
  readonly unread?: {
    readonly code: string;
    readonly offset: number;
    readonly message: string;
    readonly remedy: string;
  };
}

export type DocumentNode = ScalarNode | MapNode | ListNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: null | boolean | number | string;
  /** For a value that is not a string: its text in the file, so that `0.1` can be read without a float. */
  readonly text: string;
  readonly at: Place;
  /** The place of a part of a string's value, by offsets into `value`. */
  locate(start: number, end: number): Place;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
  readonly at: Place;
}
export interface MapEntry {
  readonly key: string;
  readonly keyAt: Place;
  readonly value: DocumentNode;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly DocumentNode[];
  readonly at: Place;
}

export interface ParsedDocument {
  /** null: the file is no YAML at all, is empty, or too large; `problems` says which. */
  readonly document: DocumentNode | null;
  readonly problems: readonly Problem[];
}
