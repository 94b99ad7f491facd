// Headgate as it is served: the command line with its defaults, on the workflows that are measured.
import { SERVER_CORE, startNode } from '../support/processes.ts';
import type { Started } from '../support/processes.ts';
import { ENV, temporaryFolder, writeWorkflows } from '../support/workflows.ts';

/** `pace`: the upstream's path, as `now` or `slow`. */
export function startHeadgate(upstream: string, pace: string): Promise<Started> {
  const workflows = writeWorkflows(upstream, pace);
  const flags = [
    '--port',
    '0',
    '--mode',
    'production',
    '--workflows',
    workflows,
    '--data',
    temporaryFolder(),
  ];
  return startNode(['src/cli/main.ts', 'serve', ...flags], { core: SERVER_CORE, env: { ...ENV } });
}
