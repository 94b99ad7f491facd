// headgate what-if: a month that a team already has, as its gateway or vendor exports it, as it would have been at the gate.
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Option } from 'commander';
import { loadCatalogue } from '../language/plan/catalogue.ts';
import type { Plan } from '../language/plan/types.ts';
import { compileDirectory, compileFiles } from '../revisions/compile.ts';
import type { UsageExport, UsageRow } from '../simulation/usage-export.ts';
import type { WhatIf } from '../simulation/what-if.ts';
import type { RegisterCommand } from './commands.ts';
import { plural, problemText } from './format/problems.ts';
import { whatIfHtml, whatIfJson, whatIfText } from './format/what-if.ts';
import type { WhatIfReport } from './format/what-if.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import { shippedWorkflows } from './workflows-folder.ts';

interface WhatIfFlags {
  readonly workflows?: string;
  readonly on?: string;
  readonly html?: string;
  readonly format: 'text' | 'json';
}

/** A pause is seen, and let go of, the next morning. */
const RESUMED_AFTER_MS = 12 * 3_600_000;

export const registerWhatIf: RegisterCommand = (program, io, end) =>
  program
    .command('what-if')
    .description(
      'read what a team has of its calls (LiteLLM, OpenAI, Anthropic, Langfuse, Helicone, OpenRouter: CSV or JSON), and say what they would have cost behind caps and guards',
    )
    .argument('<file>', 'the export')
    .option('--workflows <dir>', 'whose caps and guards are tried (default: the shipped ones)')
    .option('--on <model>', 'also with every call on this model: provider/model, priced by the catalogue')
    .option('--html <file>', 'write it as one page with a picture, too')
    .addOption(new Option('--format <format>', 'how to tell it').choices(['text', 'json']).default('text'))
    .action(async (file: string, flags: WhatIfFlags) => end(await whatIfCommand(file, flags, io)));

async function whatIfCommand(file: string, flags: WhatIfFlags, io: CliIo): Promise<ExitCode> {
  const { readUsageExport } = await import('../simulation/usage-export.ts');
  const usage = await readUsageExport(file);
  const { found, assumptions } = await whatIfOf(usage.rows, {
    terms: await termsOf(flags.workflows ?? shippedWorkflows, io),
    on: flags.on ?? null,
  });
  const report: WhatIfReport = {
    read: readLines(basename(file), usage, found),
    assumptions,
    terms: flags.workflows ?? 'the shipped workflows',
    found,
  };
  if (flags.html !== undefined) await writeFile(flags.html, whatIfHtml(report));
  io.out(flags.format === 'json' ? JSON.stringify(whatIfJson(report), null, 2) : whatIfText(report));
  if (flags.html !== undefined) io.err(`headgate: the page is ${flags.html}.`);
  return 0;
}

export async function termsOf(folder: string, io: CliIo): Promise<Pick<Plan, 'budgets' | 'guards'>> {
  const { plan, problems } = await compileDirectory(folder, { env: io.env });
  if (plan !== null) return plan;
  for (const problem of problems.filter(({ severity }) => severity === 'error'))
    io.err(problemText(problem, io.errColours));
  throw new UsageError(
    `${folder} does not compile`,
    'Correct what is listed above, or leave --workflows out.',
  );
}

export interface WhatIfOf {
  readonly terms: Pick<Plan, 'budgets' | 'guards'>;
  /** `provider/model`; null: calls stay where they are. */
  readonly on: string | null;
}

export async function whatIfOf(
  rows: readonly UsageRow[],
  { terms, on }: WhatIfOf,
): Promise<{ readonly found: WhatIf; readonly assumptions: readonly string[] }> {
  const [{ whatIf }, { projectOf, trafficOf }, catalogue] = await Promise.all([
    import('../simulation/what-if.ts'),
    import('../simulation/usage-traffic.ts'),
    loadCatalogue(),
  ]);
  const compiled = async (to: string | null) => {
    const project = projectOf(rows, catalogue, to);
    const { plan, problems } = await compileFiles(project.files, { env: {} });
    if (plan === null) throw new Error(problems.map(({ message }) => message).join('; '));
    return { ...project, plan };
  };
  if (on !== null && !/^[\w.-]+\/\S+$/.test(on))
    throw new UsageError(`--on ${on} names no model`, 'Write it as provider/model, as openai/gpt-5.6-luna.');
  const base = await compiled(null);
  const moved = on === null ? null : await compiled(on);
  if (moved !== null && on !== null && moved.plan.models[on]?.price.kind === 'free')
    throw new UsageError(
      `the catalogue has no price of ${on}`,
      'Name a model with its vendor: openai/gpt-5.6-luna.',
    );
  const { traffic, assumptions } = trafficOf(rows, base.plan, base.tasks);
  const found = await whatIf({
    traffic,
    plan: base.plan,
    terms,
    moved: moved === null || on === null ? null : { to: on, plan: moved.plan },
    resumedAfterMs: RESUMED_AFTER_MS,
  });
  const more =
    on === null
      ? []
      : [`Whether ${on} would have answered well enough is not known: try it with "headgate test" before.`];
  return { found, assumptions: [...base.assumptions, ...assumptions, ...more] };
}

const KNOWN = {
  source: "known from the product's source",
  documents: "known from the vendor's documents alone",
} as const;

function readLines(
  name: string,
  { format, columns, rows, skipped }: UsageExport,
  { was, fromMs, toMs }: WhatIf,
): readonly string[] {
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  return [
    `${name}: ${format === null ? 'no known export, so its columns are guessed by their names' : `${format.name} (${KNOWN[format.knownFrom]})`}; ${plural(rows.length, 'row')}, ${plural(was.runs, 'call')} from ${day(fromMs)} to ${day(toMs)}${skipped === 0 ? '' : `; ${plural(skipped, 'row')} of no call left out`}.`,
    `Read: ${columns.map(({ field, column }) => `${field} from "${column}"`).join(', ')}.`,
  ];
}
