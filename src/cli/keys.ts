// headgate keys: makes, lists and revokes API keys, in the database of this machine or at a running server.
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { systemClock } from '../common/clock.ts';
import { nearest } from '../common/nearest.ts';
import { parseDuration } from '../language/definition/fields/units.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import { MOST_BODY_BYTES } from '../server/graphql/api-keys.ts';
import type { NewApiKey } from '../server/graphql/api-keys.ts';
import { isScope } from '../engine/execution/scopes.ts';
import type { RegisterCommand } from './commands.ts';
import { table } from './format/table.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import { inLedgerOrAtServer } from './ledger-or-server.ts';
import { ledgerPath } from './ledger-path.ts';
import type { LedgerLocation } from './ledger-path.ts';
import {
  collect,
  databaseOption,
  dataOption,
  keyOption,
  parsePositiveInteger,
  serverOption,
} from './options.ts';
import { parseTags } from './tags.ts';

interface Place {
  readonly data: string;
  readonly database?: string;
  readonly server?: string;
  readonly key?: string;
}
interface CreateFlags extends Place {
  readonly caller: string;
  readonly scope: readonly string[];
  readonly team?: string;
  readonly tier?: string;
  readonly tag: readonly string[];
  readonly expires?: string;
  readonly requestsPerMinute?: number;
  readonly maxBody?: number;
  readonly json: boolean;
}

/** What a key looks like, wherever it came from. Times are RFC 3339. */
interface ShownKey {
  readonly id: string;
  readonly hint: string;
  readonly caller: string;
  readonly team: string | null;
  readonly tier: string | null;
  readonly tags: { readonly [key: string]: string };
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly lastUsedAt: string | null;
  readonly requestsPerMinute: number | null;
  readonly maxBodyBytes: number | null;
}

interface Keys {
  create(key: NewApiKey): Promise<{ readonly id: string; readonly secret: string }>;
  list(): Promise<readonly ShownKey[]>;
  /** Of the revision in force; null: none is known, since no server has run here. */
  tasks(): Promise<readonly string[] | null>;
  /** false: there is no such key. */
  revoke(id: string): Promise<boolean>;
  close(): Promise<void>;
}

export const registerKeys: RegisterCommand = (program, io, end) => {
  const keys = program.command('keys').description('make, list and revoke API keys');
  const at = (command: Command): Command =>
    command
      .addOption(dataOption())
      .addOption(databaseOption())
      .addOption(serverOption())
      .addOption(keyOption());
  at(keys.command('create'))
    .description('make a key and print its secret, once')
    .requiredOption('--caller <name>', 'who will use it: the name in statistics and budgets')
    .option(
      '--scope <scope>',
      'what it may do: run:TASK, run:*, read:stats, read:all, caller:*, admin (default: run:*, and admin for the first key)',
      collect,
      [],
    )
    .option('--team <name>', 'the team, for budgets')
    .option('--tier <name>', 'the tier, for rules and budgets')
    .option('--tag <key=value>', 'a tag of every run', collect, [])
    .option('--expires <duration>', 'it stops working after so long: 90d')
    .option('--requests-per-minute <n>', 'no more requests than this', parsePositiveInteger)
    .option('--max-body <size>', 'what a request may have at /v1: 32MB at most', parseBytes)
    .option('--json', 'as JSON', false)
    .action(async (flags: CreateFlags) => end(await withKeys(flags, (port) => create(port, flags, io))));
  at(keys.command('list'))
    .description('list the keys, without their secrets')
    .option('--json', 'as JSON', false)
    .action(async (flags: Place & { json: boolean }) =>
      end(await withKeys(flags, (port) => list(port, flags.json, io))),
    );
  at(keys.command('revoke'))
    .description('make a key stop working, at once')
    .argument('<id>', 'as "headgate keys list" shows it')
    .option('--json', 'as JSON', false)
    .action(async (id: string, flags: Place & { json: boolean }) =>
      end(
        await withKeys(flags, async (port) => {
          if (!(await port.revoke(id)))
            throw new HeadgateError(
              'UNKNOWN_KEY',
              `there is no key ${id}`,
              'List them with "headgate keys list".',
            );
          io.out(flags.json ? JSON.stringify({ id, revoked: true }, null, 2) : `${id} is revoked.`);
          return 0;
        }),
      ),
    );
  return keys;
};

