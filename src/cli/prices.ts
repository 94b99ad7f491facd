// headgate prices diff: what another price catalogue would change for the models of these workflows.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { HeadgateError } from '../errors/headgate-error.ts';
import { catalogueFromText, loadCatalogue } from '../language/plan/catalogue.ts';
import { printPrice } from '../language/plan/print.ts';
import type { Plan } from '../language/plan/types.ts';
import { compileDirectory } from '../revisions/compile.ts';
import { lastPlan } from '../revisions/last-plan.ts';
import type { RegisterCommand } from './commands.ts';
import type { CliIo, ExitCode } from './io.ts';
import { ledgerPath } from './ledger-path.ts';
import type { LedgerLocation } from './ledger-path.ts';
import { databaseOption, dataOption, workflowsOption } from './options.ts';
import { workflowsFolder } from './workflows-folder.ts';

interface DiffFlags {
  readonly workflows?: string;
  readonly data: string;
  readonly database?: string;
  readonly catalogue?: string;
  readonly json: boolean;
}

export const registerPrices: RegisterCommand = (program, io, end) => {
  const prices = program.command('prices').description('compare prices');
  prices
    .command('diff')
    .description('what the installed catalogue, or another one, would change for the models in use')
    .addOption(workflowsOption())
    .addOption(dataOption())
    .addOption(databaseOption())
    .option(
      '--catalogue <file>',
      "another catalogue: genai-prices' data.json (default: compare the active revision with the installed one)",
    )
    .option('--json', 'as JSON', false)
    .action(async (flags: DiffFlags) => end(await diff(flags, io)));
  return prices;
};

async function diff(flags: DiffFlags, io: CliIo): Promise<ExitCode> {
  const folder = workflowsFolder(flags.workflows, io);
  const installed = await compileDirectory(folder, { env: io.env, catalogue: await loadCatalogue() });
  if (installed.plan === null)
    throw new HeadgateError(
      'WORKFLOWS_INVALID',
      `the workflows in ${folder} do not compile`,
      'See "headgate check".',
    );
  const [before, after] =
    flags.catalogue === undefined
      ? [await activePlan(flags), installed.plan]
      : [installed.plan, await planWith(flags.catalogue, folder, io)];
  if (before === null) {
    io.out(
      flags.json
        ? JSON.stringify({ compared: false, changes: [] }, null, 2)
        : 'No revision was compiled yet, so there is nothing to compare with.',
    );
    return 0;
  }
  const found = changes(before, after);
  const lines = found.flatMap(({ model, before: old, after: now }) => [
    model,
    ...old.map((line) => `  - ${line}`),
    ...now.map((line) => `  + ${line}`),
  ]);
  if (flags.json) io.out(JSON.stringify({ compared: true, changes: found }, null, 2));
  else io.out(lines.length === 0 ? 'No price changes.' : lines.join('\n'));
  return 0;
}

/** As they are printed for people: a line for each kind of token, or for each tier of one. */
interface PriceChange {
  readonly model: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

function changes(before: Plan, after: Plan): readonly PriceChange[] {
  const keys = [...new Set([...Object.keys(before.models), ...Object.keys(after.models)])].toSorted();
  return keys.flatMap((key) => {
    const [old, now] = [before.models[key], after.models[key]].map((model) =>
      model ? printPrice(model.price).map(withoutSource) : [],
    );
    if (
      old === undefined ||
      now === undefined ||
      old.length === 0 ||
      now.length === 0 ||
      old.join() === now.join()
    )
      return [];
    return [{ model: key, before: old, after: now }];
  });
}

/** Another version of the catalogue with the same rates is no change. */
const withoutSource = (line: string): string => line.replace(/ \([^)]*\)$/, '');

async function planWith(file: string, folder: string, io: CliIo): Promise<Plan> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new HeadgateError(
      'CATALOGUE_UNREADABLE',
      `the catalogue ${file} cannot be read`,
      'Check the path.',
      { cause: error },
    );
  });
  const { plan, problems } = await compileDirectory(folder, {
    env: io.env,
    catalogue: await catalogueFromText(text, file),
  });
  if (plan) return plan;
  const [problem] = problems;
  throw new HeadgateError(
    'WORKFLOWS_INVALID',
    `with this catalogue the workflows do not compile: ${problem?.message ?? ''}`,
    problem?.remedy ?? '',
  );
}

async function activePlan(location: LedgerLocation): Promise<Plan | null> {
  const { openLedgerReader } = await import('../ledger/open.ts');
  const path = await ledgerPath(location);
  if (location.database === undefined && !existsSync(path)) return null;
  const ledger = openLedgerReader(path);
  try {
    return (await lastPlan(ledger)) ?? null;
  } finally {
    await ledger.close();
  }
}
