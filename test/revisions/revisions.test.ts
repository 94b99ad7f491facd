// Which plan is in force: swaps, refusals, pins, and what the ledger knows of them after a restart.
import { describe, expect, it } from 'vitest';
import { HeadgateError } from '../../src/errors/headgate-error.ts';
import { revisionAlert } from '../../src/revisions/alerts.ts';
import { pinInLedger, releaseInLedger } from '../../src/revisions/pin.ts';
import { ledgerPath, openTestLedger } from '../support/ledger-folder.ts';
import { BROKEN, committed, greet, handSource, PROJECT, revisionsFixture, workflows } from './support.ts';

const GONE = new HeadgateError('GIT_REF_NOT_FOUND', 'there is no "main"', 'Name one that is there.');

describe('loading revisions', () => {
  it('INV-8: has the row of a revision committed, with its commit and its plan, before a run can take it', async () => {
    const source = handSource(committed(workflows(greet('Hello')), 'first'));
    const { revisions, ledger, results } = await revisionsFixture(source);
    expect(() => revisions.active()).toThrow(HeadgateError);
    const result = await revisions.reload();
    const { plan, record } = revisions.active();
    expect(result).toEqual({ kind: 'activated', revision: { plan, record }, previous: null, warnings: [] });
    expect(results).toEqual([result]);
    expect((await ledger.revisionsByHash([plan.hash])).get(plan.hash)).toEqual(record);
    expect(record).toMatchObject({
      subject: 'first',
      author: 'Ana <ana@example.com>',
      dirty: false,
      source: 'by hand',
      activeToMs: null,
      problems: [],
    });
    expect(await ledger.planText(plan.hash)).toContain('Hello');
  });

  it('INV-7: swaps to what has another meaning, and ends the time of the one before at that moment', async () => {
    const source = handSource(committed(workflows(greet('Hello')), 'first'));
    const { revisions, ledger, clock, results } = await revisionsFixture(source);
    await revisions.reload();
    const first = revisions.active();
    await clock.advance(5_000);
    source.content = committed(workflows(greet('Goodbye')), 'second');
    await revisions.reload();
    const second = revisions.active();
    expect(second.plan.hash).not.toBe(first.plan.hash);
    expect(results.at(-1)).toMatchObject({ kind: 'activated', previous: { record: { subject: 'first' } } });
    const rows = await ledger.revisionsByHash([first.plan.hash, second.plan.hash]);
    expect(rows.get(first.plan.hash)?.activeToMs).toBe(second.record.activeFromMs);
    expect(rows.get(second.plan.hash)).toMatchObject({ subject: 'second', activeToMs: null });
  });

  it('INV-7: puts a plan in force when it is prepared, and one that cannot be prepared never', async () => {
    const source = handSource(committed(workflows(greet('Hello')), 'first'));
    const prepared: string[] = [];
    const { revisions, ledger } = await revisionsFixture(source, {
      async prepare(plan) {
        expect((await ledger.revisionsByHash([plan.hash])).size).toBe(0);
        if (prepared.push(plan.hash) > 1) throw new Error('its expressions do not compile');
      },
    });
    await revisions.reload();
    const { plan, record } = revisions.active();
    expect(prepared).toEqual([plan.hash]);
    source.content = committed(workflows(greet('Goodbye')), 'second');
    await expect(revisions.reload()).rejects.toThrow('do not compile');
    expect(revisions.active()).toEqual({ plan, record });
  });

  it('keeps the plan where only the text has changed, and the name of the commit that brought it', async () => {
    const source = handSource(committed(workflows(greet('Hello')), 'first'));
    const { revisions, results } = await revisionsFixture(source);
    await revisions.reload();
    const before = revisions.active();
    source.content = committed(workflows(greet('Hello', '# a remark\n')), 'second');
    expect(await revisions.reload()).toEqual({ kind: 'unchanged', revision: before });
    expect(results).toHaveLength(1);
  });

  it('takes the name of the commit once what was tried uncommitted is committed', async () => {
    const source = handSource(committed(workflows(greet('Hello')), 'first', true));
    const { revisions, ledger } = await revisionsFixture(source);
    await revisions.reload();
    expect(revisions.active().record).toMatchObject({ subject: 'first', dirty: true });
    source.content = committed(workflows(greet('Hello')), 'second');
    await revisions.reload();
    const { record } = revisions.active();
    expect(record).toMatchObject({ subject: 'second', dirty: false });
    expect((await ledger.revisionsByHash([record.hash])).get(record.hash)).toEqual(record);
  });

  it('serves requests that come during a reading by one further reading', async () => {
    const source = handSource(committed(workflows(greet('Hello')), 'first'));
    const { revisions } = await revisionsFixture(source);
    const first = revisions.reload();
    await Promise.resolve();
    await Promise.resolve();
    source.content = committed(workflows(greet('Goodbye')), 'second');
    const others = [revisions.reload(), revisions.reload(), revisions.reload()];
    await Promise.all([first, ...others]);
    expect(revisions.active().record.subject).toBe('second');
    expect(source.readings).toBeLessThanOrEqual(2);
  });

  it('loads when the source calls', async () => {
    const source = handSource(committed(workflows(greet('Hello')), 'first'));
    const { revisions } = await revisionsFixture(source);
    await revisions.reload();
    await revisions.watch((error) => expect(error).toBeUndefined());
    source.content = committed(workflows(greet('Goodbye')), 'second');
    source.change();
    await revisions.reload();
    expect(revisions.active().record.subject).toBe('second');
  });

  it('tells every listener, also when one of them fails', async () => {
    const source = handSource(committed(workflows(greet('Hello')), 'first'));
    const { revisions } = await revisionsFixture(source);
    const heard: string[] = [];
    revisions.onChange(() => {
      throw new Error('a bad listener');
    });
    const stop = revisions.onChange((result) => void heard.push(result.kind));
    await revisions.reload();
    stop();
    source.content = committed(workflows(greet('Goodbye')), 'second');
    await revisions.reload();
    expect(heard).toEqual(['activated']);
  });

  it('INV-7: says so when a provider has only a new name, for what is kept under the old one stays there', async () => {
    const source = handSource(committed(workflows(greet('Hello')), 'first'));
    const { revisions, notices } = await revisionsFixture(source);
    await revisions.reload();
    const renamed = PROJECT.replaceAll('local', 'gpu');
    source.content = committed(workflows(greet('Hello'), renamed), 'second');
    await revisions.reload();
    expect(notices.map((notice) => revisionAlert(notice).message)).toEqual([
      'The provider "local" is now called "gpu": its circuits, latencies and rate windows start afresh.',
    ]);
  });
});

