// docs/operating: the image is counted and its file parsed, what it starts is there, and every query of the dashboard and the rules is about what is served.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { registerServe } from '../../src/cli/serve.ts';
import { createProgram } from '../../src/cli/program.ts';
import { noColours } from '../../src/cli/format/colours.ts';
import { isUnread } from '../../scripts/slim.mjs';
import { readRepositoryFile, repositoryRoot } from '../support/repository.ts';
import { serve, type Served } from '../support/served.ts';

const operating = (name: string): string => readRepositoryFile(`docs/operating/${name}`);
const has = (command: string, ...args: readonly string[]): boolean => spawnSync(command, args).status === 0;

/** The instructions of a Dockerfile, continued lines joined. */
function instructions(text: string): readonly { readonly name: string; readonly rest: string }[] {
  return text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({
      name: line.slice(0, line.indexOf(' ')),
      rest: line.slice(line.indexOf(' ') + 1).trim(),
    }));
}

describe('the image', () => {
  const all = instructions(operating('Dockerfile'));
  const last = all.slice(all.findLastIndex(({ name }) => name === 'FROM'));

  it('is built in stages from instructions that there are, runs as a user without rights, and is asked how it does', () => {
    const known = new Set(
      'FROM WORKDIR COPY RUN ENV USER VOLUME EXPOSE HEALTHCHECK ENTRYPOINT CMD'.split(' '),
    );
    expect(all.filter(({ name }) => !known.has(name))).toEqual([]);
    expect(all.filter(({ name }) => name === 'FROM')).toHaveLength(2);
    expect(last.find(({ name }) => name === 'USER')?.rest).toBe('node');
    expect(last.find(({ name }) => name === 'HEALTHCHECK')?.rest).toContain('/health/ready');
    // As a list, so that node is process 1 and gets the signals.
    const entry = JSON.parse(last.find(({ name }) => name === 'ENTRYPOINT')?.rest ?? '') as string[];
    expect(entry).toEqual(['node', '/app/node_modules/headgate/bin/headgate.mjs']);
    const files = all
      .filter(({ name }) => name === 'COPY')
      .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
    for (const file of files.filter((each) => !each.startsWith('-') && !each.startsWith('/')))
      expect([file, existsSync(join(repositoryRoot, file))]).toEqual([file, true]);
    const script = /node (scripts\/\S+)/.exec(operating('Dockerfile'))?.[1] ?? '';
    expect(existsSync(join(repositoryRoot, script))).toBe(true);
  });

  it('adds 80 MB to its base at the most, counted from the files that it copies', () => {
    // The one COPY of the last stage: the package with what it needs to run, as `npm install --omit=dev --omit=optional` lays it out.
    expect(last.filter(({ name }) => name === 'COPY').map(({ rest }) => rest)).toEqual([
      '--from=package /app /app',
    ]);
    const { packages } = JSON.parse(readRepositoryFile('package-lock.json')) as {
      packages: Record<string, { dev?: boolean; optional?: boolean }>;
    };
    const modules = join(repositoryRoot, 'node_modules');
    const needed = Object.entries(packages).filter(
      ([path, entry]) => path.startsWith('node_modules/') && entry.dev !== true && entry.optional !== true,
    );
    const ofPackages = needed.reduce((sum, [path]) => sum + sizeOf(join(repositoryRoot, path), modules), 0);
    // Its own: what is compiled is no larger than the sources, and the page is below 2 MB.
    const own = ['src', 'migrations', 'workflows', 'schema', 'demo', 'docs'].reduce(
      (sum, name) => sum + sizeOf(join(repositoryRoot, name), null),
      2e6,
    );
    const megabytes = (ofPackages + own) / 1e6;
    expect(megabytes).toBeGreaterThan(20);
    expect(megabytes).toBeLessThan(80);
  });

  it.skipIf(!has('docker', 'info'))(
    'is built where docker is',
    () => {
      const args = ['build', '-q', '-f', 'docs/operating/Dockerfile', '-t', 'headgate-test', '.'];
      expect(execFileSync('docker', args, { cwd: repositoryRoot, encoding: 'utf8' })).toContain('sha256:');
    },
    600_000,
  );
});

