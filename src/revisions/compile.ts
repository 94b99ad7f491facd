// Compiling what a source gave: with the offline price catalogue, loaded once.
import { systemClock } from '../common/clock.ts';
import { loadedOnce } from '../common/loaded.ts';
import { loadCatalogue, type Catalogue } from '../language/plan/catalogue.ts';
import { compileWorkflows, type Compiled } from '../language/plan/compile.ts';
import { readWorkflowDirectory } from './directory.ts';
import type { WorkflowFile } from './port.ts';

export interface CompileSettings {
  /** Where `env` in workflows is read. */
  readonly env: { readonly [name: string]: string | undefined };
  /** Prices are those in force then; default: now. */
  readonly nowMs?: number;
  /** Default: the installed one. */
  readonly catalogue?: Catalogue;
}

const installed = loadedOnce(loadCatalogue);

export async function compileFiles(
  files: readonly WorkflowFile[],
  settings: CompileSettings,
): Promise<Compiled> {
  const catalogue = settings.catalogue ?? (await installed.get());
  return compileWorkflows(files, {
    env: settings.env,
    catalogue,
    nowMs: settings.nowMs ?? systemClock.nowMs(),
  });
}

/** The folder's workflows, compiled; with every problem, and the files that were read. */
export async function compileDirectory(
  directory: string,
  settings: CompileSettings,
): Promise<Compiled & { readonly files: readonly WorkflowFile[] }> {
  const files = await readWorkflowDirectory(directory);
  return { files, ...(await compileFiles(files, settings)) };
}
