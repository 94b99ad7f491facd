// How long it takes to read one task file, and to give a plan's data its canonical form.
import { test } from 'vitest';
import { canonicalJson } from '../src/common/json.ts';
import { parseDocument } from '../src/document/parse.ts';

const step = (index: number) =>
  `  step${index}:\n    prompt: Say \${{ input.text }} in ${index} words.\n    maxOutputTokens: ${index}\n`;
const steps = Array.from({ length: 20 }, (_, index) => step(index + 1)).join('');
const file = { path: 'workflows/long.yaml', text: `task: long\ninput:\n  text: string\nsteps:\n${steps}` };
const value = Object.fromEntries(
  Array.from({ length: 100 }, (_, index) => [`key${100 - index}`, { index, name: 'x' }]),
);

test('a task file of 20 steps', async ({ bench }) => {
  await bench('parseDocument', () => void parseDocument(file)).run();
});

test('an object of 100 members', async ({ bench }) => {
  await bench('canonicalJson', () => void canonicalJson(value)).run();
});
