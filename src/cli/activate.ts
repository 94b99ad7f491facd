// headgate activate: pins one revision, whatever the workflows say, or releases it.
import { systemClock } from '../common/clock.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import type { RegisterCommand } from './commands.ts';
import { inLedgerOrAtServer } from './ledger-or-server.ts';
import { ledgerPath } from './ledger-path.ts';
import type { LedgerLocation } from './ledger-path.ts';
import { databaseOption, dataOption, keyOption, serverOption } from './options.ts';

interface ActivateFlags {
  readonly release: boolean;
  readonly data: string;
  readonly database?: string;
  readonly server?: string;
  readonly key?: string;
  readonly json: boolean;
}

/** What is told of a revision. */
interface Named {
  readonly hash: string;
  readonly commit?: string | null | undefined;
  readonly subject?: string | null | undefined;
  readonly pinned: boolean;
}

export const registerActivate: RegisterCommand = (program, io, end) =>
  program
    .command('activate')
    .description('serve one revision, whatever the workflows say, until it is released; also after a restart')
    .argument('[revision]', 'as "headgate history" lists it: a hash, or the beginning of one or of a commit')
    .option('--release', 'take what the workflows say again', false)
    .addOption(dataOption())
    .addOption(databaseOption())
    .addOption(serverOption())
    .addOption(keyOption())
    .option('--json', 'as JSON', false)
    .action(async (revision: string | undefined, flags: ActivateFlags) => {
      end(await activate(revision, flags, io));
    });

async function activate(revision: string | undefined, flags: ActivateFlags, io: CliIo): Promise<ExitCode> {
  if ((revision === undefined) !== flags.release)
    throw new UsageError(
      revision === undefined ? 'which revision?' : '--release takes no revision',
      'Write "headgate activate REVISION", or "headgate activate --release". "headgate history" lists them.',
    );
  const { json, text } = await inLedgerOrAtServer(
    flags,
    () => inLedger(revision, flags),
    (server) => remotely(revision, server, flags.key),
  );
  io.out(flags.json ? JSON.stringify(json, null, 2) : text);
  return 0;
}

/** What has come of it: a server serves it now; in a ledger it is what the next start serves, or what was let go of. */
interface Activated {
  readonly json:
    | { readonly serving: Named }
    | { readonly nextStart: Named }
    | { readonly released: Named | null };
  readonly text: string;
}

async function remotely(
  revision: string | undefined,
  server: string,
  key: string | undefined,
): Promise<Activated> {
  const [{ createRemote }, documents] = await Promise.all([import('./remote.ts'), import('./documents.ts')]);
  const remote = createRemote(server, key);
  if (revision === undefined) {
    const { releaseRevision: now } = await remote.query(documents.ReleaseRevision, {});
    return {
      json: { serving: ofRevision(now) },
      text: `The workflows are in force again: ${named(now)} serves now.`,
    };
  }
  const { activateRevision: now } = await remote.query(documents.ActivateRevision, { hash: revision });
  return {
    json: { serving: ofRevision(now) },
    text: `${named(now)} is pinned and serves now. Release it with "headgate activate --release".`,
  };
}

async function inLedger(revision: string | undefined, location: LedgerLocation): Promise<Activated> {
  const [{ openLedger }, { pinInLedger, releaseInLedger }] = await Promise.all([
    import('../ledger/open.ts'),
    import('../revisions/pin.ts'),
  ]);
  const ledger = await openLedger({
    path: await ledgerPath(location),
    synchronous: 'full',
    clock: systemClock,
  });
  try {
    if (revision === undefined) {
      const released = await releaseInLedger(ledger);
      return released === undefined
        ? { json: { released: null }, text: 'No revision is pinned.' }
        : {
            json: { released: ofRevision({ ...released, pinned: false }) },
            text: `${named(released)} is released; the next start serves what the workflows say.`,
          };
    }
    const pinned = await pinInLedger(ledger, revision);
    return {
      json: { nextStart: ofRevision(pinned) },
      text: `${named(pinned)} is pinned; the next start serves it. Release it with "headgate activate --release".`,
    };
  } finally {
    await ledger.close();
  }
}

/** Of a row or an answer, which carry more. */
function ofRevision({ hash, commit = null, subject = null, pinned }: Named): Named {
  return { hash, commit, subject, pinned };
}

function named({ hash, commit, subject }: Named): string {
  const of = commit === null || commit === undefined ? '' : ` (${commit.slice(0, 12)} ${subject ?? ''})`;
  return `Revision ${hash.slice(0, 12)}${of}`;
}
