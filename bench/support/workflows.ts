// The workflows that are measured, with everything on: four candidates, three budgets, both guards, all policies.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const ENV = { BENCH_KEY: 'sk-bench-0123456789abcdef' } as const;

const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is gone when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
  folders.push(folder);
  return folder;
}

/** Four providers on the same upstream, of which the first is the cheapest, and the last takes long prompts. `path`: the upstream's pace, as `now` or `slow`. */
export function writeWorkflows(upstream: string, path: string, tasks = 1): string {
  const folder = join(temporaryFolder(), 'workflows');
  mkdirSync(folder);
  const names = ['north', 'east', 'south', 'west'];
  const provider = (name: string, index: number): string => `  ${name}:
    adapter: openai
    baseUrl: ${upstream}/${path}/v1
    apiKey: \${{ secrets.BENCH_KEY }}
    price: { input: $${index + 1}, cachedInput: $0.${index + 1}, output: $${(index + 1) * 5} }
    policy: hosted`;
  writeFileSync(
    join(folder, 'headgate.yaml'),
    `headgate: 1
providers:
${names.map(provider).join('\n')}
models:
${names.map((name, index) => `  ${name}/bench-model: { context: ${index === names.length - 1 ? '1000k' : '128k'}, quality: ${index + 1} }`).join('\n')}
policies:
  hosted:
    timeout: 60s
    firstToken: 8s
    stall: 10s
    retry: { attempts: 2, backoff: exponential, initialDelay: 5ms, maxDelay: 50ms }
    circuitBreaker: { threshold: 90%, window: 30s, minimumCalls: 100, halfOpenAfter: 1s }
    bulkhead: { concurrent: 10000, queue: 1000 }
routes:
  bench:
    - when: prompt.tokens > 100000
      from: [west/bench-model]
    - pick: cheapest
      from: [${names.map((name) => `${name}/bench-model`).join(', ')}]
expose:
  bench-model: { route: bench }
budgets:
  company: { limit: $1000000, per: month, warnAt: [50%, 80%], then: reject }
  caller: { each: caller, limit: $1000000, per: day, then: downgrade }
  teams: { each: team, limit: $1000000, per: day, then: reject }
guards:
  loop: { same: input, repeats: 20, within: 1m, then: reuse }
  surge: { spend: 8x, over: 15m, baseline: 7d, floor: $1000000, then: pause }
`,
  );
  for (let index = 0; index < tasks; index += 1) writeTask(folder, index);
  return folder;
}

/** `answer`, `answer-1`, …; `words` changes what it says. */
export function writeTask(folder: string, index: number, words = 'Answer in two sentences.'): void {
  const name = index === 0 ? 'answer' : `answer-${index}`;
  writeFileSync(
    join(folder, `${name}.yaml`),
    `task: ${name}
description: Answer a question about a text.
input:
  text: { type: string, minLength: 1, maxLength: 100000 }
  focus: { type: string, default: facts }
allowance: { deadline: 45s, attempts: 8, cost: $0.50 }
steps:
  said:
    route: bench
    system: You answer questions. Use only what the text says.
    prompt: |
      ${words} Look for \${{ input.focus }}.
      <text>
      \${{ input.text }}
      </text>
    maxOutputTokens: 200
output:
  answer: \${{ steps.said.text }}
`,
  );
}

/** Some 60 tokens, different for each index, as loops are looked for by the input's words. */
export function inputText(index: number): string {
  return `Message ${index.toString(36)} of the harbour master: the ice is thicker than last week, two ships wait outside, coal is short in the town, and the council asks when the next icebreaker may be expected from the south.`;
}
