// Reading: what has been understood of an answer so far, whichever protocol it comes in.
import type { FinishReason, Usage } from '../port.ts';
import type { ErrorWords } from './error-body.ts';
import type { UsageReport } from './usage.ts';

/** Filled by an adapter's reader, judged by the shared code. Mutable: one per call, never kept. */
export interface Reading {
  text: string;
  model: string | null;
  finishReason: FinishReason | null;
  /** The finish reason came with a piece of the answer, or before any: some servers stamp one on each chunk, so more may follow. */
  provisional: boolean;
  /** The answer was withheld or refused: the provider's reason. */
  blocked: string | null;
  usage: Usage | null;
  /** What `usage` comes from, with the price and the tier that the provider tells beside it. */
  readonly reported: UsageReport;
  /** The provider reports an error inside a 200. */
  failure: ErrorWords | null;
  /** Nothing more of importance will follow. */
  complete: boolean;
  /** The whole text as the provider repeats it at the end of a stream; null where the protocol does not. */
  wholeText: string | null;
}

export function emptyReading(reported: UsageReport): Reading {
  return {
    text: '',
    model: null,
    finishReason: null,
    provisional: false,
    blocked: null,
    usage: null,
    reported,
    failure: null,
    complete: false,
    wholeText: null,
  };
}

/** Reads one answer of one protocol into its `reading`. */
export interface AnswerReader {
  readonly reading: Reading;
  /** Whether a body, or an event's data, has what an answer of this protocol has. */
  readonly isAnswer: (body: JsonMembers) => boolean;
  /** The body of an answer that is not a stream. */
  readonly whole: (body: JsonMembers) => void;
  /** One event of a stream; says whether it carried model output, and which of it is text for the caller. */
  readonly event: (data: JsonMembers) => Piece;
}

export interface Piece {
  /** Text to add; '' where there is none. */
  readonly text: string;
  /** Output of the model of any kind: text, reasoning, a part of a tool call. */
  readonly isOutput: boolean;
}

export const NO_PIECE: Piece = { text: '', isOutput: false };
export const SILENT_OUTPUT: Piece = { text: '', isOutput: true };

/** An object of JSON from a server: any member may be anything. */
export type JsonMembers = { readonly [key: string]: unknown };

export function members(value: unknown): JsonMembers | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonMembers)
    : undefined;
}

export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
