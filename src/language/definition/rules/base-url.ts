// What a computed address is where no environment variable is set: a slip in the default would show only there.
import { compileTemplate } from '../../expression/template.ts';
import { providerShape } from '../environments.ts';
import type { Rule } from './rule.ts';

export const baseUrl: Rule = {
  diagnostics: [],
  check(workspace, report) {
    for (const { baseUrl: address } of Object.values(workspace.project?.providers ?? {})) {
      if (!address || address.template.kind === 'literal') continue;
      const compiled = compileTemplate(address.template, workspace.environment(providerShape));
      const given = compiled.ok ? compiled.value.evaluate({ env: {} }) : compiled;
      if (!given.ok || typeof given.value !== 'string' || given.value.trim() === '') continue;
      const protocol = URL.parse(given.value.trim())?.protocol;
      // A text around a variable that is not set here may be whole where it is.
      if (protocol === 'http:' || protocol === 'https:' || address.template.kind === 'text') continue;
      report(
        'invalid-value',
        address.at,
        `Where no variable is set this is \`${given.value.slice(0, 60)}\`, which is not an address.`,
        'Write it whole: `https://api.example.com/v1`, `http://127.0.0.1:11434/v1`.',
      );
    }
  },
};
