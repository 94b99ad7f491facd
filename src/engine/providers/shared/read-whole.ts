// Reads an answer that is not a stream: a whole answer, an error in its place, or something else altogether.
import { parseKeepingNumbers } from '../../../common/exact-json.ts';
import { errorInside, htmlWords, looksLikeHtml } from './error-body.ts';
import type { AnswerEnd } from './read-stream.ts';
import type { AnswerReader } from './reading.ts';
import { members } from './reading.ts';
import type { Redactor } from './redact.ts';

/** Fills the reader's `reading`. */
export function readWhole(
  text: string,
  contentType: string,
  reader: AnswerReader,
  redactor: Redactor,
): AnswerEnd {
  const { reading } = reader;
  const value = parse(text);
  const body = members(value);
  const isAnswer = body !== undefined && reader.isAnswer(body);
  const error = errorInside(value, isAnswer);
  if (error !== undefined) {
    // What was used until it failed is paid for.
    if (isAnswer) reader.whole(body);
    reading.failure = error;
    return { kind: 'failed' };
  }
  if (body === undefined) return notAnAnswer(text, contentType, redactor);
  reader.whole(body);
  if (reading.failure !== null) return { kind: 'failed' };
  if (reading.finishReason === null && reading.blocked === null) {
    // The body is whole, since it is JSON: some servers leave the finish reason out, or name it otherwise.
    if (reading.text === '') {
      const what = isAnswer ? '' : `; is baseUrl right? It is: ${beginningOf(text, redactor)}`;
      const message = `the answer has no text and no finish reason${what}`;
      return { kind: 'cut', mayRetry: false, message };
    }
    const message = 'the provider gave no finish reason';
    return { kind: 'complete', notes: [{ code: 'NO_FINISH_REASON', message }] };
  }
  return { kind: 'complete', notes: [] };
}

function notAnAnswer(text: string, contentType: string, redactor: Redactor): AnswerEnd {
  const type = contentType === '' ? 'no content type' : contentType;
  const what = looksLikeHtml(text)
    ? `the answer is ${htmlWords(text)} (HTML, ${type}); is baseUrl right?`
    : text.trim() === ''
      ? `the answer is empty (${type}); is baseUrl right?`
      : `the answer is not a JSON object (${type}); is baseUrl right? It begins: ${beginningOf(text, redactor)}`;
  return { kind: 'malformed', mayRetry: false, message: what };
}

/** Redacted before it is shortened: half a key is not recognized any more. */
function beginningOf(text: string, redactor: Redactor): string {
  return redactor.message(text.slice(0, 2_000)).slice(0, 120);
}

function parse(text: string): unknown {
  try {
    // A byte order mark is no part of JSON, and some servers send one.
    return parseKeepingNumbers(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    return undefined;
  }
}
