// Images and documents in clients' requests: found wherever they stand, and held by the vendors' published formulas.
import { describe, expect, test } from 'vitest';
import { mediaIn, mediaTokens } from '../../../../src/engine/execution/exchange/media.ts';

/** The head of a PNG of that size. */
function png(width: number, height: number): string {
  const head = Buffer.alloc(48);
  head.writeUInt32BE(0x89504e47, 0);
  head.writeUInt32BE(width, 16);
  head.writeUInt32BE(height, 20);
  return head.toString('base64');
}

const image = (width: number, height: number, detail: string | null = null) => ({
  kind: 'image' as const,
  data: png(width, height),
  detail,
});

describe('an image', () => {
  test("is held by Anthropic's squares, and never beyond what it makes of the largest", () => {
    expect(mediaTokens(image(1000, 1000), 'anthropic')).toBe(1334);
    expect(mediaTokens(image(8000, 8000), 'anthropic')).toBe(4784);
  });

  test("is held by OpenAI's tiles, where the model counts in tiles", () => {
    // 1,024 by 1,024 becomes 768 by 768: four tiles.
    expect(mediaTokens(image(1024, 1024), 'openai', 'gpt-4o')).toBe(85 + 170 * 4);
    expect(mediaTokens(image(1024, 1024, 'low'), 'openai', 'gpt-4o')).toBe(85);
  });

  test('of unknown size is held at the most', () => {
    const named = { kind: 'image' as const, data: null, detail: null };
    expect(mediaTokens(named, 'anthropic')).toBe(4784);
    expect(mediaTokens(named, 'openai', 'gpt-4o')).toBe(85 + 170 * 8);
  });
});

describe('a document', () => {
  const pdf = (pages: number): string =>
    Buffer.from(`%PDF-1.4\n${'1 0 obj << /Type /Page >> endobj\n'.repeat(pages)}<< /Type /Pages >>`).toString(
      'base64',
    );

  test('is held by its pages, each as text and as an image', () => {
    const medium = { kind: 'document' as const, data: pdf(3), detail: null };
    expect(mediaTokens(medium, 'anthropic')).toBe(3 * (3000 + 1600));
  });

  test('that is only named may be as large as the context', () => {
    expect(mediaTokens({ kind: 'document', data: null, detail: null }, 'anthropic')).toBe(Infinity);
  });
});

test('media are found in messages, in results of tools and in items of a response', () => {
  const block = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png(10, 10) } };
  const url = `data:image/png;base64,${png(10, 10)}`;
  const body = {
    messages: [
      { role: 'user', content: [{ type: 'tool_result', content: [block] }] },
      { role: 'user', content: [{ type: 'image_url', image_url: { url, detail: 'low' } }] },
    ],
    input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://example.com/a.png' }] }],
  };
  expect(mediaIn(body).map(({ data, detail }) => [data?.length ?? null, detail])).toEqual([
    [64, null],
    [64, 'low'],
    [null, null],
  ]);
});
