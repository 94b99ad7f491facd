// Headgate as it is served: the built package with its defaults, on the workflows that are measured.
import { nodeFlags } from '../../bin/launch.mjs';
import { builtTree } from '../support/built.ts';
import { SERVER_CORE, startNode } from '../support/processes.ts';
import type { Started } from '../support/processes.ts';
import { ENV, temporaryFolder, writeWorkflows } from '../support/workflows.ts';

export interface HeadgateOptions {
  /** The file that `node` runs; default: that of the working tree, built. */
  readonly main?: string;
  /** Default: the core that is measured. */
  readonly core?: number | null;
  /** Before the file. */
  readonly nodeArguments?: readonly string[];
  /** Default: those that are measured everywhere. */
  readonly workflows?: string;
  /** `postgres://…`. */
  readonly database?: string;
}

/** `pace`: the upstream's path, as `now` or `slow`. */
export function startHeadgate(
  upstream: string,
  pace: string,
  {
    main = builtTree(),
    core = SERVER_CORE,
    nodeArguments = [],
    workflows = writeWorkflows(upstream, pace),
    database,
  }: HeadgateOptions = {},
): Promise<Started> {
  const folders = ['--workflows', workflows, '--data', temporaryFolder()];
  const command = ['serve', '--port', '0', '--mode', 'production', ...folders];
  const env = { ...ENV, ...(database === undefined ? {} : { HEADGATE_DATABASE: database }) };
  return startNode([...nodeFlags(command), ...nodeArguments, main, ...command], { core, env });
}
