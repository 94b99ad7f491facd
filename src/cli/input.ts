// Task input from the command line: `key=value` and `key=@file`, read as the task's schema says.
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { changes, jsonProblemText, parseExactJson } from '../common/exact-json.ts';
import { viewOf } from '../common/json-schema.ts';
import type { Json, JsonObject } from '../common/json.ts';
import type { JsonSchema } from '../language/plan/types.ts';
import { UsageError } from './io.ts';

function readInputFile(key: string, path: string): string {
  try {
    const bytes = readFileSync(path === '-' ? 0 : path);
    // The mark of UTF-16, as PowerShell and spreadsheets write it, begins no text in another charset.
    const mark = bytes.length >= 2 ? bytes.readUInt16BE(0) : 0;
    if (mark === 0xfffe) return new TextDecoder('utf-16le').decode(bytes);
    if (mark === 0xfeff) return new TextDecoder('utf-16be').decode(bytes);
    // A raw e-mail may hold bytes of any charset; as Latin-1 each byte is one character and none is lost.
    return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1');
  } catch (error) {
    throw new UsageError(
      `--input ${key}=@${path}: the file cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
      'Check the path; "-" reads standard input.',
    );
  }
}

function valueOf(key: string, text: string, schema: JsonSchema | undefined): Json {
  const [type] = schema ? viewOf(schema).types : [];
  if (type === undefined || type === 'string') return text;
  const parsed = parseExactJson(text);
  if (parsed.ok) return parsed.value;
  if (type === 'object' || type === 'array')
    throw new UsageError(
      `--input ${key}: an ${type} is given as JSON; ${jsonProblemText(parsed.error)}`,
      `Write --input '${key}=${type === 'array' ? '["…"]' : '{"…": "…"}'}' or --input ${key}=@file.json.`,
    );
  if (/^\s*-?\d[\d.eE+-]*\s*$/.test(text) && changes(text.trim()))
    throw new UsageError(
      `--input ${key}: the number cannot be kept exactly`,
      'Declare the field as a string where it is a number that nobody counts with, such as an identifier.',
    );
  // What is not such a value goes on as text: the task's schema then says what it should have been, and where.
  return text;
}

/** The input object. Later pairs of the same key win. */
export function parseInputPairs(pairs: readonly string[], inputSchema: JsonSchema): JsonObject {
  const { properties } = viewOf(inputSchema);
  const input: { [key: string]: Json } = {};
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals <= 0)
      throw new UsageError(
        `--input ${pair}: not of the form key=value`,
        'Write --input key=value, or --input key=@file for the text of a file.',
      );
    const key = pair.slice(0, equals);
    const given = pair.slice(equals + 1);
    input[key] = valueOf(
      key,
      given.startsWith('@') ? readInputFile(key, given.slice(1)) : given,
      properties[key],
    );
  }
  return input;
}
