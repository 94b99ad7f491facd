// Fenced code blocks of a Markdown text, with their languages and places.

export interface Fence {
  readonly language: string;
  readonly text: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
}

export function fencesOf(markdown: string): readonly Fence[] {
  const fences: Fence[] = [];
  const lines = markdown.split('\n');
  let open: { language: string; line: number; body: string[] } | null = null;
  for (const [index, line] of lines.entries()) {
    const mark = /^```(\w*)\s*$/.exec(line);
    if (!mark) open?.body.push(line);
    else if (open === null) open = { language: mark[1] ?? '', line: index + 1, body: [] };
    else {
      fences.push({ language: open.language, text: open.body.join('\n'), line: open.line });
      open = null;
    }
  }
  return fences;
}