describe('a revision that does not compile', () => {
  it('INV-7: is refused as a whole, recorded and told once; the old one serves on until a fix comes', async () => {
    const source = handSource(committed(workflows(greet('Hello')), 'first'));
    const { revisions, ledger, results, notices } = await revisionsFixture(source);
    await revisions.reload();
    const serving = revisions.active();
    source.content = committed(workflows(BROKEN), 'broken');
    const refused = await revisions.reload();
    expect(refused).toMatchObject({
      kind: 'refused',
      serving,
      record: { subject: 'broken', activeFromMs: null },
    });
    expect(await revisions.reload()).toMatchObject({ kind: 'refused' });
    expect(revisions.active()).toBe(serving);
    expect(revisions.refused()?.problems.length).toBeGreaterThan(0);
    expect(results.map(({ kind }) => kind)).toEqual(['activated', 'refused']);
    const row = (await ledger.revisions({ limit: 10 })).rows.find(({ subject }) => subject === 'broken');
    expect(row?.problems).toEqual(revisions.refused()?.problems);
    const [notice] = notices.map(revisionAlert);
    expect(notices).toHaveLength(1);
    expect(notice).toMatchObject({ kind: 'revision_refused', severity: 'warning' });
    expect(notice?.message).toContain('workflows/greet.yaml');

    source.content = committed(workflows(greet('Goodbye')), 'fixed');
    await revisions.reload();
    expect(revisions.refused()).toBeNull();
    expect(revisions.active().record.subject).toBe('fixed');
  });

  it('is no longer reported once it was taken back', async () => {
    const source = handSource(committed(workflows(greet('Hello')), 'first'));
    const { revisions } = await revisionsFixture(source);
    await revisions.reload();
    source.content = committed(workflows(BROKEN), 'broken');
    await revisions.reload();
    source.content = committed(workflows(greet('Hello')), 'revert');
    expect(await revisions.reload()).toMatchObject({ kind: 'unchanged' });
    expect(revisions.refused()).toBeNull();
  });

  it('serves nothing when it is the first', async () => {
    const { revisions } = await revisionsFixture(handSource(committed(workflows(BROKEN), 'broken')));
    expect(await revisions.reload()).toMatchObject({ kind: 'refused', serving: null });
    expect(() => revisions.active()).toThrow(HeadgateError);
  });
});

