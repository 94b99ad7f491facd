// Allowances and guards that leave no room.
import { formatDuration } from '../../../common/units.ts';
import type { Rule } from './rule.ts';
import { modelSteps } from './walk.ts';

export const allowances: Rule = {
  diagnostics: [
    {
      code: 'allowance-too-small',
      severity: 'error',
      title: 'Fewer attempts than steps',
      why: 'A run could not ask a model for each step even once.',
      remedy: 'Raise `attempts` of the allowance.',
    },
    {
      code: 'surge-baseline-short',
      severity: 'warning',
      title: 'A baseline that is no longer than what is compared with it',
      why: 'The surge would be compared with itself.',
      remedy: 'Make `baseline` several times as long as `over`.',
    },
  ],
  check(workspace, report) {
    for (const task of workspace.taskList()) {
      const needed = modelSteps(task).filter(({ when, each }) => when === null && each === null).length;
      const { attempts, at } = task.allowance;
      if (attempts === null || attempts >= needed) continue;
      report(
        'allowance-too-small',
        at,
        `The run may make ${attempts === 1 ? '1 call' : `${attempts} calls`}, but ${needed} steps need one each.`,
        `Write \`attempts: ${needed * 2}\` or so, to leave room for retries.`,
      );
    }
    const surge = workspace.project?.guards.surge;
    if (!surge || surge.baselineMs > surge.overMs * 2) return;
    report(
      'surge-baseline-short',
      surge.at,
      `The baseline of ${formatDuration(surge.baselineMs)} is hardly longer than the ${formatDuration(surge.overMs)} that are compared with it.`,
      'Write a baseline of a day or more.',
    );
  },
};
