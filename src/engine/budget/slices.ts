// Slices: where several nodes spend from one budget, what this one has of each account, got ahead of need and given back when idle (INV-2).
import type { Clock } from '../../common/clock.ts';
import type { Account } from './account.ts';
import type { BudgetState } from './budget-state.ts';
import type { Leases, SharedAccount, SliceNeed } from './port.ts';
import { amountOf } from './units.ts';

/** What is not used for so long goes back. */
const IDLE_MS = 1_000;
const LOOK_EVERY_MS = 250;
/** What others spent and hold is read again this often. */
const OTHERS_EVERY_MS = 1_000;
/** Others are asked to give back what they do not use, and have so long to do so. */
const RECALL_MS = 120;
const MOST_RECALLS = 3;
/** After they had nothing, they are not asked again for so long: a budget that is used up refuses at once. */
const DRY_MS = 500;
/** A slice is for about so many holds of the size that asked for it, or for a second of what was spent. */
const HOLDS_A_SLICE = 8n;

interface Slice {
  readonly state: BudgetState;
  readonly account: Account;
  /** One question at a time for each account. */
  leasing: Promise<void> | undefined;
  /** Of the plan: what was asked for under an earlier one is not used. */
  epoch: number;
  /** Until then nobody is asked again to give back what he does not use: it was to no avail just now. */
  dryUntilMs: number;
  /** What calls wait for now. */
  waiting: bigint;
  /** The largest hold that was seen. */
  largest: bigint;
  usedAtMs: number;
  /** What was used of it when the second began, and what a second uses. */
  secondAtMs: number;
  usedBefore: bigint;
  aSecond: bigint;
}

export interface Slices {
  /** What this node may still take of an account. */
  leftOf(state: BudgetState, account: Account): bigint;
  /** Something was taken: more is asked for before it is needed. */
  taken(state: BudgetState, account: Account, amount: bigint): void;
  /** undefined: they are granted; else the first that cannot be, after which no other is asked for. Rejects with what the last question failed of. */
  need(needs: readonly SliceNeed[], states: ReadonlyMap<string, BudgetState>): Promise<SliceNeed | undefined>;
  /** Limits may be others now: what is not used is asked for again. */
  reconfigured(): void;
  close(): Promise<void>;
}

