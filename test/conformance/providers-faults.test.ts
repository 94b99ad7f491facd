// Any mixture of faults: an answer is the whole answer, and everything else is a failure that says so (INV-10).
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Provider } from '../../src/engine/providers/port.ts';
import { startFaultServer } from '../support/fault-server.ts';
import type { Behaviour, FaultServer } from '../support/fault-server.ts';
import { listen, request, testProvider } from '../support/provider-plan.ts';
import { REMOTES, SIXTY } from '../support/provider-remotes.ts';

const token = fc.integer({ min: 1, max: 60 });
const faults: fc.Arbitrary<Behaviour> = fc
  .record(
    {
      cutAtToken: fc.nat({ max: 60 }),
      endAtToken: fc.nat({ max: 60 }),
      errorAtToken: fc.nat({ max: 60 }),
      malformedAtToken: fc.nat({ max: 60 }),
      damageToken: token,
      omitEndMarker: fc.boolean(),
      usage: fc.constant(null),
      finish: fc.constant(null),
      connection: fc.constant('reset' as const),
      refuse: fc.constantFrom('rate_limited', 'overloaded', 'content_filter', 'context_length'),
      sliceBytes: fc.integer({ min: 7, max: 900 }),
    },
    { requiredKeys: [] },
  )
  // Most faults alone or in pairs: with all at once, only the first to strike would ever be tried.
  .chain((all) =>
    fc
      .subarray(Object.keys(all), { maxLength: 2 })
      .map((kept) => Object.fromEntries(Object.entries(all).filter(([name]) => kept.includes(name)))),
  );

describe.each(REMOTES)('any mixture of faults: $label', (remote) => {
  let server: FaultServer;
  let provider: Provider;
  beforeAll(async () => {
    server = await startFaultServer();
    provider = testProvider({ ...remote.fields, url: remote.url(server) });
  });
  afterAll(async () => {
    await provider.close();
    await server.close();
  });

  it.each([true, false])(
    'INV-10: gives the whole answer or a failure, never a part as an answer (stream: %s)',
    async (stream) => {
      await fc.assert(
        fc.asyncProperty(faults, async (behaviour) => {
          server.reset();
          server.script(behaviour);
          const heard = listen();
          const outcome = await provider.call(request({ stream }), heard.context);
          const call = server.calls.at(-1);
          const given = heard.deltas.join('');
          if (outcome.ok) {
            expect(outcome.value.text).toBe(SIXTY);
            expect(given).toBe(stream ? SIXTY : '');
            expect(call?.ended).toBe('complete');
          } else {
            const { billed, seenCharacters } = outcome.error;
            // What was given to the caller is a beginning of the answer, or of what was left of it before the damage.
            expect(SIXTY.startsWith(given)).toBe(true);
            // Whatever is on the vendor's invoice is at least thought possible here.
            if (call?.billed !== null && call?.billed !== undefined) expect(billed).not.toBe('no');
            if (seenCharacters > 0) expect(billed).toBe('yes');
          }
          // What may have been read is not sent again on the same hold.
          expect(server.calls.length).toBeLessThanOrEqual(1);
        }),
        { numRuns: 60 },
      );
    },
  );
});
