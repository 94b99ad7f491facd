// The dimensions of a roll-up, and the contributions of written rows to it: one rule for the writer and for the live statistics.
import { canonicalJson } from '../../common/json.ts';

export interface Dimensions {
  readonly task: string;
  readonly caller: string;
  readonly team: string;
  readonly provider: string;
  /** `provider/model`, by the name that was asked for; '' where no provider was called. */
  readonly model: string;
  readonly revision: string;
  /** Canonical JSON of the run's tags. */
  readonly tags: string;
  /** What the client said that its run belongs to; '': nothing. */
  readonly session: string;
  readonly status: string;
}

/** What people may group by, in the order in which they are told of them; each is a part of `Dimensions`. */
export const GROUP_DIMENSIONS = [
  'PROVIDER',
  'MODEL',
  'TASK',
  'CALLER',
  'TEAM',
  'SESSION',
  'TAG',
  'REVISION',
  'STATUS',
] as const;

export type Grain = 0 | 1 | 2;
export const MINUTES: Grain = 0;
export const HOURS: Grain = 1;
export const DAYS: Grain = 2;

export const GRAIN_MS = [60_000, 3_600_000, 86_400_000] as const;

/**
 * Added to the grain of sums by session. They are kept beside the others, and only of runs that say one: there may be a session for every few runs,
 * and a question that does not ask for sessions reads none of them.
 */
export const BY_SESSION = 3;

/**
 * Days by session and nothing else. A question for a month's sessions reads one row for each of them, where by all dimensions there may be twenty.
 */
export const SESSION_DAYS = DAYS + 2 * BY_SESSION;

/**
 * Quarters of an hour of everything together, without durations. Days begin at one in every time zone, and it is one row for all that is written at
 * once, where by all dimensions there would be one for each combination.
 */
export const QUARTERS = 3 * BY_SESSION;
const QUARTER_MS = 900_000;

/** What is counted of everything, and of what says a session under all its dimensions. */
const ALL_GRAINS: readonly number[] = [MINUTES, HOURS, DAYS];
const SESSION_GRAINS: readonly number[] = ALL_GRAINS.map((grain) => grain + BY_SESSION);

export function widthMs(grain: number): number {
  return grain === QUARTERS ? QUARTER_MS : GRAIN_MS[(grain % BY_SESSION) as Grain];
}

/** `grain`: of everything, by session, or quarters. */
export function bucketStartMs(grain: number, atMs: number): number {
  const width = widthMs(grain);
  return Math.floor(atMs / width) * width;
}

/** Everything but the status, as the beginning of a JSON array: what is known when an attempt is opened. */
export function encodeStem(dimensions: Omit<Dimensions, 'status'>): string {
  const { task, caller, team, provider, model, revision, tags, session } = dimensions;
  const parts = [task, caller, team, provider, model, revision, tags];
  return JSON.stringify(session === '' ? parts : [...parts, session]).slice(0, -1);
}

export function encodeDimensions(stem: string, status: string): string {
  return `${stem},"${status}"]`;
}

/** What `encodeDimensions` was given as the stem. */
export function stemOf(dimensions: string): string {
  return dimensions.slice(0, dimensions.lastIndexOf(','));
}

export function decodeDimensions(text: string): Dimensions {
  const parts = JSON.parse(text) as string[];
  const [task = '', caller = '', team = '', provider = '', model = '', revision = '', tags = '{}'] = parts;
  const session = parts.length > PARTS_WITHOUT_SESSION ? (parts[PARTS_WITHOUT_SESSION - 1] ?? '') : '';
  return { task, caller, team, provider, model, revision, tags, session, status: parts.at(-1) ?? '' };
}

/** The dimensions that a run is counted under whatever session it says. */
export function withoutSession(text: string): string {
  return coarserKeys(text).base;
}

/** What a run is counted under beside its own dimensions. */
interface CoarserKeys {
  /** Whatever session it says. */
  readonly base: string;
  /** By its session alone; null: it says none. */
  readonly session: string | null;
}

export function coarserKeys(text: string): CoarserKeys {
  const { status, session, ...rest } = decodeDimensions(text);
  if (session === '') return { base: text, session: null };
  return {
    base: encodeDimensions(encodeStem({ ...rest, session: '' }), status),
    session: encodeDimensions(encodeStem({ ...NOTHING, session }), ''),
  };
}

/** One key that a change is counted under, and the grains at which it is. */
export interface CountedPlace {
  readonly key: string;
  readonly grains: readonly number[];
}

const REMEMBERED_KEYS = 20_000;

/** Everywhere that a change under a key is counted; of keys that come again it is remembered. */
export class CountedPlaces {
  #known = new Map<string, readonly CountedPlace[]>();

  of(key: string): readonly CountedPlace[] {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= REMEMBERED_KEYS) this.#known = new Map();
    const { base, session } = coarserKeys(key);
    const places: CountedPlace[] = [
      { key: base, grains: ALL_GRAINS },
      { key: EVERYTHING, grains: [QUARTERS] },
    ];
    if (session !== null)
      places.push({ key, grains: SESSION_GRAINS }, { key: session, grains: [SESSION_DAYS] });
    this.#known.set(key, places);
    return places;
  }
}

const NOTHING = { task: '', caller: '', team: '', provider: '', model: '', revision: '', tags: '{}' };

/** The key of quarters. */
const EVERYTHING = encodeDimensions(encodeStem({ ...NOTHING, session: '' }), '');

/** The session stands before the status, where there is one. */
const PARTS_WITHOUT_SESSION = 8;

export function encodeTags(tags: { readonly [key: string]: string }): string {
  for (const _ in tags) return canonicalJson(tags);
  return '{}';
}
