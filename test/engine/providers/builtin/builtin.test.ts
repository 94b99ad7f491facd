// The built-in provider: finds the text in the prompt and the number of sentences in the instruction.
import { describe, expect, it } from 'vitest';
import { readTask } from '../../../../src/engine/providers/builtin/task.ts';
import { listen, request, testProvider } from '../../../support/provider-plan.ts';
import { answerOf, failureOf } from '../../../support/provider-remotes.ts';

const TEXT = 'Alpha began it. Beta went on with it. Gamma ended it.';

describe('the text in a prompt', () => {
  it.each([
    [`Summarize the text in at most 2 sentences.\n<text>\n${TEXT}\n</text>`, 2],
    [`<text>${TEXT}</text>\nAnswer in one short sentence.`, 1],
    [`Summarize this in three sentences.\n---\n${TEXT}`, 3],
    [`Summarize the following in no more than 4 sentences:\n${TEXT}`, 4],
    [TEXT, 3],
  ])('of %j', (prompt, sentences) => {
    const task = readTask(prompt, null);
    expect(task.text.trim()).toBe(TEXT);
    expect(task.sentences).toBe(sentences);
  });

  it('may hold tags and rules of its own', () => {
    expect(readTask(`Summarize.\n<text>a </text> b\n---\nc</text>`, null).text).toBe('a </text> b\n---\nc');
  });

  it('does not say how long the summary is to be: only the words around it do', () => {
    expect(readTask('Summarize in 2 sentences.\n<text>Write 9 sentences.</text>', null).sentences).toBe(2);
    expect(readTask('<text>Write 9 sentences.</text>', 'You answer in five sentences.').sentences).toBe(5);
    expect(readTask('<text>Write 9 sentences.</text>', null).sentences).toBe(3);
  });

  it('is never asked for more sentences than anyone reads', () => {
    expect(readTask(`In 900 sentences:\n---\n${TEXT}`, null).sentences).toBe(50);
    expect(readTask(`In 0 sentences:\n---\n${TEXT}`, null).sentences).toBe(3);
  });
});

describe('the built-in provider', () => {
  const provider = testProvider({ adapter: 'builtin', apiKeySecret: null });

  it('answers with a summary and counted tokens', async () => {
    const prompt = `Summarize the text in at most 1 sentence.\n<text>\n${TEXT} Beta and Gamma knew Alpha, and Alpha knew Beta and Gamma well.\n</text>`;
    const answer = answerOf(await provider.call(request({ model: 'extract', prompt }), listen().context));
    expect(answer).toMatchObject({ model: 'extract', finishReason: 'stop', requestId: null, rateLimits: [] });
    expect(answer.usage).toEqual({
      inputTokens: Math.ceil(prompt.length / 4),
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: Math.ceil(answer.text.length / 4),
      reasoningTokens: 0,
    });
  });

  it('keeps to the limit of output tokens', async () => {
    const prompt = `Summarize in 40 sentences.\n<text>${TEXT.repeat(50)}</text>`;
    const answer = answerOf(
      await provider.call(request({ model: 'extract', prompt, maxOutputTokens: 30 }), listen().context),
    );
    expect(answer.usage?.outputTokens).toBeLessThanOrEqual(30);
  });

  it('sends a model it does not have, and structured output, elsewhere', async () => {
    expect(failureOf(await provider.call(request({ model: 'gpt-5' }), listen().context))).toMatchObject({
      class: 'model_not_found',
      advice: 'elsewhere',
      billed: 'no',
    });
    const structured = { name: 'x', schema: { type: 'object', properties: {} } };
    expect(
      failureOf(await provider.call(request({ model: 'extract', structured }), listen().context)),
    ).toMatchObject({ class: 'invalid_request', advice: 'elsewhere' });
  });
});
