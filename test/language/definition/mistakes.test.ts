// Slips that engineers make, one at a time in a project that is right: each is found, on its line, and said once.
import { beforeAll, describe, expect, test } from 'vitest';
import { linkTask } from '../../../src/engine/execution/link.ts';
import { loadCatalogue } from '../../../src/language/plan/catalogue.ts';
import type { Catalogue } from '../../../src/language/plan/catalogue.ts';
import { compileWorkflows } from '../../../src/language/plan/compile.ts';
import type { Compiled } from '../../../src/language/plan/compile.ts';
import type { SourceFile } from '../../../src/language/document/types.ts';
import { teamFiles, withSlip } from './support/team.ts';

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue();
});

const check = (files: readonly SourceFile[]): Compiled =>
  compileWorkflows(files, {
    env: { TEAM_OPENAI_KEY: 'set', TEAM_ANTHROPIC_KEY: 'set' },
    catalogue,
    nowMs: Date.parse('2026-11-22T00:00:00Z'),
  });

describe('a project as the language is taught', () => {
  test('is without a problem, down to the hints', () => {
    expect(check(teamFiles).problems).toEqual([]);
  });

  test('has only tasks that the engine can link', () => {
    for (const task of Object.values(check(teamFiles).plan?.tasks ?? {}))
      expect(() => linkTask(task)).not.toThrow();
  });

  test('may have Windows line ends and a byte order mark in each file', () => {
    const fromWindows = teamFiles.map(({ path, text }) => ({
      path,
      text: `\uFEFF${text.replace(/^#.*\n/, '').replaceAll('\n', '\r\n')}`,
    }));
    expect(check(fromWindows).problems).toEqual([]);
  });
});

type Slip = readonly [file: string, right: string, written: string, code: string];
const P = 'headgate';
const T = 'ticket-triage';
const C = 'change-notes';

