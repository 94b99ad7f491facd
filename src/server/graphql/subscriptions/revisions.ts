// Subscription.revisions: the active one first, then each that is taken or refused.
import type { RequestContext } from '../context.ts';
import { Channel } from '../live/channel.ts';
import { tooSlow } from '../live/slow.ts';
import type { RevisionShape } from '../refs.ts';

/** More than anybody pushes while a reader is away for a moment. */
const MAX_REVISIONS_WAITING = 100;

export function revisionEvents({
  services,
}: RequestContext): AsyncGenerator<RevisionShape, undefined, undefined> {
  const { revisions } = services;
  const channel: Channel<RevisionShape> = new Channel({
    limit: MAX_REVISIONS_WAITING,
    overflow: () => tooSlow(`${MAX_REVISIONS_WAITING} revisions`),
    onClose: () => stop(),
  });
  const stop = revisions.onChange((result) => {
    const record = result.kind === 'refused' ? result.record : result.revision.record;
    channel.push({ hash: record.hash, record });
  });
  const { record } = revisions.active();
  channel.push({ hash: record.hash, record });
  return channel;
}
