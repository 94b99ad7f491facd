// Test results as JUnit XML, which CI systems read.
import type { TestResult } from '../testing/run-tests.ts';

const escape = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/g, '\uFFFD');

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

export function junitXml(results: readonly TestResult[]): string {
  const tasks = [...new Set(results.map(({ task }) => task))];
  const total = (of: readonly TestResult[]): string =>
    `tests="${of.length}" failures="${of.filter(({ ok }) => !ok).length}" time="${seconds(of.reduce((sum, { latencyMs }) => sum + latencyMs, 0))}"`;
  const suites = tasks.map((task) => {
    const of = results.filter((result) => result.task === task);
    return [`  <testsuite name="${escape(task)}" ${total(of)}>`, ...of.map(testCase), '  </testsuite>'].join(
      '\n',
    );
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="headgate" ${total(results)}>`,
    ...suites,
    '</testsuites>',
  ].join('\n');
}

function testCase({ task, name, file, line, ok, failures, latencyMs }: TestResult): string {
  const open = `    <testcase classname="${escape(task)}" name="${escape(name)}" file="${escape(file)}" line="${line}" time="${seconds(latencyMs)}"`;
  if (ok) return `${open}/>`;
  return `${open}>\n      <failure message="${escape(failures[0] ?? '')}">${escape(failures.join('\n'))}</failure>\n    </testcase>`;
}
