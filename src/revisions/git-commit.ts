// A commit object: who made it, what its first line says, and its parents, in the encoding that it names.

export interface ParsedCommit {
  /** Hash of the folder that is the root. */
  readonly tree: string;
  readonly parents: readonly string[];
  /** `Ana <ana@example.com>`. */
  readonly author: string;
  /** The message's first line. */
  readonly subject: string;
}

export function parseCommit(bytes: Buffer): ParsedCommit {
  const end = bytes.indexOf('\n\n');
  const header = end < 0 ? bytes : bytes.subarray(0, end);
  const message = end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 2);
  // Every header's name is ASCII; signatures go on in lines that begin with a blank.
  const plain = header.toString('latin1');
  const decode = decoderOf(/^encoding (.+)$/m.exec(plain)?.[1]);
  const author = /^author (.*)$/m.exec(decode(header))?.[1] ?? '';
  return {
    tree: /^tree ([0-9a-f]{40})$/m.exec(plain)?.[1] ?? '',
    parents: [...plain.matchAll(/^parent ([0-9a-f]{40})$/gm)].map(([, hash = '']) => hash),
    author: author.replace(/ -?\d+ [+-]\d+$/, ''),
    subject: decode(message).trimStart().split(/\r?\n/, 1)[0] ?? '',
  };
}

/** git's names for encodings are iconv's; those that nobody here knows, and bytes that are not what they are said to be, are read as Latin-1. */
function decoderOf(encoding = 'utf-8'): (bytes: Buffer) => string {
  return (bytes) => {
    for (const label of [encoding.trim(), 'utf-8']) {
      try {
        return new TextDecoder(label, { fatal: true }).decode(bytes);
      } catch {
        // The next one.
      }
    }
    return new TextDecoder('windows-1252').decode(bytes);
  };
}
