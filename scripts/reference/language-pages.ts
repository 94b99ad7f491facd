// The generated parts of docs/reference: tables of fields, functions and diagnostics, from the tables that the program itself reads.
import type { FunctionEntry } from '../../src/language/expression/functions/entry.ts';
import { signatureOf } from '../../src/language/expression/functions/entry.ts';
import { macroTable } from '../../src/language/expression/functions/macros.ts';
import { functionTable } from '../../src/language/expression/functions/registry.ts';
import { documentDiagnostics } from '../../src/language/definition/diagnostics-document.ts';
import { expressionDiagnostics } from '../../src/language/definition/diagnostics-expressions.ts';
import { fieldDiagnostics } from '../../src/language/definition/diagnostics-fields.ts';
import { planDiagnostics } from '../../src/language/definition/diagnostics-plan.ts';
import { ruleDiagnostics } from '../../src/language/definition/diagnostics-rules.ts';
import type { Diagnostic } from '../../src/language/definition/diagnostic.ts';
import type { RecordInfo } from '../../src/language/definition/fields/kind.ts';
import { projectRecord } from '../../src/language/definition/fields/project.ts';
import { stepRecords } from '../../src/language/definition/fields/steps.ts';
import { taskRecord } from '../../src/language/definition/fields/task.ts';

/** Every record of the language once, from the files inwards. */
export function allRecords(): readonly RecordInfo[] {
  const found = new Map<string, RecordInfo>();
  const visit = (record: RecordInfo): void => {
    if (found.has(record.name)) return;
    found.set(record.name, record);
    for (const field of record.fields) if (field.record) visit(field.record);
  };
  for (const record of [projectRecord.record, taskRecord.record, ...stepRecords]) visit(record);
  return [...found.values()];
}

/** The page with each part between `<!-- name: argument -->` and `<!-- end -->` made anew. */
export function fillPage(page: string): string {
  return page.replaceAll(
    /(<!-- (fields|functions): ([\w ]+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_whole, start: string, kind: string, argument: string, end: string) => {
      const part = kind === 'fields' ? fieldTable(argument) : functionTableFor(argument);
      return `${start}\n${part}\n${end}`;
    },
  );
}

function fieldTable(name: string): string {
  const record = allRecords().find((candidate) => candidate.name === name);
  if (!record) throw new Error(`docs/reference names the record ${name}, which there is not.`);
  const rows = record.fields.map(
    ({ key, label, required, doc, whenAbsent }) =>
      `| \`${key}\` | ${cell(label)} | ${required ? '**needed**' : cell(whenAbsent ?? '')} | ${cell(doc)} |`,
  );
  return [
    `**${record.name}.** ${record.summary}`,
    '',
    '| key | value | left out | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

const GROUPS: Readonly<Record<string, (entry: FunctionEntry) => boolean>> = {
  general: ({ receiver }) => receiver === null || receiver === 'any',
  texts: ({ receiver }) => receiver === 'string',
  lists: ({ receiver }) => receiver?.startsWith('list') ?? false,
  objects: ({ receiver }) => receiver === 'object',
};

function functionTableFor(group: string): string {
  const entries =
    group === 'macros'
      ? macroTable.map(({ signature, summary, examples }) => ({ signature, summary, examples }))
      : functionsOf(group);
  const rows = entries.map(({ signature, summary, examples }) => {
    const shown = examples
      .map(([expression, gives]) => `\`${expression}\` → \`${JSON.stringify(gives)}\``)
      .join('<br>');
    return `| \`${cell(signature)}\` | ${cell(summary)} | ${cell(shown)} |`;
  });
  return ['| function | gives | example |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

function functionsOf(
  group: string,
): { readonly signature: string; readonly summary: string; readonly examples: FunctionEntry['examples'] }[] {
  const belongs = GROUPS[group];
  if (!belongs) throw new Error(`docs/reference names the functions of ${group}, which there are not.`);
  return functionTable
    .filter(belongs)
    .map((entry) => ({ signature: signatureOf(entry), summary: entry.summary, examples: entry.examples }));
}

/** What triggers a diagnostic, and what a person then sees. */
export interface DiagnosticExample {
  readonly file: string;
  readonly text: string;
  readonly shown: string;
}

const CHAPTERS: readonly (readonly [title: string, diagnostics: readonly Diagnostic[]])[] = [
  ['The file as YAML', documentDiagnostics],
  ['Keys and values', fieldDiagnostics],
  ['Expressions', expressionDiagnostics],
  ['All files together', ruleDiagnostics],
  ['Prices and capabilities', planDiagnostics],
];

/** docs/reference/diagnostics.md, whole. */
export function diagnosticsPage(example: (code: string) => DiagnosticExample | undefined): string {
  const parts = CHAPTERS.flatMap(([title, diagnostics]) => [
    `## ${title}\n`,
    ...diagnostics.map((diagnostic) => diagnosticSection(diagnostic, example(diagnostic.code))),
  ]);
  return [
    '# Diagnostics',
    '',
    '<!-- Generated by `npm run reference` from src/language/definition and test/language/definition/fixtures. -->',
    '',
    'What `headgate check` can say about workflow files. All files are read before anything is reported, so that one run shows everything.',
    'An **error** keeps the files from being served (a running server goes on with the last good ones); a **warning** does not; a **note** is a hint.',
    'The codes are stable: scripts may rely on them.',
    '',
    ...parts,
  ].join('\n');
}

function diagnosticSection(
  { code, severity, title, why, remedy }: Diagnostic,
  example: DiagnosticExample | undefined,
): string {
  const lines = [
    `### \`${code}\``,
    '',
    `${title} (${severity}). ${why}`,
    '',
    `**What to do:** ${remedy}`,
    '',
  ];
  if (!example) return lines.join('\n');
  return [
    ...lines,
    '```text',
    `# ${example.file}`,
    example.text.trimEnd(),
    '```',
    '',
    '```text',
    example.shown.trimEnd(),
    '```',
    '',
  ].join('\n');
}
