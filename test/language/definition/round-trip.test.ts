// Any valid workflow loads, prints back to files that load as the same Definition, and compiles to the same Plan.
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadDefinition } from '../../../src/language/definition/load.ts';
import { printDefinition } from './support/print.ts';
import { printYaml } from '../document/print-yaml.ts';
import { linkTask } from '../../../src/engine/execution/link.ts';
import { loadCatalogue } from '../../../src/language/plan/catalogue.ts';
import type { Catalogue } from '../../../src/language/plan/catalogue.ts';
import { compileWorkflows } from '../../../src/language/plan/compile.ts';
import { arbitraryProject, arbitraryTask } from './support/arbitrary.ts';
import { withoutPlaces } from './support/definitions.ts';

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue();
});

const workflows = fc.tuple(arbitraryProject, arbitraryTask).map(([project, task]) => [
  { path: 'workflows/headgate.yaml', text: printYaml(project) },
  { path: 'workflows/task.yaml', text: printYaml(task) },
]);
const options = { env: {}, nowMs: Date.parse('2026-11-22T00:00:00Z') };

describe('any valid workflow', () => {
  test('loads without an error, and prints back to the same Definition', () => {
    fc.assert(
      fc.property(workflows, (files) => {
        const { definition, problems } = loadDefinition(files);
        expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
        if (!definition) throw new Error('not loaded');
        const again = loadDefinition(printDefinition(definition));
        expect(again.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
        expect(withoutPlaces(again.definition)).toEqual(withoutPlaces(definition));
      }),
      { numRuns: 60 },
    );
  });

  test('INV-6: gives the same Plan when it is printed and read again, and whatever the order of its files', () => {
    fc.assert(
      fc.property(workflows, (files) => {
        const { definition, plan } = compileWorkflows(files, { ...options, catalogue });
        fc.pre(definition !== null && plan !== null);
        const printed = compileWorkflows(printDefinition(definition), { ...options, catalogue });
        const reversed = compileWorkflows([...files].reverse(), { ...options, catalogue });
        expect([printed.plan?.hash, reversed.plan?.hash]).toEqual([plan.hash, plan.hash]);
      }),
      { numRuns: 40 },
    );
  });

  test('has no expression that the check takes and the engine does not', () => {
    fc.assert(
      fc.property(workflows, (files) => {
        const { plan } = compileWorkflows(files, { ...options, catalogue });
        fc.pre(plan !== null);
        for (const task of Object.values(plan.tasks))
          expect(linkTask(task).steps.length).toBe(task.steps.length);
      }),
      { numRuns: 40 },
    );
  });
});