/** Each gives exactly one problem. */
const SLIPS: readonly Slip[] = [
  // keys: what would follow from a misspelt one is not said again
  [P, 'headgate: 1', 'headgat: 1', 'unknown-key'],
  [P, 'providers:', 'provider:', 'unknown-key'],
  [P, 'policies:', 'polices:', 'unknown-key'],
  [P, 'routes:', 'route:', 'unknown-key'],
  [P, 'adapter: builtin', 'adaptor: builtin', 'unknown-key'],
  [P, 'after: 900ms', 'afer: 900ms', 'unknown-key'],
  [P, 'team:   { limit', 'team:   { limits', 'unknown-key'],
  [T, 'task: ticket', 'taks: ticket', 'unknown-key'],
  [T, 'steps:\n', 'step:\n', 'unknown-key'],
  [T, '    expect:', '    expects:', 'unknown-key'],
  [T, '    route: triage', '    routes: triage', 'unknown-key'],
  [C, '    each:', '    for_each:', 'unknown-key'],
  [C, '    as: part', '    az: part', 'unknown-key'],
  // units
  [P, 'timeout: 20s', 'timeout: 20', 'invalid-value'],
  [P, 'timeout: 20s', 'timeout: 20 s', 'invalid-value'],
  [P, 'threshold: 40%', 'threshold: 0%', 'invalid-value'],
  [P, 'threshold: 40%', 'threshold: 4%%', 'invalid-value'],
  [P, 'warnAt: [60%', 'warnAt: [0%', 'invalid-value'],
  [P, '150k/min', '150K/min', 'invalid-value'],
  [P, 'per: month', 'per: fortnight', 'invalid-value'],
  [T, '$0.08', '0.08', 'invalid-value'],
  [P, 'per: 24h', 'per: 24h, timeZone: Europe/Lisbon', 'conflicting-keys'],
  [P, 'same: input, repeats: 12', 'same: nearly, repeats: 12', 'conflicting-keys'],
  [P, 'warnAt: [60%, 90%]', 'warnAt: []', 'invalid-value'],
  [P, 'hedge: { after: 900ms', 'hedge: { after: 0ms', 'invalid-value'],
  [P, 'context: 32k, quality', 'context: 32k, maxOutputTokens: 64k, quality', 'invalid-value'],
  [P, '${{ secrets.TEAM_OPENAI_KEY }}', '$TEAM_OPENAI_KEY', 'invalid-secret'],
  // names of things
  [P, 'openai/gpt-5.6-luna: { q', 'gpt-5.6-luna: { q', 'invalid-name'],
  [P, 'anthropic/claude-haiku-4-5, openai', 'antropic/claude-haiku-4-5, openai', 'unknown-provider'],
  [P, 'lab/small, openai', 'builtin/extrat, openai', 'unknown-model'],
  [P, 'team:   { limit', 'team:   { model: openai/gpt-5.6-lun, limit', 'unknown-model'],
  [P, 'team:   { limit', 'team:   { model: gpt-5.6-luna, limit', 'unknown-model'],
  [P, '"http://127.0.0.1:8000/v1") }}', '"http://127.0.0.1:8000/v1"', 'expression-syntax'],
  [C, 'route: careful', 'route: carful', 'unknown-route'],
  // addresses
  [P, '${{ default(env.LAB_URL, "http://127.0.0.1:8000/v1") }}', '127.0.0.1:8000/v1', 'invalid-value'],
  [P, '"http://127.0.0.1:8000/v1") }}', '"127.0.0.1:8000/v1") }}', 'invalid-value'],
  [
    P,
    '${{ default(env.LAB_URL, "http://127.0.0.1:8000/v1") }}',
    'https://lab.test/v1?key=made-up',
    'literal-secret',
  ],
  // schemas, defaults and the inputs of tests
  [T, 'default: other', 'default: othr', 'default-mismatch'],
  [T, 'default: ${{ now.date }}', 'default: today', 'default-mismatch'],
  [T, 'default: other', 'default: null', 'default-mismatch'],
  [T, 'default: ${{ now.date }}', 'default: ${{ now }}', 'default-mismatch'],
  [T, 'default: ${{ now.date }}', 'default: ${{ env.TODAY }}', 'default-mismatch'],
  [T, 'maxLength: 200 }', 'minLength: 300, maxLength: 200 }', 'invalid-schema'],
  [T, 'urgency: { enum: [low, normal, high] }', 'urgency: { enum: [] }', 'invalid-schema'],
  [C, 'line: integer', 'line: int', 'unknown-type'],
  [C, 'line: integer', 'line: { $ref: "#/properties/lines" }', 'invalid-schema'],
  [T, 'queue: {', 'other?: { $ref: "#/nowhere" }\n  queue: {', 'invalid-schema'],
  [T, '{ file: tests/invoice.eml }', '{ files: tests/invoice.eml }', 'test-input-mismatch'],
  [T, '{ letter: { file: tests/invoice.eml } }', '{ letter: x, received: soon }', 'test-input-mismatch'],
  [
    T,
    'urgency: { enum: [low, normal, high] }',
    'urgency: { enum: [low, normal, high, low] }',
    'invalid-schema',
  ],
  [T, 'gist: { type: string, maxLength: 200 }', 'gist: { tpye: string, maxLength: 200 }', 'unknown-key'],
  [T, 'gist: { type: string, maxLength: 200 }', 'gist: { type: strng, maxLength: 200 }', 'invalid-schema'],
  [T, 'urgency: { enum: [low, normal, high] }', 'urgency: { enmu: [low, normal, high] }', 'unknown-key'],
  // values that may be null
  [C, 'default(steps.headline.text, "small changes")', 'size(steps.headline.text)', 'expression-may-be-null'],
  [P, 'when: prompt.tokens < 2500', 'when: prompt.tokens < int(env.SMALL)', 'expression-may-be-null'],
  [C, 'steps.notes.exists(n, n.notes.exists(x, x.weight == "large"))', 'size(true) > 0', 'expression-type'],
  // what a step takes
  [T, 'from: ${{ input.letter }}', 'from: ${{ input }}', 'expression-type'],
  [C, 'as: part', 'as: my-part', 'invalid-value'],
  [C, '${{ steps.files.filter(f, !f.generated) }}', '[1, 2]', 'invalid-value'],
  // YAML
  [T, 'description: Sort', 'description: "Sort', 'yaml-syntax'],
  [T, 'then: reject }', 'then: reject', 'yaml-syntax'],
  [T, 'low, normal, high] }', 'low, normal, high }', 'yaml-syntax'],
  [T, 'task: ticket-triage', '<<<<<<< HEAD\ntask: ticket-triage', 'yaml-syntax'],
];

