// The command line: what it prints, how it ends, and what it says when it is used wrongly.
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { noColours } from '../../src/cli/format/colours.ts';
import { shippedWorkflows, workflowsFolder } from '../../src/cli/workflows-folder.ts';
import { readRepositoryFile } from '../support/repository.ts';
import { cliReferencePage } from '../../scripts/reference/cli-page.ts';
import { headgate, PROJECT, TASK, temporaryFolder } from './support.ts';

const workflows = temporaryFolder({ 'headgate.yaml': PROJECT, 'shorten.yaml': TASK });
const data = temporaryFolder();
const TEXT =
  'Rain fell on the hills. The river rose by a metre. The gate was shut at noon. No field was flooded.';
const here = ['--workflows', workflows, '--data', data];

describe('wrong usage ends with 2 and one line that says what to do', () => {
  it.each([
    [['serve', '--prot', '1'], '--port'],
    [['serve', '--port', 'many'], 'whole number'],
    [['serve', '--port', '65536'], '65535'],
    [['check', '--format', 'xml'], 'sarif'],
    [['frobnicate'], 'headgate --help'],
    [[], 'headgate serve'],
    [['run'], "'task'"],
    [['run', 'shorte', ...here], '"shorten"'],
    [['run', 'shorten', ...here, '--input', 'text'], 'key=value'],
    [['run', 'shorten', ...here, '--input', 'text=@/no/such/file'], 'cannot be read'],
    [['run', 'shorten', ...here, '--max-cost', 'much'], '$0.05'],
    [['run', 'shorten', ...here, '--tag', 'x'], 'key=value'],
  ])('INV-13: %j', async (args, hint) => {
    const { code, out, err } = await headgate(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.split('\n')).toHaveLength(1);
    expect(err).toContain(hint);
  });
});

describe('what cannot be done ends with 1 and one line that says what to do', () => {
  it('names a folder that is not there', async () => {
    const { code, err } = await headgate(['check', join(workflows, 'nowhere')]);
    expect(code).toBe(1);
    expect(err).toMatch(/^headgate: there is no folder .*nowhere\. .*--workflows/);
  });

  it('says that a port is in use, and how to take another', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const { code, err } = await headgate(['serve', ...here, '--port', String(port), '--no-watch']);
    other.close();
    expect(code).toBe(1);
    expect(err).toContain(String(port));
    expect(err).toContain('--port');
    expect(err).not.toContain('    at ');
  });

  it('says that a data folder cannot be made', async () => {
    const file = join(temporaryFolder({ file: '' }), 'file');
    const { code, err } = await headgate([
      'run',
      'shorten',
      '--workflows',
      workflows,
      '--data',
      join(file, 'data'),
      '--input',
      `text=${TEXT}`,
    ]);
    expect(code).toBe(1);
    expect(err.split('\n')).toHaveLength(1);
    expect(err).toContain(file);
  });

  it('refuses to listen beyond this machine without a key', async () => {
    const { code, err } = await headgate([
      'serve',
      ...here,
      '--host',
      '0.0.0.0',
      '--port',
      '0',
      '--no-watch',
    ]);
    expect(code).toBe(1);
    expect(err).toContain('keys create');
  });
});

describe('the folder of workflows', () => {
  it('is the shipped one where none is named and none is there, and one line says so', () => {
    const before = process.cwd();
    const said: string[] = [];
    process.chdir(temporaryFolder());
    try {
      const folder = workflowsFolder(undefined, {
        out: () => undefined,
        err: (line) => void said.push(line),
        env: {},
        colours: noColours,
        errColours: noColours,
      });
      expect(folder).toBe(shippedWorkflows);
    } finally {
      process.chdir(before);
    }
    expect(said).toEqual([expect.stringContaining('the shipped tasks are used')]);
  });
});

