// The same alert from several nodes has one id, so that it is there once: of what is told, the window that it is of, and otherwise the time.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../common/json.ts';
import type { Json } from '../../common/json.ts';
import { DIGITS, timeDigits } from '../../common/ids.ts';
import type { AlertRecord } from '../../engine/execution/recorder.ts';

/** What each node notices by itself; all else is done by one. */
const NOTICED = new Set<AlertRecord['kind']>([
  'budget_warn',
  'budget_exhausted',
  'budget_overrun',
  'budget_forecast',
  'loop',
  'surge',
  'circuit',
  'revision_refused',
  'usage_missing',
  'usage_impossible',
  'prices_old',
]);
/** Of the details, what tells one from another: how much was spent then, each node says a little differently. */
const PARTS = [
  'account',
  'share',
  'limit',
  'windowStartedAtMs',
  'state',
  'stage',
  'hash',
  'model',
  'task',
  'same',
  'days',
];
/** What was noticed within the same of these is the same, where no window says it. */
const SLOT_MS = 60_000;
/** Calendar windows begin at a whole quarter of an hour, whatever the time zone; a rolling one begins at any time. */
const QUARTER_MS = 900_000;

/** `find`: what is in the ledger by an id. What one node notices just before the end of a moment and another just after it is the same too. */
export async function withSharedId(
  alert: AlertRecord,
  find: (id: string) => Promise<AlertRecord | undefined>,
): Promise<AlertRecord> {
  if (!NOTICED.has(alert.kind)) return alert;
  const { windowStartedAtMs: window } = alert.details;
  if (typeof window === 'number' && window % QUARTER_MS === 0) return { ...alert, id: idOf(alert, window) };
  const slotMs = Math.floor(alert.atMs / SLOT_MS) * SLOT_MS;
  const before = idOf(alert, slotMs - SLOT_MS);
  const known = await find(before).catch(() => undefined);
  const isKnown = known !== undefined && alert.atMs - known.atMs < SLOT_MS;
  return { ...alert, id: isKnown ? before : idOf(alert, slotMs) };
}

function idOf({ kind, scope, details }: AlertRecord, atMs: number): string {
  const parts = PARTS.map((part) => (part === 'windowStartedAtMs' ? atMs : (details[part] ?? null)));
  const digest = createHash('sha256')
    .update(canonicalJson([kind, scope, ...parts] as Json))
    .digest();
  const tail = Array.from(digest.subarray(0, 16), (byte) => DIGITS.charAt(byte % 32)).join('');
  return `alr_${timeDigits(atMs)}${tail}`;
}