async function withKeys(place: Place, use: (keys: Keys) => Promise<ExitCode>): Promise<ExitCode> {
  const keys = await inLedgerOrAtServer(
    place,
    () => localKeys(place),
    (server) => remoteKeys(server, place.key),
  );
  try {
    return await use(keys);
  } finally {
    await keys.close();
  }
}

async function create(keys: Keys, flags: CreateFlags, io: CliIo): Promise<ExitCode> {
  const noAdmin = !(await keys.list()).some(
    ({ scopes, revokedAt }) => revokedAt === null && scopes.includes('admin'),
  );
  // The first key closes an open server. One that could make no further keys would lock its owner out.
  const scopes = flags.scope.length > 0 ? flags.scope : [noAdmin ? 'admin' : 'run:*'];
  for (const scope of scopes)
    if (!isScope(scope))
      throw new UsageError(
        `"${scope}" is not a scope`,
        'Scopes are run:TASK, run:*, read:stats, read:all, caller:* and admin.',
      );
  await warnOfUnknownTasks(keys, scopes, io);
  const lifeMs = flags.expires === undefined ? null : parseDuration(flags.expires);
  if (lifeMs === undefined)
    throw new UsageError(`--expires ${flags.expires}: not a duration`, 'Write it like 90d or 12h.');
  const { id, secret } = await keys.create({
    caller: flags.caller,
    team: flags.team ?? null,
    tier: flags.tier ?? null,
    tags: parseTags(flags.tag),
    scopes,
    expiresAtMs: lifeMs === null ? null : systemClock.nowMs() + lifeMs,
    requestsPerMinute: flags.requestsPerMinute ?? null,
    maxBodyBytes: flags.maxBody ?? null,
  });
  if (flags.json) io.out(JSON.stringify({ id, secret, caller: flags.caller, scopes }, null, 2));
  else {
    io.out(secret);
    io.err(
      `headgate: key ${id} for ${flags.caller} (${scopes.join(', ')}). It is shown this once; send it as "Authorization: Bearer ${secret.slice(0, 7)}…".`,
    );
  }
  if (noAdmin && !scopes.includes('admin'))
    io.err(
      'headgate: no key with the scope "admin" exists. Make one with "headgate keys create --caller NAME --scope admin" while no server has the database open.',
    );
  return 0;
}

/** A key may be made before its task is there; a misspelt one would be refused at each call. */
async function warnOfUnknownTasks(keys: Keys, scopes: readonly string[], io: CliIo): Promise<void> {
  const wanted = scopes.flatMap((scope) => /^run:(?!\*)(.+)$/.exec(scope)?.[1] ?? []);
  const tasks = wanted.length > 0 ? await keys.tasks() : null;
  for (const name of tasks === null ? [] : wanted.filter((task) => !tasks.includes(task))) {
    const near = nearest(name, tasks ?? []);
    io.err(
      `headgate: warning: there is no task "${name}" in the revision in force. ${near === undefined ? 'The key can run it once there is one.' : `Did you mean "run:${near}"?`}`,
    );
  }
}

async function list(keys: Keys, json: boolean, io: CliIo): Promise<ExitCode> {
  const all = await keys.list();
  if (json) io.out(JSON.stringify(all, null, 2));
  else if (all.length === 0) io.out('No key was made yet. The server runs open, on loopback only.');
  else
    io.out(
      table(
        [
          'id',
          'caller',
          'team',
          'tier',
          'tags',
          'key',
          'scopes',
          'a minute',
          'body',
          'created',
          'last used',
          'state',
        ],
        all.map((key) => [
          key.id,
          key.caller,
          key.team ?? '',
          key.tier ?? '',
          Object.entries(key.tags)
            .map(([name, value]) => `${name}=${value}`)
            .join(' '),
          key.hint,
          key.scopes.join(' '),
          String(key.requestsPerMinute ?? ''),
          String(key.maxBodyBytes ?? ''),
          key.createdAt,
          key.lastUsedAt ?? 'never',
          stateOf(key),
        ]),
      ),
    );
  return 0;
}