describe('a source that cannot be read', () => {
  it('is told like a refusal, once, while the old revision serves on', async () => {
    const source = handSource(committed(workflows(greet('Hello')), 'first'));
    const { revisions, ledger, notices } = await revisionsFixture(source);
    await revisions.reload();
    source.content = GONE;
    expect(await revisions.reload()).toMatchObject({
      kind: 'refused',
      record: { problems: [{ code: 'git-ref-not-found', message: GONE.message }] },
    });
    await revisions.reload();
    expect(notices).toHaveLength(1);
    expect(revisions.active().record.subject).toBe('first');
    expect((await ledger.revisions({ limit: 10 })).rows).toHaveLength(1);
  });

  it('is an error while nothing is served', async () => {
    const source = handSource(committed([], 'none'));
    source.content = GONE;
    const { revisions } = await revisionsFixture(source);
    await expect(revisions.reload()).rejects.toBe(GONE);
    source.content = committed(workflows(greet('Hello')), 'first');
    expect(await revisions.reload()).toMatchObject({ kind: 'activated' });
  });
});

describe('a pinned revision', () => {
  async function twoRevisions(path = ledgerPath()) {
    const source = handSource(committed(workflows(greet('Hello')), 'aaaa first'));
    const fixture = await revisionsFixture(source, { path });
    await fixture.revisions.reload();
    const first = fixture.revisions.active();
    source.content = committed(workflows(greet('Goodbye')), 'bbbb second');
    await fixture.revisions.reload();
    return { ...fixture, source, path, first, second: fixture.revisions.active() };
  }

  it('serves whatever the source says, until it is released', async () => {
    const { revisions, ledger, source, notices, first } = await twoRevisions();
    await revisions.activate(first.plan.hash, 'ana');
    expect(revisions.pinned()).toBe(true);
    expect(revisions.active().plan).toEqual(first.plan);
    expect(revisions.active().record).toMatchObject({
      subject: 'aaaa first',
      pinned: true,
      activeToMs: null,
    });
    source.content = committed(workflows(greet('Hi')), 'cccc third');
    expect(await revisions.reload()).toMatchObject({ kind: 'unchanged' });
    expect(revisions.active().plan.hash).toBe(first.plan.hash);
    const waiting = (await ledger.revisions({ limit: 1 })).rows[0];
    expect(waiting).toMatchObject({ subject: 'cccc third', activeFromMs: null, problems: [] });

    expect(await revisions.release('bob')).toMatchObject({
      kind: 'activated',
      revision: { record: { subject: 'cccc third', pinned: false } },
    });
    expect(revisions.pinned()).toBe(false);
    expect(notices.map(revisionAlert).map(({ kind, details }) => [kind, details['by']])).toEqual([
      ['revision_pinned', 'ana'],
      ['revision_released', 'bob'],
    ]);
    expect((await ledger.revisionsInForce()).map(({ subject }) => subject)).toEqual(['cccc third']);
  });

  it('holds after a restart, and is released there', async () => {
    const { revisions, path, first, source, close } = await twoRevisions();
    await revisions.activate(first.plan.hash, 'ana');
    await close();
    const after = await revisionsFixture(source, { path });
    expect(await after.revisions.reload()).toMatchObject({
      kind: 'unchanged',
      revision: { record: { pinned: true } },
    });
    expect(after.revisions.active().plan).toEqual(first.plan);
    await after.revisions.release('ana');
    expect(after.revisions.active().record.subject).toBe('bbbb second');
  });

  it('is set and released in the ledger while no server runs, and served from the next start on', async () => {
    const { path, first, source, close } = await twoRevisions();
    await close();
    const ledger = await openTestLedger(path, { writer: 'inline' });
    expect(await pinInLedger(ledger, first.plan.hash.slice(0, 12))).toMatchObject({
      hash: first.plan.hash,
      pinned: true,
    });
    await expect(pinInLedger(ledger, 'ffffffff')).rejects.toMatchObject({ code: 'UNKNOWN_REVISION' });
    await ledger.close();

    const after = await revisionsFixture(source, { path });
    await after.clock.advance(60_000);
    await after.revisions.reload();
    expect(after.revisions.active().record).toMatchObject({
      hash: first.plan.hash,
      pinned: true,
      activeToMs: null,
      activeFromMs: after.clock.nowMs(),
    });
    expect((await after.ledger.revisionsInForce()).map(({ hash }) => hash)).toEqual([first.plan.hash]);
    await after.close();

    const again = await openTestLedger(path, { writer: 'inline' });
    expect(await releaseInLedger(again)).toMatchObject({ hash: first.plan.hash });
    expect(await releaseInLedger(again)).toBeUndefined();
    await again.close();
    const released = await revisionsFixture(source, { path });
    await released.revisions.reload();
    expect(released.revisions.active().record).toMatchObject({ subject: 'bbbb second', pinned: false });
  });

  it('serves after a restart though the source is gone or broken, and says so', async () => {
    const { revisions, path, first, source, close } = await twoRevisions();
    await revisions.activate(first.plan.hash, 'ana');
    await close();
    source.content = GONE;
    const after = await revisionsFixture(source, { path });
    expect(await after.revisions.reload()).toMatchObject({
      kind: 'refused',
      serving: { record: { pinned: true } },
    });
    expect(after.revisions.active().plan.hash).toBe(first.plan.hash);
    source.content = committed(workflows(BROKEN), 'broken');
    expect(await after.revisions.release('ana')).toMatchObject({ kind: 'refused' });
    expect(after.revisions.active().record).toMatchObject({ hash: first.plan.hash, pinned: false });
  });

  it('has the environment of the process that serves it', async () => {
    const uses = (task: string): string => task.replace('builtin/extract', 'local/m1');
    const path = ledgerPath();
    const source = handSource(committed(workflows(greet('Hello'), uses(PROJECT)), 'first'));
    const before = await revisionsFixture(source, { path, env: { LOCAL_URL: 'http://old' } });
    await before.revisions.reload();
    await before.revisions.activate(before.revisions.active().plan.hash, 'ana');
    await before.close();
    const after = await revisionsFixture(source, { path, env: { LOCAL_URL: 'http://new' } });
    await after.revisions.reload();
    expect(after.revisions.active().plan.environment).toEqual({ LOCAL_URL: 'http://new' });
  });

  it('may be the active one, or be followed by another pin', async () => {
    const { revisions, ledger, first, second } = await twoRevisions();
    await revisions.activate(second.plan.hash, 'ana');
    expect(revisions.active().record).toEqual({ ...second.record, pinned: true });
    await revisions.activate(first.plan.hash, 'ana');
    expect((await ledger.revisionsInForce()).map(({ hash }) => hash)).toEqual([first.plan.hash]);
  });

  it('is found by the beginning of its hash or of its commit, and only when that says which', async () => {
    const { revisions, first, second } = await twoRevisions();
    await revisions.activate('bbbb', 'ana');
    expect(revisions.active().record.hash).toBe(second.plan.hash);
    await revisions.activate(first.plan.hash.slice(0, 10), 'ana');
    expect(revisions.active().record.hash).toBe(first.plan.hash);
    for (const name of ['', 'a', 'ffffffff', 'aaaa%'])
      await expect(revisions.activate(name, 'ana')).rejects.toMatchObject({ code: 'UNKNOWN_REVISION' });
  });

  it('is not guessed when two begin alike', async () => {
    const source = handSource(committed(workflows(greet('Hello')), 'same'));
    const { revisions } = await revisionsFixture(source);
    await revisions.reload();
    source.content = committed(workflows(greet('Goodbye')), 'same');
    await revisions.reload();
    await expect(revisions.activate('same', 'ana')).rejects.toMatchObject({ code: 'AMBIGUOUS_REVISION' });
    expect(revisions.pinned()).toBe(false);
  });

  it('cannot be one that was refused', async () => {
    const { revisions, source } = await twoRevisions();
    source.content = committed(workflows(BROKEN), 'dddd broken');
    await revisions.reload();
    await expect(revisions.activate('dddd', 'ana')).rejects.toMatchObject({ code: 'UNKNOWN_REVISION' });
  });

  it('is released without an effect where nothing is pinned', async () => {
    const { revisions, notices } = await twoRevisions();
    expect(await revisions.release('ana')).toMatchObject({ kind: 'unchanged' });
    expect(notices).toEqual([]);
  });
});

describe('after a restart', () => {
  it('goes on with the row of the same revision, and ends that of another', async () => {
    const path = ledgerPath();
    const source = handSource(committed(workflows(greet('Hello')), 'first'));
    const before = await revisionsFixture(source, { path });
    await before.revisions.reload();
    const { record } = before.revisions.active();
    await before.close();

    const again = await revisionsFixture(source, { path });
    await again.clock.advance(60_000);
    await again.revisions.reload();
    expect(again.revisions.active().record).toEqual(record);
    await again.close();

    source.content = committed(workflows(greet('Goodbye')), 'second');
    const other = await revisionsFixture(source, { path });
    await other.clock.advance(90_000);
    await other.revisions.reload();
    const rows = await other.ledger.revisionsByHash([record.hash]);
    expect(rows.get(record.hash)?.activeToMs).toBe(other.revisions.active().record.activeFromMs);
  });
});