describe('headgate run', () => {
  it('prints the answer alone on standard output, and who gave it on standard error', async () => {
    const { code, out, err } = await headgate(['run', 'shorten', ...here, '--input', `text=${TEXT}`]);
    expect(code).toBe(0);
    for (const sentence of out.split(/(?<=\.)\s+/)) expect(TEXT).toContain(sentence);
    expect(err).toMatch(/builtin\/extract · \$0 · /);
  });

  it('prints the whole run as JSON', async () => {
    const file = temporaryFolder({ 'text.txt': TEXT });
    const { code, out } = await headgate([
      'run',
      'shorten',
      ...here,
      '--input',
      `text=@${join(file, 'text.txt')}`,
      '--input',
      'sentences=1',
      '--json',
    ]);
    expect(code).toBe(0);
    const run = JSON.parse(out) as {
      status: string;
      cost: string;
      output: { text: string };
      attempts: readonly { provider: string; model: string; status: string }[];
    };
    expect(run).toMatchObject({
      status: 'succeeded',
      cost: '0',
      attempts: [{ provider: 'builtin', model: 'extract', status: 'succeeded' }],
    });
    expect(TEXT).toContain(run.output.text);
  });

  it('INV-13: ends with 1 and a path for each problem of the input', async () => {
    const { code, out, err } = await headgate(['run', 'shorten', ...here, '--input', 'sentences=0']);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('/text');
    expect(err).toContain('/sentences');
  });

  it('answers an idempotency key with the run that was made with it', async () => {
    const args = [
      'run',
      'shorten',
      ...here,
      '--input',
      `text=${TEXT}`,
      '--idempotency-key',
      'once',
      '--json',
    ];
    const [first, second] = [await headgate(args), await headgate(args)];
    const id = (ended: { out: string }): string => (JSON.parse(ended.out) as { id: string }).id;
    expect(id(second)).toBe(id(first));
  });
});

