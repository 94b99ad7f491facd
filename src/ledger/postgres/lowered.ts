// Whoever settles an attempt at less, the node that made it is told: what that one has spent is in its own books.
import type { Pool } from 'pg';
import type { Cluster, Lowered } from '../cluster-port.ts';
import type { WrittenRow } from '../port.ts';
import { spendingOfRecord } from '../sqlite/settled-spending.ts';
import { createListeners } from './signals.ts';
import type { NodeSignals } from './signals.ts';

export function createLowered(
  pool: Pool,
  node: number,
  signals: NodeSignals,
): { readonly written: (rows: readonly WrittenRow[]) => void; readonly listen: Cluster['onLowered'] } {
  const listeners = createListeners<[Lowered]>();
  signals.onSignal((signal) => {
    if (signal.kind === 'lowered' && signal.of === node)
      listeners.tell(JSON.parse(signal.what, asNumber) as Lowered);
  });
  const tell = async (id: string, lowered: Lowered): Promise<void> => {
    const { rows } = await pool.query('select node from attempts where id = $1', [id]);
    const of = Number((rows[0] as { node: bigint } | undefined)?.node);
    if (of === node) listeners.tell(lowered);
    else await signals.send({ kind: 'lowered', of, what: JSON.stringify(lowered, asText) });
  };
  return {
    listen: listeners.listen,
    written(rows) {
      for (const row of rows) {
        if (row.kind !== 'attempt_lowered') continue;
        const { id, postings } = row.attempt;
        const lowered = {
          postings,
          before: spendingOfRecord(row.before),
          after: spendingOfRecord(row.attempt),
        };
        // A node that does not hear of it has less to spend until it starts again, and never more.
        tell(id, lowered).catch(() => undefined);
      }
    },
  };
}

const asText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
const asNumber = (key: string, value: unknown): unknown =>
  key === 'costNanoUsd' ? BigInt(value as string) : value;
