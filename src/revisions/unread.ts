// Files of a source that cannot be read as text: each is named, with the reason, since leaving one out would change what is served.
import type { WorkflowFile } from './port.ts';

export type Unread = NonNullable<WorkflowFile['unread']>;

export function brokenLink(path: string, leadsTo: string): Unread {
  return {
    code: 'file-link',
    offset: 0,
    message: `${path} is a symbolic link that leads to ${leadsTo}.`,
    remedy: 'Let it lead to a file or a folder that is there, put the file in its place, or remove it.',
  };
}

export function unreadSubmodule(path: string): Unread {
  return {
    code: 'file-link',
    offset: 0,
    message: `${path === '' ? 'The folder' : path} is a submodule, whose files are in a repository of their own.`,
    remedy: 'Commit the files here, serve a checkout with --workflows DIR, or move the submodule elsewhere.',
  };
}

export function badName(path: string): Unread {
  return {
    code: 'file-name',
    offset: 0,
    message: `The name of ${path} is not in UTF-8.`,
    remedy: 'Rename it.',
  };
}

export function unreadableFile(path: string, why: string): Unread {
  return {
    code: 'file-unreadable',
    offset: 0,
    message: `${path} cannot be read: ${why}.`,
    remedy: 'Make it a file that the server may read, or remove it.',
  };
}

/** Might a link of this name, which leads nowhere, have led to workflows: to a YAML file or, without an ending, to a folder? */
export function mayBeWorkflows(name: string): boolean {
  return /\.ya?ml$/i.test(name) || !/.\.\w+$/.test(name);
}

/**
 * A file's text, which is UTF-8. Of any other encoding nothing is guessed, or a wrong letter would go into prompts: what is given then is there to be
 * shown.
 */
export function decodeFile(path: string, bytes: Buffer): WorkflowFile {
  const utf16 = encodingOf(bytes);
  if (utf16 !== undefined)
    return {
      path,
      text: new TextDecoder(utf16).decode(bytes),
      unread: notUtf8(`The file is in ${utf16.toUpperCase()}, not in UTF-8.`, 0, utf16.slice(0, 6)),
    };
  try {
    return { path, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    const { byte, characters } = firstWrong(bytes);
    const shown = (bytes[byte] ?? 0).toString(16).toUpperCase().padStart(2, '0');
    return {
      path,
      text: bytes.toString('utf8', 0, byte) + new TextDecoder('windows-1252').decode(bytes.subarray(byte)),
      unread: notUtf8(
        `The byte 0x${shown} here is not UTF-8; the file may be in ISO-8859-1 or Windows-1252.`,
        characters,
        'ISO-8859-1',
      ),
    };
  }
}

function notUtf8(message: string, offset: number, from: string): Unread {
  return {
    code: 'file-encoding',
    offset,
    message,
    remedy: `Save the file in the encoding UTF-8: "iconv -f ${from.toUpperCase()} -t UTF-8", or your editor's menu.`,
  };
}

/** UTF-16 with a mark, or as Windows' shells write it without one: every other byte is zero. */
function encodingOf(bytes: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  const [first = 1, second = 1] = bytes;
  if (bytes.length < 2) return undefined;
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le';
  return (first === 0xfe && second === 0xff) || (first === 0 && second !== 0) ? 'utf-16be' : undefined;
}

const REPLACEMENT = '\uFFFD';
const REPLACEMENT_BYTES = Buffer.from(REPLACEMENT, 'utf8');

/** The first byte that no UTF-8 has there, and how many characters stand before it: the first replacement that the bytes did not hold already. */
function firstWrong(bytes: Buffer): { readonly byte: number; readonly characters: number } {
  const lossy = bytes.toString('utf8');
  let byte = 0;
  let characters = 0;
  for (;;) {
    const next = lossy.indexOf(REPLACEMENT, characters);
    if (next < 0) return { byte: 0, characters: 0 };
    byte += Buffer.byteLength(lossy.slice(characters, next));
    if (!bytes.subarray(byte, byte + REPLACEMENT_BYTES.length).equals(REPLACEMENT_BYTES))
      return { byte, characters: next };
    byte += REPLACEMENT_BYTES.length;
    characters = next + 1;
  }
}
