// Images, documents and sounds in a client's request, and the most tokens that they come to by the vendors' published formulas.
import { sha256Hex } from '../../../common/json.ts';
import { isObject } from '../../providers/client-body.ts';
import { imageSize } from './image-size.ts';
import { pdfPages } from './pdf-pages.ts';

export interface Medium {
  readonly kind: 'image' | 'document' | 'sound';
  /** Base64; null: it is named by an address or an id, and its size is not known. */
  readonly data: string | null;
  /** OpenAI's `detail`. */
  readonly detail: string | null;
}

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)?[^,]*;base64,/i;

/** Wherever they stand: in messages, in results of tools, in items of a response. */
export function mediaIn(value: unknown): readonly Medium[] {
  const found: Medium[] = [];
  addMedia(found, value);
  return found;
}

function addMedia(found: Medium[], node: unknown): void {
  if (Array.isArray(node)) {
    for (const item of node) addMedia(found, item);
    return;
  }
  if (!isObject(node)) return;
  const medium = mediumOf(node);
  if (medium !== undefined) found.push(medium);
  else for (const member of Object.values(node)) if (typeof member === 'object') addMedia(found, member);
}

function mediumOf(part: { readonly [name: string]: unknown }): Medium | undefined {
  const { type } = part;
  switch (type) {
    case 'image':
    case 'document': {
      const source = isObject(part['source']) ? part['source'] : part;
      // A document of plain text, or of parts, is text like any other.
      if (source['type'] === 'text' || source['type'] === 'content') return undefined;
      const kind = type === 'image' ? 'image' : 'document';
      return { kind, data: textOf(source['data']), detail: null };
    }
    case 'image_url':
    case 'input_image': {
      const image = isObject(part['image_url']) ? part['image_url'] : { url: part['image_url'] };
      const detail = textOf(image['detail']) ?? textOf(part['detail']);
      return { kind: 'image', data: fromDataUrl(textOf(image['url'])), detail };
    }
    case 'file':
    case 'input_file': {
      const file = isObject(part['file']) ? part['file'] : part;
      return { kind: 'document', data: fromDataUrl(textOf(file['file_data'])), detail: null };
    }
    case 'input_audio': {
      const sound = isObject(part['input_audio']) ? part['input_audio'] : part;
      return { kind: 'sound', data: textOf(sound['data']), detail: null };
    }
    default:
      return undefined;
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** `file_data` may be bare base64. */
function fromDataUrl(text: string | null): string | null {
  if (text === null || /^https?:/i.test(text)) return null;
  return text.replace(DATA_URL, '');
}

/** Of a document that is named by an id or an address nobody knows the pages: it is held as the whole context. */
const UNKNOWN = Number.POSITIVE_INFINITY;
/** What text a page has at most, by Anthropic's documentation; beside it each page is an image. */
const PAGE_TEXT_TOKENS = 3_000;
const TYPICAL_PAGE_TOKENS = 2_500;
const TYPICAL_IMAGE_TOKENS = 1_000;
/** OpenAI counts ten tokens a second of sound; nothing that is sent has fewer bytes for it. */
const BASE64_PER_SOUND_TOKEN = 100;

/** `adapter`: whose formula; `typical`: the best guess for any. */
export function mediaTokens(medium: Medium, adapter: string, model = ''): number {
  const { kind, data } = medium;
  if (kind === 'sound') return data === null ? UNKNOWN : Math.ceil(data.length / BASE64_PER_SOUND_TOKEN);
  const typical = adapter === 'typical';
  if (kind === 'image') return typical ? TYPICAL_IMAGE_TOKENS : imageTokens(medium, adapter, model);
  if (data === null) return typical ? TYPICAL_PAGE_TOKENS : UNKNOWN;
  const pages = pdfPages(data);
  if (typical) return pages * TYPICAL_PAGE_TOKENS;
  return pages * (PAGE_TEXT_TOKENS + (adapter === 'anthropic' ? ANTHROPIC_PAGE_IMAGE : OPENAI_PAGE_IMAGE));
}

/** An image of a page within 1,568 pixels, and within OpenAI's tiles of high detail. */
const ANTHROPIC_PAGE_IMAGE = 1_600;
const OPENAI_PAGE_IMAGE = 1_500;

/** The most that Anthropic makes of one image: 2,576 pixels at its longest, in squares of 28. */
const ANTHROPIC_MOST = 4_784;
const ANTHROPIC_SQUARE = 28;

function imageTokens({ data, detail }: Medium, adapter: string, model: string): number {
  const size = data === null ? undefined : imageSize(data);
  if (adapter === 'anthropic') {
    if (size === undefined) return ANTHROPIC_MOST;
    const { width, height } = size;
    const squares = Math.ceil(width / ANTHROPIC_SQUARE) * Math.ceil(height / ANTHROPIC_SQUARE);
    return Math.min(ANTHROPIC_MOST, Math.max(squares, Math.ceil((width * height) / 750)));
  }
  const tiles = detail === 'low' ? 0 : size === undefined ? MOST_TILES : tilesOf(size);
  if (model.startsWith('gpt-4o-mini')) return 2_833 + 5_667 * tiles;
  if (/^(?:gpt-4o|gpt-4\.5|chatgpt|gpt-4\.1(?!-(?:mini|nano)))/.test(model)) return 85 + 170 * tiles;
  if (/^o[13](?!-mini)/.test(model)) return 75 + 150 * tiles;
  // By patches, or by tiles: whichever is more, for those that come after.
  const most = detail === 'original' ? ORIGINAL_PATCHES : MOST_PATCHES;
  const patches =
    detail === 'low'
      ? LOW_PATCHES
      : size === undefined
        ? most
        : Math.min(most, Math.ceil(size.width / 32) * Math.ceil(size.height / 32));
  return Math.max(Math.ceil(patches * PATCH_TOKENS), 140 * tiles + 85);
}

/** An image of high detail is within 2,048 by 768 pixels. */
const MOST_TILES = 8;
const TILE = 512;
const LOW_PATCHES = 256;
const MOST_PATCHES = 2_500;
const ORIGINAL_PATCHES = 10_000;
/** Of the smallest models, which count a patch dearest. */
const PATCH_TOKENS = 2.46;

function tilesOf({ width, height }: { readonly width: number; readonly height: number }): number {
  const within = Math.min(1, 2048 / Math.max(width, height));
  const shorter = Math.min(width, height) * within;
  const scale = within * Math.min(1, 768 / shorter);
  return Math.ceil((width * scale) / TILE) * Math.ceil((height * scale) / TILE);
}

/** Less is looked at as the text that it is. */
const LEAST_DATA = 256;

/** Base64 of an image, a document or a sound, by the member that it stands in. */
export function isMediaData(key: string, member: unknown): member is string {
  if (typeof member !== 'string' || member.length < LEAST_DATA) return false;
  return key === 'data' || member.startsWith('data:');
}

/** The same with a hash in the place of such data: megabytes that are either equal or not. What holds none is given back as it is. */
export function mediaAsHashes(value: unknown, key = ''): unknown {
  if (isMediaData(key, value)) return sha256Hex(value);
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    let isSame = true;
    for (const item of value as readonly unknown[]) {
      const is = mediaAsHashes(item, key);
      if (is !== item) isSame = false;
      items.push(is);
    }
    return isSame ? value : items;
  }
  if (!isObject(value)) return value;
  const hashed: [string, unknown][] = [];
  let isSame = true;
  for (const name of Object.keys(value)) {
    const member = value[name];
    const is = mediaAsHashes(member, name);
    if (is !== member) isSame = false;
    hashed.push([name, is]);
  }
  // Not assigned one by one: `__proto__` is a name like any other in JSON, and would vanish.
  return isSame ? value : Object.fromEntries(hashed);
}
