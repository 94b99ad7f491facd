// The width and height of an image, from the first bytes of its file: PNG, GIF, WebP, JPEG.

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** undefined: it is none of them, or does not say. `data`: base64. */
export function imageSize(data: string): ImageSize | undefined {
  const head = Buffer.from(data.slice(0, 64), 'base64');
  if (head.length < 30) return undefined;
  const found =
    head.readUInt32BE(0) === 0x89504e47 ? png(head) : (gif(head) ?? webp(head) ?? jpeg(head, data));
  return found !== undefined && found.width > 0 && found.height > 0 ? found : undefined;
}

function png(head: Buffer): ImageSize {
  return { width: head.readUInt32BE(16), height: head.readUInt32BE(20) };
}

function gif(head: Buffer): ImageSize | undefined {
  if (head.toString('latin1', 0, 3) !== 'GIF') return undefined;
  return { width: head.readUInt16LE(6), height: head.readUInt16LE(8) };
}

function webp(head: Buffer): ImageSize | undefined {
  if (head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 8, 12) !== 'WEBP') return undefined;
  switch (head.toString('latin1', 12, 16)) {
    case 'VP8X':
      return { width: head.readUIntLE(24, 3) + 1, height: head.readUIntLE(27, 3) + 1 };
    case 'VP8L': {
      const bits = head.readUInt32LE(21);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8 ':
      return { width: head.readUInt16LE(26) & 0x3fff, height: head.readUInt16LE(28) & 0x3fff };
    default:
      return undefined;
  }
}

/** The size stands in the frame's header, after what cameras write: previews, profiles. */
function jpeg(head: Buffer, data: string): ImageSize | undefined {
  if (head.readUInt16BE(0) !== 0xffd8) return undefined;
  const bytes = Buffer.from(data, 'base64');
  let at = 2;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1] ?? 0;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}
