// Finding a revision by what a person types, and its plan in the ledger.
import { HeadgateError } from '../errors/headgate-error.ts';
import type { RevisionReader, RevisionRecord } from '../ledger/port.ts';
import { decodePlan } from '../language/plan/encode.ts';
import type { Plan } from '../language/plan/types.ts';

/** Fewer characters than git takes would name a revision by accident. */
const SHORTEST_NAME = 4;

/** `name`: a hash, or the beginning of one or of a commit's. Throws UNKNOWN_REVISION or AMBIGUOUS_REVISION. */
export async function findRevision(ledger: RevisionReader, name: string): Promise<RevisionRecord> {
  const found = name.length < SHORTEST_NAME ? [] : await ledger.revisionsNamed(name.toLowerCase());
  const [first, ...others] = found;
  if (first === undefined)
    throw new HeadgateError(
      'UNKNOWN_REVISION',
      `there is no compiled revision "${name}"`,
      'List them with "headgate history", and give a hash or at least four characters of its beginning.',
    );
  const exact = found.find(({ hash }) => hash === name);
  if (exact === undefined && others.length > 0)
    throw new HeadgateError(
      'AMBIGUOUS_REVISION',
      `"${name}" may be ${found.map(({ hash }) => hash.slice(0, 12)).join(' or ')}`,
      'Give more of the hash.',
    );
  return exact ?? first;
}

/** Throws REVISION_UNREADABLE: the ledger does not have the plan, or another version of Headgate wrote it in another form. */
export async function storedPlan(
  planText: (hash: string) => Promise<string | undefined>,
  hash: string,
): Promise<Plan> {
  const text = await planText(hash);
  try {
    if (text !== undefined) return decodePlan(text);
  } catch (error) {
    throw unreadable(hash, error);
  }
  throw unreadable(hash, undefined);
}

/** The plan that the next start would serve, as the ledger has it: what is pinned, else what was active last. null: none was, or it cannot be read. */
export async function planInForce(
  ledger: RevisionReader & { planText(hash: string): Promise<string | undefined> },
): Promise<Plan | null> {
  const [newest] = (await ledger.revisionsInForce()).toSorted(
    (left, right) => Number(right.pinned) - Number(left.pinned),
  );
  if (newest === undefined) return null;
  return storedPlan((hash) => ledger.planText(hash), newest.hash).catch(() => null);
}

function unreadable(hash: string, cause: unknown): HeadgateError {
  return new HeadgateError(
    'REVISION_UNREADABLE',
    `the plan of revision ${hash.slice(0, 12)} cannot be read from the ledger`,
    'If it is pinned, release it with "headgate activate --release"; else name another.',
    { cause },
  );
}
