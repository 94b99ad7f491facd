// loadDefinition: workflow files → Definition, or every problem of every file at once.
import { nearest } from '../../common/nearest.ts';
import { parseDocumentOnce } from '../document/parse-once.ts';
import type { DocumentNode, MapNode, SourceFile } from '../document/types.ts';
import type { Place } from '../../errors/place.ts';
import type { Problem } from '../../errors/problem.ts';
import { severityOf } from './diagnostics.ts';
import { readProject } from './fields/project.ts';
import { readTask } from './fields/task.ts';
import { Reader } from './reader.ts';
import { findSecrets, withoutSecrets } from './secrets.ts';
import { ruleList } from './rules/registry.ts';
import type { Report } from './rules/rule.ts';
import type { Definition, ProjectDefinition, TaskDefinition } from './types.ts';
import { Workspace } from './workspace.ts';
import type { Declared } from './workspace.ts';

export interface LoadedDefinition {
  /** null when a problem is an error. */
  readonly definition: Definition | null;
  /** In the order of files, lines and columns. */
  readonly problems: readonly Problem[];
}

/** Never throws for what is in the files. The same files in another order give the same result. */
export function loadDefinition(files: readonly SourceFile[]): LoadedDefinition {
  const problems: Problem[] = [];
  const sorted = [...files].sort((left, right) =>
    left.path < right.path ? -1 : left.path > right.path ? 1 : 0,
  );
  const collected = new Collected(problems);
  for (const file of sorted) {
    const { document, problems: found } = parseDocumentOnce(file);
    problems.push(...found);
    if (document) collected.add(file.path, document);
    else collected.unreadable(file);
  }
  const workspace = collected.workspace();
  const report: Report = (code, at, message, remedy) => {
    problems.push(problemAt(code, at, message, remedy));
  };
  for (const rule of ruleList) if (!rule.onlyWithoutErrors) rule.check(workspace, report);
  if (!problems.some(isError))
    for (const rule of ruleList) if (rule.onlyWithoutErrors) rule.check(workspace, report);
  const shown = withoutRepetition(problems.map(withoutSecrets).sort(byPlace));
  const { project, tasks } = workspace;
  const failed = project === null || problems.some(isError);
  return { definition: failed ? null : { language: 1, project, tasks }, problems: shown };
}

function problemAt(
  code: string,
  { file, line, column, endColumn, excerpt }: Place,
  message: string,
  remedy: string,
): Problem {
  return { code, severity: severityOf(code), message, remedy, file, line, column, endColumn, excerpt };
}

function isError({ severity }: Problem): boolean {
  return severity === 'error';
}

/** One slip can be noticed twice in one place: a key that names no secret may also look like a key. */
function withoutRepetition(sorted: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>();
  return sorted.filter(({ code, file, line, column, message }) => {
    const key = [file, line, column, code, code === 'literal-secret' ? '' : message].join('\n');
    return !seen.has(key) && seen.add(key);
  });
}

function byPlace(left: Problem, right: Problem): number {
  if (left.file !== right.file) return left.file < right.file ? -1 : 1;
  return left.line - right.line || left.column - right.column || (left.code < right.code ? -1 : 1);
}

