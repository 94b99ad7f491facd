// Revisions over a real ledger: small workflows that compile for real, and a source that a test writes by hand.
import { onTestFinished } from 'vitest';
import { HeadgateError } from '../../src/errors/headgate-error.ts';
import type { Plan } from '../../src/language/plan/types.ts';
import type { Ledger } from '../../src/ledger/open.ts';
import { compileFiles } from '../../src/revisions/compile.ts';
import type {
  ReloadResult,
  RevisionNotice,
  Revisions,
  Source,
  WorkflowFile,
  SourceSnapshot,
} from '../../src/revisions/port.ts';
import { createRevisions } from '../../src/revisions/revisions.ts';
import { ledgerPath, openTestLedger } from '../support/ledger-folder.ts';
import { createSimulatedClock, type SimulatedClock } from '../support/simulated-clock.ts';

export const PROJECT = `headgate: 1
providers:
  builtin: { adapter: builtin }
  local: { adapter: openai, baseUrl: '\${{ default(env.LOCAL_URL, "http://127.0.0.1:9/v1") }}', price: { input: $1, output: $2 } }
models:
  local/m1: { context: 32k }
routes:
  default:
    - from: [builtin/extract]
budgets:
  all: { limit: $10, per: day }
`;

/** A task that compiles; `greeting` changes its meaning, `comment` does not. */
export const greet = (greeting: string, comment = ''): string =>
  `${comment}task: greet
input: { text: string }
steps:
  answer: { prompt: '${greeting} \${{ input.text }}' }
`;
export const BROKEN = 'task: greet\nsteps: {}\nnonsense: true\n';

export const workflows = (task: string, project = PROJECT): readonly WorkflowFile[] => [
  { path: 'workflows/greet.yaml', text: task },
  { path: 'workflows/headgate.yaml', text: project },
];

export const committed = (
  files: readonly WorkflowFile[],
  subject: string,
  dirty = false,
): SourceSnapshot => ({
  files,
  commit: { hash: subject.padEnd(40, '0'), author: 'Ana <ana@example.com>', subject },
  dirty,
});

export interface HandSource extends Source {
  /** What the next reading gives, or why there is none. */
  content: SourceSnapshot | HeadgateError;
  /** As a watcher would call. */
  change(): void;
  readings: number;
}

export function handSource(content: SourceSnapshot): HandSource {
  let onChange = (): void => undefined;
  const source: HandSource = {
    description: 'by hand',
    content,
    readings: 0,
    change: () => onChange(),
    read() {
      source.readings += 1;
      return source.content instanceof HeadgateError
        ? Promise.reject(source.content)
        : Promise.resolve(source.content);
    },
    watch(listener) {
      onChange = listener;
      return Promise.resolve(() => Promise.resolve());
    },
  };
  return source;
}

export interface RevisionsFixture {
  readonly revisions: Revisions;
  readonly ledger: Ledger;
  readonly clock: SimulatedClock;
  readonly results: ReloadResult[];
  readonly notices: RevisionNotice[];
  readonly close: () => Promise<void>;
}

/** `path`: of a ledger that was there before; as after a restart. */
export async function revisionsFixture(
  source: Source,
  options: {
    readonly path?: string;
    readonly env?: { readonly [name: string]: string };
    readonly prepare?: (plan: Plan) => Promise<void>;
  } = {},
): Promise<RevisionsFixture> {
  const { path = ledgerPath(), env = {}, prepare = () => Promise.resolve() } = options;
  const clock = createSimulatedClock();
  const ledger = await openTestLedger(path, { clock, writer: 'inline' });
  const revisions = createRevisions({
    source,
    compile: (files) => compileFiles(files, { env, nowMs: clock.nowMs() }),
    prepare,
    ledger,
    planText: (hash) => ledger.planText(hash),
    env,
    clock,
  });
  const results: ReloadResult[] = [];
  const notices: RevisionNotice[] = [];
  revisions.onChange((result) => void results.push(result));
  revisions.onNotice((notice) => void notices.push(notice));
  let open = true;
  const fixture: RevisionsFixture = {
    revisions,
    ledger,
    clock,
    results,
    notices,
    async close() {
      if (!open) return;
      open = false;
      await revisions.close();
      await ledger.close();
    },
  };
  onTestFinished(fixture.close);
  return fixture;
}