function stateOf({ revokedAt, expiresAt }: ShownKey): string {
  if (revokedAt !== null) return 'revoked';
  if (expiresAt === null) return 'active';
  return Date.parse(expiresAt) <= systemClock.nowMs() ? 'expired' : `until ${expiresAt}`;
}

async function localKeys(location: LedgerLocation): Promise<Keys> {
  const [{ openLedger }, { KeyRing }, { planInForce }] = await Promise.all([
    import('../ledger/open.ts'),
    import('../server/keys/key-ring.ts'),
    import('../revisions/find.ts'),
  ]);
  const ledger = await openLedger({
    path: await ledgerPath(location),
    synchronous: 'full',
    clock: systemClock,
  });
  const ring = await KeyRing.open({ ledger, clock: systemClock });
  const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  return {
    async create(key) {
      const { secret, record } = await ring.create(key);
      return { id: record.id, secret };
    },
    list: async () =>
      ring.list().map((key) => ({
        id: key.id,
        hint: key.hint,
        caller: key.caller,
        team: key.team,
        tier: key.tier,
        tags: key.tags,
        scopes: key.scopes,
        requestsPerMinute: key.requestsPerMinute,
        maxBodyBytes: key.maxBodyBytes ?? null,
        createdAt: new Date(key.createdAtMs).toISOString(),
        expiresAt: time(key.expiresAtMs),
        revokedAt: time(key.revokedAtMs),
        lastUsedAt: time(key.lastUsedAtMs),
      })),
    async tasks() {
      const plan = await planInForce(ledger);
      return plan && Object.keys(plan.tasks);
    },
    revoke: async (id) => (await ring.revoke(id)) !== undefined,
    close: () => ledger.close(),
  };
}

async function remoteKeys(server: string, key: string | undefined): Promise<Keys> {
  const [{ createRemote }, documents] = await Promise.all([import('./remote.ts'), import('./documents.ts')]);
  const remote = createRemote(server, key);
  return {
    async create({ caller, team, tier, tags, scopes, expiresAtMs, requestsPerMinute, maxBodyBytes = null }) {
      const { createApiKey } = await remote.query(documents.CreateKey, {
        input: {
          caller,
          team,
          tier,
          scopes: [...scopes],
          tags: Object.entries(tags).map(([name, value]) => ({ key: name, value })),
          expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
          requestsPerMinute,
          maxBodyBytes,
        },
      });
      return { id: createApiKey.apiKey.id, secret: createApiKey.secret };
    },
    list: async () =>
      (await remote.query(documents.ListKeys, {})).apiKeys.map((shown) => ({
        ...shown,
        team: shown.team ?? null,
        tier: shown.tier ?? null,
        tags: Object.fromEntries(shown.tags.map((tag) => [tag.key, tag.value])),
        requestsPerMinute: shown.requestsPerMinute ?? null,
        maxBodyBytes: shown.maxBodyBytes ?? null,
        expiresAt: shown.expiresAt ?? null,
        revokedAt: shown.revokedAt ?? null,
        lastUsedAt: shown.lastUsedAt ?? null,
      })),
    async tasks() {
      return (await remote.query(documents.TaskNames, {})).taskTypes.map(({ name }) => name);
    },
    async revoke(id) {
      await remote.query(documents.RevokeKey, { id });
      return true;
    },
    close: () => Promise.resolve(),
  };
}

/** `32MB`, `500kB`, `1000`; commander tells the reason. */
function parseBytes(text: string): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*(kb|mb)?$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(amount) * (BYTES[unit.toLowerCase()] ?? 1));
  if (amount === undefined || bytes < 1 || bytes > MOST_BODY_BYTES)
    throw new InvalidArgumentError('Write it like 8MB or 500kB, at most 32MB.');
  return bytes;
}

const BYTES: { readonly [unit: string]: number } = { kb: 1024, mb: 1024 * 1024 };
