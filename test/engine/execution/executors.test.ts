// Executors: compiled when a plan is activated, shared by the plans that have the same task.
import { describe, expect, test } from 'vitest';
import { createExecutors } from '../../../src/engine/execution/executors.ts';
import type { PlanTask } from '../../../src/language/plan/types.ts';
import { model, modelStep, plan, task, template } from '../../support/engine-plan.ts';

const say = (name: string, prompt: string): PlanTask =>
  task(name, [modelStep('say', ['a/m'], { prompt: template(prompt) })]);
const planOf = (tasks: readonly PlanTask[]) => plan({ models: [model('a/m')], tasks: [...tasks] });

describe('executors', () => {
  test('are there for every task once the plan is prepared, and compiled once', async () => {
    const executors = createExecutors();
    const tasks = Array.from({ length: 20 }, (_, index) => say(`t${index}`, `say ${index}`));
    const { tasks: planned } = planOf(tasks);
    await executors.prepare(planOf(tasks));
    // Asked for with a copy, it is still the one that was compiled from the prepared plan.
    for (const one of Object.values(planned)) expect(executors.of({ ...one }).task).toBe(one);
  });

  test('of a task that did not change are kept by the next plan', async () => {
    const executors = createExecutors();
    const same = say('same', 'as before');
    await executors.prepare(planOf([same, say('other', 'one')]));
    const before = executors.of(same);
    await executors.prepare(planOf([same, say('other', 'two')]));
    expect(executors.of(same)).toBe(before);
  });

  test('are not given where an expression does not compile: the plan is not put in force', async () => {
    const broken = planOf([say('broken', '${{ steps.nowhere.text + 1 }}')]);
    await expect(createExecutors().prepare(broken)).rejects.toThrow('task broken');
  });
});