describe('headgate check', () => {
  it('warns of a file that a test names and that is not beside the task', async () => {
    const cases = [
      'tests:',
      '  - name: a short text',
      '    input: { text: { file: tests/shrot.txt } }',
      '    expect: [size(output.text) > 0]',
      '',
    ].join('\n');
    const folder = temporaryFolder({ 'headgate.yaml': PROJECT, 'shorten.yaml': `${TASK}${cases}` });
    const { code, out } = await headgate(['check', folder]);
    expect(code).toBe(0);
    expect(out).toContain('There is no file `tests/shrot.txt` beside the task');
    expect(out).toContain('[test-file-missing]');
  });

  it.each(['../secret.txt', 'linked.txt', '/etc/hosts'])(
    'INV-12: a test reads no file outside the workflows folder: %s',
    async (path) => {
      const cases = `tests:\n  - name: a text\n    input: { text: { file: ${path} } }\n    expect: [size(output.text) > 0]\n`;
      const outer = temporaryFolder({ 'secret.txt': 'a secret of this machine' });
      const folder = join(outer, 'workflows');
      mkdirSync(folder);
      writeFileSync(join(folder, 'headgate.yaml'), PROJECT);
      writeFileSync(join(folder, 'shorten.yaml'), `${TASK}${cases}`);
      symlinkSync(join(outer, 'secret.txt'), join(folder, 'linked.txt'));
      const checked = await headgate(['check', folder]);
      expect(checked.code).toBe(1);
      expect(checked.out).toContain('[test-file-outside]');
      const tested = await headgate(['test', '--workflows', folder, '--live']);
      expect(tested.code).not.toBe(0);
      expect(tested.out + tested.err).toContain('outside the workflows folder');
    },
  );

  const broken = temporaryFolder({
    'headgate.yaml': PROJECT,
    'one.yaml': TASK.replace('route: main', 'rout: main').replace('input.text', 'input.txt'),
    'two.yaml': TASK.replace('shorten', 'other').replace('string\n', 'strin\n'),
  });

  it('says nothing but a count where all is well', async () => {
    const { code, out } = await headgate(['check', workflows]);
    expect({ code, out }).toEqual({ code: 0, out: '2 files checked: 0 errors, 0 warnings' });
  });

  it('INV-13: finds every problem of every file, each with its place, its line, a caret and a remedy', async () => {
    const { code, out } = await headgate(['check', broken]);
    expect(code).toBe(1);
    expect(out).toMatch(
      /one\.yaml:7:5 error .*\[unknown-key\]\n.*rout: main\n.*\^{4}\n.*Did you mean `route`/,
    );
    expect(out).toMatch(
      /one\.yaml:11:\d+ error .*\[unknown-field\]\n.*input\.txt.*\n *\| +\^{3}\n.*Did you mean `text`/,
    );
    expect(out).toMatch(/two\.yaml:3:\d+ error /);
  });

  it('prints the same problems as JSON, as GitHub annotations and as SARIF', async () => {
    const json = JSON.parse((await headgate(['check', broken, '--format', 'json'])).out) as {
      ok: boolean;
      problems: readonly { code: string; line: number }[];
    };
    expect(json.ok).toBe(false);
    const github = (await headgate(['check', broken, '--format', 'github'])).out.split('\n');
    expect(github).toHaveLength(json.problems.length);
    expect(github.find((line) => line.startsWith('::error'))).toMatch(
      /^::error file=.*one\.yaml,line=7,col=5,endColumn=\d+,title=unknown-key::/,
    );
    const sarif = JSON.parse((await headgate(['check', broken, '--format', 'sarif'])).out) as {
      runs: readonly {
        results: readonly { ruleId: string; ruleIndex: number }[];
        tool: { driver: { rules: readonly { id: string }[] } };
      }[];
    };
    const [run] = sarif.runs;
    expect(run?.results.map(({ ruleId }) => ruleId)).toEqual(json.problems.map(({ code }) => code));
    for (const { ruleId, ruleIndex } of run?.results ?? [])
      expect(run?.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
  });
});

describe('headgate serve', () => {
  it('serves nothing when the workflows do not compile, and lists every problem', async () => {
    const folder = temporaryFolder({
      'headgate.yaml': PROJECT.replace('builtin/extract', 'buildin/extract'),
      'shorten.yaml': TASK,
    });
    const { code, out, err } = await headgate([
      'serve',
      '--workflows',
      folder,
      '--data',
      data,
      '--port',
      '0',
      '--no-watch',
    ]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('headgate.yaml:6:');
    expect(err).toContain('do not compile');
  });
});

describe('headgate init', () => {
  it('copies the shipped workflows, which check accepts, and overwrites nothing', async () => {
    const folder = join(temporaryFolder(), 'flows');
    expect((await headgate(['init', folder])).code).toBe(0);
    expect(existsSync(join(folder, 'headgate.yaml'))).toBe(true);
    expect(existsSync(join(folder, '..', 'schema', 'task.json'))).toBe(true);
    expect((await headgate(['check', folder])).code).toBe(0);
    writeFileSync(join(folder, 'headgate.yaml'), PROJECT);
    expect((await headgate(['init', folder])).code).toBe(2);
  });
});

describe('headgate schema and plan', () => {
  it('print the GraphQL schema of the tasks, and what a task will do', async () => {
    const schema = await headgate(['schema', '--workflows', workflows]);
    expect(schema.code).toBe(0);
    expect(schema.out).toContain('input TaskInput @oneOf {\n  shorten: ShortenInput');
    const plan = await headgate(['plan', '--workflows', workflows, '--task', 'shorten']);
    expect(plan.out).toContain('first of builtin/extract');
  });
});

describe('docs/reference/cli.md', () => {
  it('is what the commands say: else run npm run reference', async () => {
    expect(readRepositoryFile('docs/reference/cli.md')).toBe(await cliReferencePage());
  });
});
