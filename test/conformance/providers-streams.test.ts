// What every provider behind HTTP does when connections and streams fail, or nobody waits any more.
import { describe, expect, it } from 'vitest';
import { AttemptTimeout } from '../../src/engine/resilience/port.ts';
import { startFaultServer } from '../support/fault-server.ts';
import { listen, request, testProvider } from '../support/provider-plan.ts';
import {
  CHAT,
  failureOf,
  MESSAGES,
  REMOTES,
  RESPONSES,
  SIXTY,
  untilHeard,
  useRemote,
} from '../support/provider-remotes.ts';

describe.each(REMOTES)('every provider behind HTTP: $label', (remote) => {
  const under = useRemote(remote);

  describe('connections and streams that fail', () => {
    it('a reset before the headers may be tried again', async () => {
      expect(failureOf(await under.call({ connection: 'reset' }))).toMatchObject({
        class: 'connection',
        advice: 'retry',
        billed: 'maybe',
        status: null,
      });
    });

    it('a server that is not there was surely not billed', async () => {
      const gone = await startFaultServer();
      const url = remote.url(gone);
      await gone.close();
      const lost = testProvider({ ...remote.fields, url });
      expect(failureOf(await lost.call(request(), listen().context))).toMatchObject({
        class: 'connection',
        advice: 'retry',
        billed: 'no',
      });
      await lost.close();
    });

    it.each([
      ['first_token', 'first_token_timeout', { connection: 'silent' }],
      ['attempt', 'timeout', { connection: 'silent' }],
      ['first_token', 'first_token_timeout', { stallAtToken: 0 }],
      ['stall', 'stalled', { stallAtToken: 20 }],
    ] as const)(
      'a %s time-out is the class %s, sends the call elsewhere and closes the socket',
      async (kind, expected, behaviour) => {
        under.server.script(behaviour);
        const controller = new AbortController();
        const heard = listen(controller.signal);
        const outcome = under.provider.call(request({ stream: true }), heard.context);
        const reached = await under.server.received(1);
        if ('stallAtToken' in behaviour && behaviour.stallAtToken > 0) await untilHeard(heard.deltas, 20);
        controller.abort(new AttemptTimeout(kind, 10));
        const error = failureOf(await outcome);
        await reached.gone;
        expect(error).toMatchObject({ class: expected, advice: 'elsewhere' });
        expect(reached.ended).toBe('client-closed');
      },
    );

    it('INV-10: a stream cut at token 40 of 60 is a failure that says what had come', async () => {
      for (const behaviour of [{ cutAtToken: 40 }, { endAtToken: 40 }]) {
        const error = failureOf(await under.call(behaviour, { stream: true }));
        expect(error).toMatchObject({
          class: 'cut_stream',
          advice: 'retry',
          billed: 'yes',
          seenCharacters: SIXTY.indexOf('t41'),
        });
      }
    });

    it('INV-10: a stream without a finish reason is cut, although all its text came', async () => {
      expect(failureOf(await under.call({ finish: null }, { stream: true }))).toMatchObject({
        class: 'cut_stream',
        billed: 'yes',
      });
    });

    it('an answer cut in its body is a failed connection', async () => {
      expect(failureOf(await under.call({ cutAtToken: 1 }))).toMatchObject({
        class: 'connection',
        advice: 'retry',
        billed: 'maybe',
      });
    });

    it('one malformed event in a good stream is recovered in place, and noted', async () => {
      const outcome = await under.call({ malformedAtToken: 30 }, { stream: true });
      expect(outcome).toMatchObject({ ok: true, value: { text: SIXTY, usage: { outputTokens: 60 } } });
      const why =
        remote === RESPONSES
          ? 'the provider repeated the whole text at the end'
          : 'nothing in it looked like output';
      expect(outcome.ok && outcome.value.notes?.map(({ message }) => message)).toEqual([
        `skipped a damaged event: ${why}`,
      ]);
    });

    it.each([0, 10])('an overload inside a 200, after %s tokens, is an overload', async (errorAtToken) => {
      const error = failureOf(await under.call({ errorAtToken }, { stream: true }));
      expect(error).toMatchObject({
        class: 'overloaded',
        advice: 'retry',
        status: 200,
        billed: errorAtToken === 0 ? 'maybe' : 'yes',
      });
    });

    it('an error object with status 200 is an error', async () => {
      under.server.script({
        status: 200,
        body: { error: { message: 'upstream is overloaded', type: 'overloaded_error', code: 529 } },
      });
      expect(failureOf(await under.provider.call(request(), listen().context))).toMatchObject({
        class: 'overloaded',
        advice: 'retry',
      });
    });

    it('a complete stream without its end marker is answered at once, usage kept, although it stays open', async () => {
      const outcome = await under.call({ omitEndMarker: true, keepOpen: true }, { stream: true });
      expect(outcome).toMatchObject({
        ok: true,
        value: { text: SIXTY, finishReason: 'stop', usage: { inputTokens: 20, outputTokens: 60 } },
      });
    });

    it('something that is no answer at all is malformed, and asks about the base URL', async () => {
      const error = failureOf(
        await under.call({ status: 200, body: '<html>Welcome</html>', contentType: 'text/html' }),
      );
      expect(error).toMatchObject({ class: 'malformed_stream', advice: 'elsewhere' });
      expect(error.message).toContain('is baseUrl right?');
    });

    it('takes a whole answer where a stream was asked for', async () => {
      const answer = await fetch(`${under.server.url}${remote.path}`, {
        method: 'POST',
        body: '{"model":"model-1"}',
      });
      under.server.script({ status: 200, body: await answer.json() });
      const heard = listen();
      const outcome = await under.provider.call(request({ stream: true }), heard.context);
      expect(outcome).toMatchObject({ ok: true, value: { text: SIXTY, usage: { outputTokens: 60 } } });
      expect(heard.deltas.join('')).toBe(SIXTY);
    });
  });

  describe('cancellation', () => {
    it.each([
      ['before the headers', { connection: 'silent' }, 0],
      ['between tokens', { stallAtToken: 20 }, 20],
    ] as const)('%s, it closes the socket and says what had come', async (_when, behaviour, tokens) => {
      under.server.script(behaviour);
      const controller = new AbortController();
      const heard = listen(controller.signal);
      const outcome = under.provider.call(request({ stream: true }), heard.context);
      const reached = await under.server.received(1);
      await untilHeard(heard.deltas, tokens);
      controller.abort(new Error('the caller went away'));
      const error = failureOf(await outcome);
      await reached.gone;
      expect(reached.ended).toBe('client-closed');
      expect(error).toMatchObject({
        class: 'cancelled',
        advice: 'give-up',
        billed: tokens > 0 ? 'yes' : 'maybe',
        seenCharacters: heard.deltas.join('').length,
      });
    });

    it("throws what the caller's own functions throw, and closes the socket", async () => {
      under.server.script({ stallAtToken: 20 });
      const fault = new Error('a bug of the caller');
      const onText = (): void => {
        throw fault;
      };
      const call = under.provider.call(request({ stream: true }), { ...listen().context, onText });
      await expect(call).rejects.toBe(fault);
      const reached = await under.server.received(1);
      await reached.gone;
      expect(reached.ended).toBe('client-closed');
    });
  });
});

describe.each([CHAT, MESSAGES])('a stream that does not repeat its text: $label', (remote) => {
  const under = useRemote(remote);

  it('INV-10: a damaged piece of text is never left out in silence', async () => {
    const heard = listen();
    under.server.script({ damageToken: 30 });
    const outcome = await under.provider.call(request({ stream: true }), heard.context);
    expect(failureOf(outcome)).toMatchObject({
      class: 'malformed_stream',
      advice: 'retry',
      billed: 'yes',
    });
    // Nothing after the damage was given to the caller.
    expect(heard.deltas.join('').trim()).toBe(SIXTY.slice(0, SIXTY.indexOf('t30')).trim());
  });
});

describe('a stream that repeats its text at the end: openai responses', () => {
  const under = useRemote(RESPONSES);

  it('INV-10: a damaged piece of text is repaired where the whole text comes at the end', async () => {
    const heard = listen();
    under.server.script({ damageToken: 30 });
    const outcome = await under.provider.call(request({ stream: true }), heard.context);
    expect(outcome).toMatchObject({ ok: true, value: { text: SIXTY } });
    expect(heard.deltas.join('')).toBe(SIXTY);
  });
});
