// Problems as SARIF 2.1.0, for code scanning pages.
import type { Json } from '../../common/json.ts';
import type { Problem } from '../../errors/problem.ts';

const LEVELS = { error: 'error', warning: 'warning', note: 'note' } as const;

export function problemsSarif(problems: readonly Problem[], version: string): Json {
  const codes = [...new Set(problems.map((problem) => problem.code))].sort();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'headgate', version, rules: codes.map((id) => ({ id })) } },
        results: problems.map((problem) => ({
          ruleId: problem.code,
          ruleIndex: codes.indexOf(problem.code),
          level: LEVELS[problem.severity],
          message: { text: `${problem.message} ${problem.remedy}` },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: problem.file },
                region: {
                  startLine: problem.line,
                  startColumn: problem.column,
                  endColumn: problem.endColumn,
                  snippet: { text: problem.excerpt },
                },
              },
            },
          ],
        })),
      },
    ],
  };
}