export function createSlices(
  leases: Leases,
  clock: Clock,
  states: () => ReadonlyMap<string, BudgetState>,
  now: () => number,
  changed: () => void,
): Slices {
  const slices = new Map<Account, Slice>();
  let closed = false;
  let readAtMs = Number.NEGATIVE_INFINITY;

  const sliceOf = (state: BudgetState, account: Account): Slice => {
    let slice = slices.get(account);
    if (slice === undefined) {
      slice = {
        state,
        account,
        leasing: undefined,
        epoch: 0,
        dryUntilMs: Number.NEGATIVE_INFINITY,
        waiting: 0n,
        largest: 0n,
        usedAtMs: clock.monotonicMs(),
        secondAtMs: clock.monotonicMs(),
        usedBefore: account.own,
        aSecond: 0n,
      };
      slices.set(account, slice);
    }
    return slice;
  };

  const leftOf = (state: BudgetState, account: Account): bigint => state.grantedOf(account) - account.own;

  /** What a second uses: as the last one did, or twice what this one has used so far, or some holds. */
  function secondOf({ account, aSecond, usedBefore }: Slice, hold: bigint): bigint {
    const soFar = 2n * (account.own - usedBefore);
    const least = HOLDS_A_SLICE * hold;
    const most = aSecond > soFar ? aSecond : soFar;
    return most > least ? most : least;
  }

  function sharedOf(state: BudgetState, account: Account): SharedAccount {
    return {
      budgetId: state.budget.id,
      account: account.key,
      windowStartMs: state.sliceStartMs(),
      unit: state.unit,
      countedFromMs: state.budget.per.kind === 'calendar' ? state.sliceStartMs() : state.cursor.cutoffMs(),
    };
  }

  async function ask(slice: Slice, need: bigint, isAhead: boolean): Promise<void> {
    const { state, account } = slice;
    state.advance(now());
    account.expire(state.cursor.cutoffMs());
    const shared = sharedOf(state, account);
    const have = state.grantedOf(account);
    // What is lent beyond the own use is part of what is needed.
    const missing = account.own + need - have;
    const second = secondOf(slice, need);
    const want = account.own + slice.waiting + second - have;
    // Had meanwhile; what is asked for ahead is wanted as long as the slice is not whole.
    if (missing <= 0n && (!isAhead || want <= 0n)) return;
    const { epoch } = slice;
    const answer = await leases.lease(shared, {
      limit: state.limit,
      have,
      need: missing > 0n ? missing : 0n,
      want: want > missing ? want : missing,
    });
    if (epoch !== slice.epoch || shared.windowStartMs !== state.sliceStartMs()) return;
    account.granted = answer.granted;
    account.grantedForMs = shared.windowStartMs;
    account.foreignHeld = answer.othersHeld;
  }

  /** One at a time; who comes meanwhile waits for it and asks again where it did not do. Gives what it failed of. */
  async function lease(slice: Slice, need: bigint, isAhead = false): Promise<unknown> {
    while (slice.leasing !== undefined) await slice.leasing;
    let failed: unknown;
    const asking = ask(slice, need, isAhead)
      .catch((error: unknown) => {
        failed = error;
      })
      .finally(() => {
        if (slice.leasing === asking) slice.leasing = undefined;
      });
    slice.leasing = asking;
    await asking;
    return failed;
  }

  async function needOne(need: SliceNeed, all: ReadonlyMap<string, BudgetState>): Promise<boolean> {
    const state = all.get(need.budgetId);
    if (state === undefined) return true;
    const account = state.obtainAny(need.account, now());
    const slice = sliceOf(state, account);
    slice.usedAtMs = clock.monotonicMs();
    slice.waiting += need.amount;
    try {
      return await obtain(slice, need);
    } finally {
      slice.waiting -= need.amount;
    }
  }

  async function obtain(slice: Slice, { budgetId, account: key, amount }: SliceNeed): Promise<boolean> {
    const { state, account } = slice;
    for (let recalls = 0; ; recalls += 1) {
      if (leftOf(state, account) >= amount) return true;
      const failed = await lease(slice, amount);
      if (leftOf(state, account) >= amount) return true;
      if (failed !== undefined) throw failed;
      if (closed || clock.monotonicMs() < slice.dryUntilMs) return false;
      if (recalls === MOST_RECALLS) {
        slice.dryUntilMs = clock.monotonicMs() + DRY_MS;
        return false;
      }
      // It does not fit now; before it is refused, the others give back what they do not use.
      await leases.recall(budgetId, key).catch(() => undefined);
      await new Promise<void>((resolve) => clock.after(RECALL_MS, resolve));
    }
  }

  /** Lowered here at once, then in the ledger: never does this node use what it has given back. */
  async function giveBack(slice: Slice, mustWait = false): Promise<void> {
    const { state, account } = slice;
    if (leftOf(state, account) <= 0n) return;
    if (slice.leasing !== undefined) {
      // What is being asked for comes on top of what there is.
      if (!mustWait) return;
      await slice.leasing;
      return giveBack(slice, mustWait);
    }
    const shared = sharedOf(state, account);
    const granted = account.own > 0n ? account.own : 0n;
    account.granted = granted;
    const giving = leases
      .giveBack(shared, granted)
      .catch(() => undefined)
      .finally(() => {
        if (slice.leasing === giving) slice.leasing = undefined;
      });
    slice.leasing = giving;
    await giving;
  }

  /** Nothing that was granted, or is being asked for, is used any more: a limit may be lower now. */
  async function startOver(slice: Slice): Promise<void> {
    const { state, account } = slice;
    slice.epoch += 1;
    const granted = account.own > 0n ? account.own : 0n;
    if (state.grantedOf(account) > granted) account.granted = granted;
    const shared = sharedOf(state, account);
    while (slice.leasing !== undefined) await slice.leasing;
    const giving = leases
      .giveBack(shared, account.granted)
      .catch(() => undefined)
      .finally(() => {
        if (slice.leasing === giving) slice.leasing = undefined;
      });
    slice.leasing = giving;
    await giving;
  }

  async function readOthers(): Promise<void> {
    const all = states();
    const nowMs = now();
    let sinceMs = nowMs;
    for (const state of all.values()) {
      state.advance(nowMs);
      if (state.budget.per.kind !== 'run') sinceMs = Math.min(sinceMs, state.cursor.sinceMs());
    }
    const found = await leases.others(sinceMs);
    const held = new Map<Account, bigint>();
    for (const use of found) {
      const state = all.get(use.budgetId);
      if (state === undefined || state.budget.per.kind === 'run') continue;
      if (use.windowStartMs < state.cursor.cutoffMs()) continue;
      const account = state.obtainAny(use.account, nowMs);
      const cell = account.cell(use.windowStartMs);
      account.setForeign(cell, amountOf(state.unit, use.spent), 0);
      held.set(account, (held.get(account) ?? 0n) + amountOf(state.unit, use.held));
    }
    for (const state of all.values())
      for (const account of state.accounts.values()) account.foreignHeld = held.get(account) ?? 0n;
    changed();
  }

  function look(): void {
    if (closed) return;
    const nowMs = clock.monotonicMs();
    for (const [account, slice] of slices) {
      if (slice.state.accounts.get(account.key) !== account) {
        slices.delete(account);
        // A reload counts otherwise: what is left of the slice is nobody's.
        leases.giveBack(sharedOf(slice.state, account), 0n).catch(() => undefined);
        continue;
      }
      if (nowMs - slice.secondAtMs >= 1_000) {
        const used = account.own - slice.usedBefore;
        slice.aSecond = used > 0n ? used : 0n;
        slice.usedBefore = account.own;
        slice.secondAtMs = nowMs;
      }
      if (nowMs - slice.usedAtMs >= IDLE_MS) void giveBack(slice);
    }
    if (nowMs - readAtMs >= OTHERS_EVERY_MS) {
      readAtMs = nowMs;
      readOthers().catch(() => undefined);
    }
    clock.after(LOOK_EVERY_MS, look);
  }
  clock.after(LOOK_EVERY_MS, look);

  const stopListening = leases.onRecall((budgetId, key) => {
    const state = states().get(budgetId);
    const account = state?.find(key);
    if (account === undefined) return;
    const slice = slices.get(account);
    if (slice !== undefined) void giveBack(slice);
  });

  return {
    leftOf,
    taken(state, account, amount) {
      const slice = sliceOf(state, account);
      slice.usedAtMs = clock.monotonicMs();
      if (amount > slice.largest) slice.largest = amount;
      // A quarter left: the next slice is asked for while this one still does.
      if (slice.leasing === undefined && leftOf(state, account) * 4n < secondOf(slice, slice.largest))
        void lease(slice, slice.largest, true);
    },
    async need(needs, all) {
      for (const each of needs) if (!(await needOne(each, all))) return each;
      return undefined;
    },
    reconfigured() {
      for (const slice of slices.values()) void startOver(slice);
    },
    async close() {
      closed = true;
      stopListening();
      await Promise.all([...slices.values()].map((slice) => giveBack(slice, true)));
    },
  };
}