test.each(SLIPS)('INV-13: in %s, %j written as %j is one %s, on its line', (file, right, written, code) => {
  const { files, line } = withSlip(file, right, written);
  const { problems, plan } = check(files);
  const found = problems.map((problem) => [problem.code, problem.file, problem.line]);
  expect(found).toEqual([[code, `workflows/${file}.yaml`, line]]);
  expect(plan).toBeNull();
});

/** What is most likely not meant: each gives exactly one warning, and the files can be served. */
const DOUBTS: readonly Slip[] = [
  // durations that contradict each other
  [P, 'timeout: 90s', 'timeout: 5m', 'timeout-beyond-deadline'],
  [P, 'hedge: { after: 900ms', 'hedge: { after: 25s', 'hedge-too-late'],
  [T, 'cache: { for: 12h }', 'cache: { for: 40d }', 'cache-without-content'],
  // limits that another forestalls
  [P, 'person: { each: caller, limit: $3', 'person: { each: caller, limit: $300', 'limit-never-reached'],
  [T, 'budget: { limit: $6', 'budget: { limit: $600', 'limit-never-reached'],
  [T, 'cost: $0.08', 'cost: $8', 'limit-never-reached'],
  [P, 'floor: $2', 'floor: $200', 'limit-never-reached'],
  [
    P,
    'openai/gpt-5.6-luna: { quality: 2',
    'openai/gpt-5.6-luna: { limits: { requests: 900/min }, quality: 2',
    'limit-never-reached',
  ],
  [P, 'tokens: 150k/min', 'tokens: 250/min', 'rate-below-one-call'],
  [P, 'context: 32k', 'context: 32', 'candidate-never-serves'],
  // what would be passed over in silence
  [
    T,
    'gist: { type: string, maxLength: 200 }',
    'gist: { type: string, maximum: 200 }',
    'schema-keyword-idle',
  ],
  [P, 'price: free', 'price: { input: $0.0000002, output: $2 }', 'price-unlikely'],
  [P, 'price: free', 'price: { input: $1, cachedInput: $4, output: $2 }', 'price-unlikely'],
  [P, 'then: reuse', 'then: reuse, ignore: [received_at]', 'ignore-unknown-field'],
  [
    P,
    'guests: { each: caller, when: caller.tier == "guest", limit: 200 calls',
    'guests: { provider: lab, limit: $2',
    'budget-never-applies',
  ],
  // conditions that are decided before any run
  [P, 'when: caller.tier == "guest"', 'when: false', 'budget-never-applies'],
  [
    T,
    'output.urgency != "high" || size(output.waits_for) > 0',
    'size(input.letter) > 9',
    'accept-ignores-answer',
  ],
  [P, 'when: prompt.tokens < 2500', 'when: 2500 < 0', 'unreachable-rule'],
  [P, 'when: prompt.tokens < 2500', 'when: prompt.tokens < 2500 && prompt.tokens > 9000', 'unreachable-rule'],
  [T, '|| size(output.waits_for) > 0', '|| size(output.waits_for) >= 0', 'condition-always-holds'],
  [T, '|| size(output.waits_for) > 0', '|| output.urgency != "low"', 'condition-always-holds'],
];

test.each(DOUBTS)('in %s, %j written as %j is one warning, %s, on its line', (file, right, written, code) => {
  const { files, line } = withSlip(file, right, written);
  const { problems, plan } = check(files);
  const found = problems.map((problem) => [problem.code, problem.severity, problem.file, problem.line]);
  expect(found).toEqual([[code, 'warning', `workflows/${file}.yaml`, line]]);
  expect(plan).not.toBeNull();
});

test.each([
  ['20sec', 'Did you mean `20s`?'],
  ['20 S', 'Did you mean `20s`?'],
  ['20h', 'Write a duration between 1ms and 1h.'],
  ['20', 'Write a number with its unit'],
])('of a timeout of %s it is said what to write', (written, remedy) => {
  const { files } = withSlip(P, 'timeout: 20s', `timeout: ${written}`);
  expect(check(files).problems[0]?.remedy).toContain(remedy);
});

test('a comma in a number, and a number in quotes, are called what they are', () => {
  const first = (right: string, written: string): string | undefined => {
    const [problem] = check(withSlip(P, right, written).files).problems;
    return `${problem?.message} ${problem?.remedy}`;
  };
  expect(first('limit: $90', 'limit: $9,000')).toContain('without it, `$4000`');
  expect(first('attempts: 1,', 'attempts: "1",')).toContain('`"1"` is not a whole number');
});

