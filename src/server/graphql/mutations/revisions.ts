// The switch over revisions: pinning one, and taking what the workflows say again.
import { needs } from '../builder.ts';
import type { Builder } from '../builder.ts';
import type { Refs } from '../refs.ts';

export function defineRevisionMutations(builder: Builder, refs: Refs): void {
  builder.mutationFields((t) => ({
    activateRevision: t.field({
      type: refs.revision,
      description:
        'Serves this revision, whatever the workflows say, until it is released, also after a restart. `hash` may be its beginning, or that of its commit.',
      authScopes: needs.admin,
      complexity: 50,
      args: { hash: t.arg.id({ required: true }) },
      resolve: async (_root, { hash }, { services, caller }) => {
        await services.revisions.activate(hash, caller.name);
        const { record } = services.revisions.active();
        return { hash: record.hash, record };
      },
    }),
    releaseRevision: t.field({
      type: refs.revision,
      description: 'Takes what the workflows say again, and gives the revision that is active then.',
      authScopes: needs.admin,
      complexity: 50,
      resolve: async (_root, _args, { services, caller }) => {
        await services.revisions.release(caller.name);
        const { record } = services.revisions.active();
        return { hash: record.hash, record };
      },
    }),
  }));
}