/** The project and the tasks, as they are found file by file. */
class Collected {
  readonly #problems: Problem[];
  readonly #tasks = new Map<string, TaskDefinition>();
  readonly #brokenSteps = new Map<string, ReadonlySet<string>>();
  readonly #declared = {
    providers: new Set<string>(),
    models: new Set<string>(),
    policies: new Set<string>(),
    routes: new Set<string>(),
    budgets: new Set<string>(),
    tasks: new Set<string>(),
  };
  #project: ProjectDefinition | null = null;
  #projectPlace: Place | null = null;
  #firstFile: string | null = null;
  #unreadableProject = false;

  constructor(problems: Problem[]) {
    this.#problems = problems;
  }

  add(path: string, document: DocumentNode): void {
    const reader = new Reader(path, this.#problems);
    findSecrets(document, reader);
    this.#firstFile ??= path;
    const keys = document.kind === 'map' ? document.entries.map(({ key }) => key) : [];
    if (document.kind === 'map' && keys.includes('headgate')) return this.#addProject(document, reader);
    if (document.kind === 'map' && (keys.includes('task') || keys.includes('steps')))
      return this.#addTask(document, reader);
    if (document.kind === 'map' && (keys.includes('providers') || isProjectFile(path)))
      return this.#addProject(document, reader);
    reader.report(
      'unknown-file',
      document.at,
      'The file is neither the project file nor a task.',
      'Start a task with `task: name`, the project file with `headgate: 1`; move other files out of the workflows folder.',
    );
  }

  /** A file that is no YAML may have held any task: nothing is said about tasks that others call. */
  unreadable({ path, text }: SourceFile): void {
    this.#firstFile ??= path;
    if (isProjectFile(path) || /^headgate:/m.test(text)) this.#unreadableProject = true;
    const name = /^task:\s*["']?([a-z0-9_-]+)/m.exec(text)?.[1];
    if (name !== undefined) this.#declared.tasks.add(name);
  }

  #addProject(document: MapNode, reader: Reader): void {
    if (this.#projectPlace) {
      const { file, line } = this.#projectPlace;
      reader.report(
        'several-projects',
        document.at,
        `There is a project file already: ${file}:${line}.`,
        'Keep one file with `headgate: 1`.',
      );
      return;
    }
    this.#projectPlace = document.at;
    for (const [kind, names] of Object.entries(this.#declared)) {
      // A misspelt key of the group is a slip of its own: what stands under it is declared all the same.
      const group = document.entries.find(({ key }) => key === kind || misspells(key, kind))?.value;
      if (group?.kind === 'map' && kind !== 'tasks') for (const { key } of group.entries) names.add(key);
    }
    const read = readProject(document, reader);
    if (read) this.#project = read;
    else this.#unreadableProject = true;
  }

  #addTask(document: MapNode, reader: Reader): void {
    const name = document.entries.find(({ key }) => key === 'task')?.value;
    if (name?.kind === 'scalar' && typeof name.value === 'string') this.#declared.tasks.add(name.value);
    const read = readTask(document, reader);
    if (!read) return;
    const { definition, brokenSteps } = read;
    const before = this.#tasks.get(definition.name);
    if (before) {
      reader.report(
        'duplicate-task',
        definition.at,
        `The task \`${definition.name}\` stands in ${before.at.file}:${before.at.line} already.`,
        'Give one of them another name.',
      );
      return;
    }
    this.#tasks.set(definition.name, definition);
    this.#brokenSteps.set(definition.name, brokenSteps);
  }

  workspace(): Workspace {
    if (!this.#project && !this.#unreadableProject && !this.#projectPlace) {
      const file = this.#firstFile ?? 'workflows/headgate.yaml';
      this.#problems.push(
        problemAt(
          'no-project',
          { file, line: 1, column: 1, endColumn: 2, excerpt: '' },
          'There is no project file.',
          'Add workflows/headgate.yaml with `headgate: 1` and `providers: { builtin: { adapter: builtin } }`.',
        ),
      );
    }
    const tasks: Record<string, TaskDefinition> = {};
    for (const name of [...this.#tasks.keys()].sort()) tasks[name] = this.#tasks.get(name) as TaskDefinition;
    const declared: Declared = this.#declared;
    return new Workspace({ project: this.#project, tasks, declared, brokenSteps: this.#brokenSteps });
  }
}

const GROUPS = ['providers', 'models', 'policies', 'routes', 'budgets'];

function misspells(key: string, group: string): boolean {
  return !GROUPS.includes(key) && nearest(key, GROUPS) === group;
}

function isProjectFile(path: string): boolean {
  return /(^|[/\\])headgate\.ya?ml$/i.test(path);
}