test('a model of another vendor, a misspelt model, and a misspelt default route are told what is meant', () => {
  const remedies = (right: string, written: string): string =>
    JSON.stringify(check(withSlip(P, right, written).files).problems);
  expect(remedies('[anthropic/claude-sonnet-5, openai', '[openai/claude-sonnet-5, openai')).toContain(
    'Did you mean \\"anthropic/claude-sonnet-5\\"?',
  );
  expect(remedies('  openai/gpt-5.6-luna: {', '  openai/gpt-5.6-lune: {')).toContain(
    '"unused-model","severity":"note"',
  );
});

test('a candidate that may outlast the run while others can serve is warned of, at the deadline', () => {
  const { files, line } = withSlip(T, 'deadline: 50s', 'deadline: 15s');
  const each = { code: 'no-time-for-next', severity: 'warning', file: `workflows/${T}.yaml`, line };
  expect(check(files).problems).toMatchObject([each, each]);
});

test('a rule with a narrower `when` than the one before it is never taken, and is shown', () => {
  const { files } = withSlip(P, 'when: caller.tier == "gold"', 'when: prompt.tokens < 9000');
  expect(check(files).problems).toMatchObject([{ code: 'unreachable-rule', line: 46, column: 13 }]);
});

test.each([
  [T, 'Received on ${{ input.received }}', 'Received on {{ input.received }}', 'expression-as-text'],
  [T, 'Received on ${{ input.received }}', 'Received on ${ input.received }', 'expression-as-text'],
  [T, 'sender: ${{ steps.mail.from }}', 'sender: steps.mail.from.address', 'expression-as-text'],
  [P, 'from: [lab/small, openai/gpt-5.6-luna]', 'from: [builtin/extract]', 'rule-without-structured-output'],
] as const)('in %s, %j written as %j is warned of as %s', (file, right, written, code) => {
  expect(check(withSlip(file, right, written).files).problems.map((problem) => problem.code)).toContain(code);
});

test.each([
  ['an input that is read as a whole', C, '${{ input.audience }}', '${{ input.toJson() }}'],
  ['signs of another template language', C, 'For ', 'Keep {{ name }}, ${HOME} and $(pwd). For '],
  [
    'an address with a harmless query',
    P,
    '"http://127.0.0.1:8000/v1"',
    '"http://127.0.0.1:8000/v1?version=2"',
  ],
  [
    'an address that is whole only where its variable is set',
    P,
    '${{ default(env.LAB_URL, "http://127.0.0.1:8000/v1") }}',
    '${{ env.LAB_URL }}/v1',
  ],
  [
    'an object with fields that keywords are called like',
    T,
    'waits_for:\n        - { what: string',
    'waits_for:\n        - { menu: [a, b], kind: string, what: string',
  ],
  [
    'a loop guard that leaves out a field inside a field',
    P,
    'then: reuse',
    'then: reuse, ignore: [received, letter.id]',
  ],
  [
    'two loop guards of one kind, and one of another',
    P,
    '{ same: input, repeats: 12, within: 2m, then: reuse }',
    '[{ repeats: 12, within: 2m, then: reuse }, { repeats: 50, within: 1d }, { same: nearly, then: pause }]',
  ],
  [
    'a default of null where the field may be null',
    T,
    'queue: { enum: [billing, bugs, other], default: other }',
    'queue?: { enum: [billing, bugs, other], default: null }',
  ],
  ['a limit that a warning does not hold', P, 'warnAt: [60%, 90%], then: reject', 'then: warn'],
  ['a window that may lie in two of the calendar', P, '$3, per: 24h', '$170, per: 24h'],
  ['a hedge that waits for a slow percentile', P, 'after: 900ms', 'after: p99'],
  ['an `accept` that takes everything', T, 'output.urgency != "high" || size(output.waits_for) > 0', 'true'],
  ['a text made of several, to be parsed', C, 'from: ${{ input.change }}', 'from: "${{ input.change }}\\n"'],
] as const)('%s is nothing to complain about', (_what, file, right, written) => {
  expect(check(withSlip(file, right, written).files).problems).toEqual([]);
});
