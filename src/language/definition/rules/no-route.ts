// A model step that no route serves.
import { nearest } from '../../../common/nearest.ts';
import type { Rule } from './rule.ts';
import { modelSteps, routeFor } from './walk.ts';

export const noRoute: Rule = {
  diagnostics: [
    {
      code: 'no-route',
      severity: 'error',
      title: 'A model step without a route',
      why: 'The step could not choose a model.',
      remedy: 'Name a route on the step, or declare one called `default`.',
    },
  ],
  check(workspace, report) {
    if (!workspace.project || workspace.declared.routes.has('default')) return;
    for (const task of workspace.taskList()) {
      for (const step of modelSteps(task)) {
        if (step.route || routeFor(workspace, task, step)) continue;
        const near = nearest('default', workspace.declared.routes);
        const message = `The step \`${step.key}\` names no route, and the project has no route \`default\`.`;
        report(
          'no-route',
          step.at,
          message,
          near
            ? `Is \`${near}\` the route that is meant? Call it \`default\`, or name it on the step.`
            : 'Add `route: NAME` to the step, or declare `routes: { default: [{ from: [provider/model] }] }`.',
        );
      }
    }
  },
};
