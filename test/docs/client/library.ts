import { createEngine, formatUsd } from '../../../src/index.ts';

/** What your tasks take and give: written once, checked by the compiler at each call. */
type Tasks = {
  summarize: { input: { text: string; sentences?: number }; output: { summary: string } };
};

const engine = createEngine<Tasks>({ workflows: 'workflows', dataDirectory: '.headgate' });

const text =
  'Rain fell on the hills all night. The river rose by a metre before dawn. The gate was shut at noon. No field was flooded.';
const answer = await engine.run('summarize', { text, sentences: 2 }, { tags: { feature: 'digest' } });

if (answer.ok) {
  const { run, attempts } = answer.result.snapshot;
  console.log(answer.output.summary);
  console.log(`$${formatUsd(run.costNanoUsd)} by ${attempts.at(-1)?.provider}`);
} else {
  // Expected failures are values: a stable code, what happened, what to do.
  console.error(answer.error.code, answer.error.message, answer.error.remedy);
}

const { total } = await engine.costStats('DAY', ['TASK']);
console.log(`${total.runs} runs today`);

await engine.close();
