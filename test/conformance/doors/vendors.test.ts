// Vendors that speak OpenAI's protocol, as candidates of exposed names: each is asked in its own way, and the client sees none of it.
import { OpenAI } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VENDORS } from '../../../src/language/definition/vendors.ts';
import { TEXT } from '../../support/door-upstream.ts';
import { doorsFixture } from '../../support/doors-fixture.ts';
import type { DoorsFixture } from '../../support/doors-fixture.ts';

/** Others are reached by Anthropic's SDKs, and take no client's body as it is. */
const NAMES = Object.entries(VENDORS).flatMap(([name, { protocol }]) =>
  protocol === 'openai' ? [name] : [],
);
const lines = (of: (vendor: string) => string): string => NAMES.map((vendor) => `  ${of(vendor)}\n`).join('');
const baseOf = (vendor: string): string =>
  vendor === 'azure' ? '${{ env.UPSTREAM }}' : '${{ env.UPSTREAM }}/v1';

const PROJECT = `headgate: 1
providers:
${lines((vendor) => `${vendor}: { adapter: ${vendor}, baseUrl: "${baseOf(vendor)}", apiKey: "\${{ secrets.OPENAI_API_KEY }}" }`)}models:
${lines((vendor) => `${vendor}/m: { price: { input: $1, output: $10 }, context: 100k }`)}routes:
  by-size: [{ from: [xai/m] }]
expose:
${lines((vendor) => `${vendor}: { from: [${vendor}/m], maxOutputTokens: 1k }`)}`;

let doors: DoorsFixture;
let openai: OpenAI;
beforeAll(async () => {
  doors = await doorsFixture('', PROJECT);
  openai = new OpenAI({ baseURL: `${doors.url}/v1`, apiKey: 'none' });
});
afterAll(() => doors.close());

const messages = [{ role: 'user' as const, content: 'Say hello.' }];

describe.each(NAMES)('%s', (vendor) => {
  test('answers a chat, whole and streamed, with its own key and the limit of output under the name that it knows', async () => {
    const whole = await openai.chat.completions.create({ model: vendor, messages });
    expect(whole.choices[0]?.message.content).toBe(TEXT);
    const sent = doors.upstream.calls.at(-1);
    expect(sent?.headers).toMatchObject(
      vendor === 'azure'
        ? { 'api-key': 'sk-upstream-openai' }
        : { authorization: 'Bearer sk-upstream-openai' },
    );
    const lacks: readonly string[] = VENDORS[vendor as keyof typeof VENDORS].lacks;
    const limits = [
      'max_tokens',
      ...(lacks.includes('maxCompletionTokens') ? [] : ['max_completion_tokens']),
    ];
    expect(limits.map((limit) => ({ [limit]: 1000, model: 'm', messages }))).toContainEqual(
      JSON.parse(sent?.body ?? ''),
    );
    let text = '';
    for await (const { choices } of await openai.chat.completions.create({
      model: vendor,
      messages,
      stream: true,
    }))
      text += choices[0]?.delta.content ?? '';
    expect(text).toBe(TEXT);
    const runs = await doors.runs();
    expect(runs.slice(-2).map(({ task, status }) => [task, status])).toEqual([
      [vendor, 'succeeded'],
      [vendor, 'succeeded'],
    ]);
  });

  test('answers responses where it has them, and is else passed over', async () => {
    const asked = openai.responses.create({ model: vendor, input: 'Say hello.' });
    if (VENDORS[vendor as keyof typeof VENDORS].apis.length > 1) expect((await asked).output_text).toBe(TEXT);
    else await expect(asked).rejects.toMatchObject({ status: 400, code: 'cannot_translate' });
  });

  test('embeds', async () => {
    const { data } = await openai.embeddings.create({
      model: vendor,
      input: 'A text.',
      encoding_format: 'float',
    });
    expect(data[0]?.embedding).toEqual([0.5, -0.25]);
  });
});
