// Health: /health/live says that the process answers, /health/ready that it can serve.
import type { ServerResponse } from 'node:http';
import type { GraphqlServices } from './graphql/services.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import { storageWords } from '../errors/storage-words.ts';
import { sendJson } from './refuse.ts';

export type LedgerCheck = () => Promise<{ readonly ok: boolean; readonly detail: string }>;

/** The ledger answers a read. */
export function readableLedger(services: GraphqlServices): LedgerCheck {
  return async () => {
    try {
      await services.ledger.switches();
      return { ok: true, detail: 'readable' };
    } catch (error) {
      const detail = error instanceof HeadgateError ? storageWords(error) : 'it cannot be read';
      return { ok: false, detail };
    }
  };
}

export function sendLive(response: ServerResponse): void {
  sendJson(response, 200, { status: 'live' });
}

/** 200 while runs can be taken, 503 while not; a revision that was refused is told of and does not make the server unready. */
export async function sendReady(
  response: ServerResponse,
  services: GraphqlServices,
  ledgerHealth: LedgerCheck,
  draining: boolean,
): Promise<void> {
  const ledger = await ledgerHealth();
  const { record } = services.revisions.active();
  const refused = services.revisions.refused();
  const ready = ledger.ok && !draining;
  sendJson(response, ready ? 200 : 503, {
    status: draining ? 'draining' : ready ? 'ready' : 'unready',
    revision: {
      hash: record.hash,
      commit: record.commit,
      source: record.source,
      activeFrom: isoTime(record.activeFromMs),
      pinned: record.pinned,
    },
    problems: refused?.problems ?? [],
    ledger,
    running: services.engine.running(),
    paused: services.guards.switches().map(({ scope }) => scope),
  });
}

function isoTime(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}
