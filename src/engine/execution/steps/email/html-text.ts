// HTML of a letter → its text, in one pass: blocks are lines, cells are kept apart, links keep their address.
import type { TokenizerCallbacks } from 'htmlparser2';

/** What begins and ends a line; and what stands apart by an empty one. */
const LINES = new Set(
  'address article aside body center dd details dialog dir div dl dt fieldset figcaption figure footer form header hr html legend li main menu nav option section summary tr caption thead tbody tfoot'.split(
    ' ',
  ),
);
const PARAGRAPHS = new Set('blockquote h1 h2 h3 h4 h5 h6 ol p pre table ul'.split(' '));
/** What nobody reads. */
const SKIPPED = new Set(['script', 'style', 'title', 'template', 'svg', 'math']);
/** Elements without an end. */
const VOID = new Set(['br', 'hr', 'img', 'input', 'link', 'meta', 'wbr', 'col', 'area', 'base']);

class Writer {
  readonly #lines: string[] = [];
  readonly #parts: string[] = [];
  #hasText = false;
  #space = false;
  preformatted = 0;

  text(text: string): void {
    if (this.preformatted > 0) {
      const [first = '', ...lines] = text.split(/\r?\n/);
      this.#put(first);
      for (const line of lines) {
        this.newLine();
        this.#put(line);
      }
      return;
    }
    for (const [index, word] of text.split(/[ \t\r\n\f]+/).entries()) {
      if (index > 0) this.#space = true;
      if (word !== '') this.#put(word);
    }
  }

  #put(text: string): void {
    if (text === '') return;
    if (this.#space && this.#hasText) this.#parts.push(' ');
    this.#space = false;
    this.#hasText = true;
    this.#parts.push(text);
  }

  cell(): void {
    this.#space = false;
    if (this.#hasText) this.#parts.push('\t');
  }

  newLine(): void {
    this.#lines.push(this.#parts.join('').trimEnd());
    this.#parts.length = 0;
    this.#hasText = false;
    this.#space = false;
  }

  line(): void {
    if (this.#parts.length > 0) this.newLine();
  }

  paragraph(): void {
    this.line();
    if ((this.#lines.at(-1) ?? '') !== '') this.#lines.push('');
  }

  end(): string {
    this.line();
    return this.#lines
      .join('\n')
      .replaceAll(/\n{3,}/g, '\n\n')
      .trim();
  }
}

export async function htmlText(html: string): Promise<string> {
  const { Tokenizer } = await import('htmlparser2');
  const writer = new Writer();
  let name = '';
  let attribute = '';
  let value = '';
  let attributes = new Map<string, string>();
  let skipping = '';
  let skipDepth = 0;
  let link: { readonly href: string; text: string } | undefined;
  const ordered: number[] = [];

  const say = (text: string): void => {
    if (skipDepth > 0) return;
    if (link !== undefined) link.text += text;
    writer.text(text);
  };
  const closeLink = (): void => {
    if (link === undefined) return;
    const { href, text } = link;
    link = undefined;
    const shown = text.trim();
    if (/^(?:https?|mailto|ftp):/i.test(href) && shown !== href && `mailto:${shown}` !== href)
      writer.text(` [${href}] `);
  };
  const open = (): void => {
    if (skipDepth > 0) {
      if (name === skipping) skipDepth += 1;
      return;
    }
    if (SKIPPED.has(name)) {
      skipping = name;
      skipDepth = 1;
    } else if (name === 'br') writer.newLine();
    else if (name === 'td' || name === 'th') writer.cell();
    else if (name === 'img') say(attributes.get('alt') ?? '');
    else if (name === 'a') {
      closeLink();
      link = { href: (attributes.get('href') ?? '').trim(), text: '' };
    } else if (PARAGRAPHS.has(name)) writer.paragraph();
    else if (LINES.has(name)) writer.line();
    if (name === 'pre') writer.preformatted += 1;
    if (name === 'ol' || name === 'ul') ordered.push(name === 'ol' ? 1 : 0);
    if (name === 'li') {
      const number = ordered.at(-1) ?? 0;
      writer.text(number === 0 ? '* ' : `${number}. `);
      if (number > 0) ordered[ordered.length - 1] = number + 1;
    }
  };
  const close = (): void => {
    if (skipDepth > 0) {
      if (name === skipping) skipDepth -= 1;
      return;
    }
    if (name === 'a') closeLink();
    else if (PARAGRAPHS.has(name)) writer.paragraph();
    else if (LINES.has(name)) writer.line();
    if (name === 'pre') writer.preformatted = Math.max(0, writer.preformatted - 1);
    if (name === 'ol' || name === 'ul') ordered.pop();
  };

  const events: TokenizerCallbacks = {
    ontext: (start, end) => say(html.slice(start, end)),
    ontextentity: (code) => say(String.fromCodePoint(code)),
    onopentagname(start, end) {
      name = html.slice(start, end).toLowerCase();
      attributes = new Map();
    },
    onattribname(start, end) {
      attribute = html.slice(start, end).toLowerCase();
      value = '';
    },
    onattribdata: (start, end) => (value += html.slice(start, end)),
    onattribentity: (code) => (value += String.fromCodePoint(code)),
    onattribend: () => attributes.set(attribute, value),
    onopentagend: () => open(),
    onselfclosingtag() {
      open();
      if (!VOID.has(name) && skipDepth > 0 && name === skipping) close();
    },
    onclosetag(start, end) {
      name = html.slice(start, end).toLowerCase();
      close();
    },
    oncdata: (start, end, offset) => say(html.slice(start, end - offset)),
    oncomment: () => undefined,
    ondeclaration: () => undefined,
    onprocessinginstruction: () => undefined,
    onend: () => undefined,
  };
  const tokenizer = new Tokenizer({ xmlMode: false, decodeEntities: true }, events);
  tokenizer.write(html);
  tokenizer.end();
  closeLink();
  return writer.end();
}