/** Files below a folder but for packages inside it, which the lock lists by themselves. */
function sizeOf(folder: string, modules: string | null): number {
  let sum = 0;
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const path = join(folder, name);
    if (name === 'node_modules') continue;
    if (lstatSync(path).isDirectory()) sum += sizeOf(path, modules);
    else if (modules === null || !isUnread(modules, path)) sum += statSync(path).size;
  }
  return sum;
}

describe('compose, systemd and Kubernetes', () => {
  it('compose builds that image, read-only, with a volume for the data, and waits for the drain', () => {
    const { services, volumes, secrets } = parse(operating('compose.yaml')) as {
      services: { headgate: Record<string, unknown> };
      volumes: object;
      secrets: object;
    };
    expect(services.headgate).toMatchObject({
      build: { context: '../..', dockerfile: 'docs/operating/Dockerfile' },
      read_only: true,
      cap_drop: ['ALL'],
      stop_grace_period: '20s',
      volumes: ['data:/data', '../../workflows:/workflows:ro'],
    });
    expect([Object.keys(volumes), Object.keys(secrets)]).toEqual([['data'], ['openai', 'anthropic']]);
  });

  it.skipIf(!has('docker', 'compose', 'version'))('compose takes the file where it is there', () => {
    const args = ['compose', '-f', 'docs/operating/compose.yaml', 'config', '-q'];
    expect(() => execFileSync('docker', args, { cwd: repositoryRoot, stdio: 'pipe' })).not.toThrow();
  });

  it('systemd starts a command with options that there are, and only known settings', () => {
    const unit = operating('headgate.service');
    const sections = [...unit.matchAll(/^\[(\w+)\]$/gm)].map(([, name]) => name);
    expect(sections).toEqual(['Unit', 'Service', 'Install']);
    expect(/^ExecStart=\/opt\/headgate\/node_modules\/\.bin\/headgate (\w+)$/m.exec(unit)?.[1]).toBe('serve');
    expect(unit.split('\n').filter((line) => !/^(#.*|\[\w+\]|[A-Z]\w+=.*|)$/.test(line))).toEqual([]);
    expectKnownVariables(unit);
    expectKnownVariables(operating('Dockerfile'));
    expectKnownVariables(operating('compose.yaml'));
    expectKnownVariables(operating('kubernetes.yaml'));
  });

  it.skipIf(!has('systemd-analyze', '--version'))('systemd takes the unit where it is there', () => {
    const { stderr } = spawnSync(
      'systemd-analyze',
      ['verify', join(repositoryRoot, 'docs/operating/headgate.service')],
      { encoding: 'utf8' },
    );
    expect(stderr.split('\n').filter((line) => /Unknown|Invalid|Failed to parse/.test(line))).toEqual([]);
  });

  it('Kubernetes runs one at a time, as nobody, from a read-only root, and asks where the server answers', () => {
    const documents = parseAllDocuments(operating('kubernetes.yaml'));
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    const all = documents.map((each) => each.toJS() as { kind: string; spec: Record<string, unknown> });
    expect(all.map(({ kind }) => kind)).toEqual(['PersistentVolumeClaim', 'Deployment', 'Service']);
    expect(all[1]?.spec).toMatchObject({
      replicas: 1,
      strategy: { type: 'Recreate' },
      template: {
        spec: {
          terminationGracePeriodSeconds: 20,
          securityContext: { runAsNonRoot: true },
          containers: [
            {
              securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
              startupProbe: { httpGet: { path: '/health/live' } },
              livenessProbe: { httpGet: { path: '/health/live' } },
              readinessProbe: { httpGet: { path: '/health/ready' } },
            },
          ],
        },
      },
    });
  });
});

/** Each HEADGATE_… that a file sets is one that `serve` or the log reads. */
function expectKnownVariables(text: string): void {
  const io = {
    out: () => undefined,
    err: () => undefined,
    env: {},
    colours: noColours,
    errColours: noColours,
  };
  const command = createProgram([registerServe], io, () => undefined).commands[0];
  const known = new Set(['HEADGATE_LOG', ...(command?.options ?? []).flatMap(({ envVar }) => envVar ?? [])]);
  const set = [...text.matchAll(/\b(HEADGATE_[A-Z_]+)\b/g)].map(([, name = '']) => name);
  expect(set.filter((name) => !known.has(name))).toEqual([]);
}

describe('the dashboard and the rules', () => {
  let served: Served;
  let metrics: string;
  beforeAll(async () => {
    served = await serve();
    const query =
      'mutation { runTaskJson(name: "summarize", input: { text: "Rain fell. The river rose. The gate was shut." }) { __typename } }';
    await fetch(`${served.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    do metrics = await (await fetch(`${served.url}/metrics`)).text();
    while (!metrics.includes('headgate_cost_usd_total{'));
  }, 60_000);
  afterAll(() => served.stop());

  const dashboard = JSON.parse(operating('grafana-dashboard.json')) as {
    panels: { id: number; title: string; targets: { expr: string }[] }[];
    templating: { list: { name: string; query?: { query: string } | string }[] };
  };
  const rules = parse(operating('prometheus-rules.yaml')) as {
    groups: {
      name: string;
      rules: { alert?: string; record?: string; expr: string; annotations?: object }[];
    }[];
  };
  const queries = [
    ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ of: title, expr }))),
    ...rules.groups.flatMap((group) =>
      group.rules.map(({ alert, record, expr }) => ({ of: alert ?? record ?? '', expr })),
    ),
  ];

  it.each(queries)('$of asks for metrics and labels that are served', ({ expr }) => {
    const labels = labelsOf(metrics);
    const asked = [...expr.matchAll(/\b((?:headgate|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)];
    // `up` is Prometheus' own.
    expect(asked.length > 0 || expr.startsWith('up{')).toBe(true);
    for (const [, name = '', matchers = ''] of asked) {
      const known = labels.get(name.replace(/_bucket$/, ''));
      expect([name, known !== undefined]).toEqual([name, true]);
      for (const [, label = ''] of matchers.matchAll(/(\w+)\s*(?:=~|!=|=)/g))
        expect([name, label, label === 'job' || known?.has(label)]).toEqual([name, label, true]);
      for (const [, by = ''] of expr.matchAll(/\bby \(([^)]*)\)/g))
        for (const label of by.split(',').map((each) => each.trim()))
          expect([name, label, label === 'le' || known?.has(label)]).toEqual([name, label, true]);
    }
    expect(expr.split('(')).toHaveLength(expr.split(')').length);
  });

  it('have panels with ids of their own, and variables of labels that are served', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const asked = dashboard.templating.list.flatMap(({ query }) =>
      typeof query === 'object' ? [query.query] : [],
    );
    expect(asked).toEqual([
      'label_values(headgate_cost_usd_total, team)',
      'label_values(headgate_cost_usd_total, task)',
    ]);
    for (const { rules: all } of rules.groups)
      for (const rule of all)
        if (rule.alert !== undefined) expect(rule.annotations).toHaveProperty('summary');
  });

  it.skipIf(!has('promtool', '--version'))('promtool takes the rules where it is there', () => {
    const args = ['check', 'rules', join(repositoryRoot, 'docs/operating/prometheus-rules.yaml')];
    expect(execFileSync('promtool', args, { encoding: 'utf8' })).toContain('SUCCESS');
  });
});

/** The labels of each metric that is served. One without a sample yet has none that could be known; its name is there. */
function labelsOf(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  // Of providers that were not called, and of calls that did not fail.
  const declared: Record<string, readonly string[]> = {
    headgate_circuit_open: ['provider', 'model'],
    headgate_attempts_in_flight: ['provider', 'model'],
    headgate_budget_used_ratio: ['budget'],
  };
  for (const [, name = ''] of text.matchAll(/^# TYPE (\S+) /gm)) found.set(name, new Set(declared[name]));
  for (const [, name = '', labels = ''] of text.matchAll(/^(\w+?)(?:_bucket|_sum|_count)?\{([^}]*)\}/gm))
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g))
      (found.get(name) ?? found.set(name, new Set()).get(name))?.add(label);
  return found;
}
