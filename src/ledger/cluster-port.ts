// What a ledger that several nodes share is beside a ledger.
import type { Json } from '../common/json.ts';
import type { Leases, Posting, Spending } from '../engine/budget/port.ts';

/** What all nodes read again when one of them has changed it. */
export type SharedState = 'switches' | 'keys' | 'revisions' | 'alerts';

export interface ClusterNode {
  readonly id: string;
  /** Host and process, for people. */
  readonly place: string;
  readonly version: string;
  /** By the database's clock. */
  readonly startedAtMs: number;
  readonly beatAtMs: number;
  readonly isSelf: boolean;
}

/** An attempt was settled at less, by whichever node. */
export interface Lowered {
  readonly postings: readonly Posting[];
  readonly before: Spending;
  readonly after: Spending;
}

/** What nodes tell each other that is in no row. It may be lost, with a connection or a node. */
export interface NodeMessages {
  /** `to`: one node, as `onMessage` named it; left out: all others. As JSON, no longer than `mostBytes`. */
  send(body: Json, to?: number): Promise<void>;
  onMessage(listener: (body: Json, from: number) => void): () => void;
  readonly mostBytes: number;
}

export interface Cluster {
  readonly leases: Leases;
  /** This process has loaded what it needs: from here on its silence counts. */
  ready(): void;
  /** Those that show signs of life, this one among them. */
  nodes(): readonly ClusterNode[];
  /** Told when their number has changed. */
  onNodes(listener: (count: number) => void): () => void;
  /** Tells the other nodes something that is of the moment, and may be lost; JSON-safe, each of a few hundred bytes. */
  say(news: readonly object[]): void;
  onSaid(listener: (news: readonly object[]) => void): () => void;
  /** Told when another node has changed something, and of everything when it may have been missed. */
  onChanged(listener: (what: SharedState) => void): () => void;
  /** Other nodes have written rows: what was read before is not all that there is. Told at most some five times a second. */
  onOthersWrote(listener: () => void): () => void;
  /** An attempt that this node has made was settled at less; those of others are in what others have spent. */
  onLowered(listener: (lowered: Lowered) => void): () => void;
  /** Durable runs wait for a node that has room: told at once, and when it may have been missed. */
  onWaiting(listener: () => void): () => void;
  /** Has the node that runs it cancel a run, or whoever takes it. false: it is over. */
  cancel(runId: string, reason: string): Promise<boolean>;
  /** A run is to be cancelled here, if it is here. */
  onCancel(listener: (runId: string, reason: string) => void): () => void;
  readonly messages: NodeMessages;
  /** This node is taken for dead by the others, and does no more. */
  onFenced(listener: () => void): () => void;
  /** By how much the database's clock is ahead of this machine's, in milliseconds. */
  aheadMs(): number;
}
