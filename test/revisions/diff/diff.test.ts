// What a difference says, one edit at a time.
import { describe, expect, it } from 'vitest';
import { changesOf, edited, FILES, linesOf, OTHER, planOf } from './support.ts';
import { diffPlans } from '../../../src/revisions/diff/diff.ts';

const edits: readonly (readonly [
  what: string,
  file: string,
  from: string,
  to: string,
  lines: readonly string[],
])[] = [
  ['a new description', 'greet.yaml', 'Greets.', 'Says hello.', ['task greet: is described otherwise']],
  [
    'a required input',
    'greet.yaml',
    'tone: {',
    'name: string\n  tone: {',
    ['task greet: input name is new and required [breaking]'],
  ],
  [
    'an optional input',
    'greet.yaml',
    'tone: {',
    'name: string?\n  tone: {',
    ['task greet: input name is new'],
  ],
  [
    'a shorter text',
    'greet.yaml',
    'maxLength: 100',
    'maxLength: 50',
    [
      'task greet: input text has maxLength 50 instead of 100 [breaking]',
      'task greet: the worst case of one run goes from $0.011389 to $0.009989 [cost-lowered]',
    ],
  ],
  [
    'a value that may no longer be sent',
    'greet.yaml',
    '[kind, plain]',
    '[kind]',
    ['task greet: input tone may no longer be "plain" [breaking]'],
  ],
  [
    'a value that may be sent too',
    'greet.yaml',
    '[kind, plain]',
    '[kind, plain, rude]',
    ['task greet: input tone may be "rude" too'],
  ],
  [
    'a value that may be answered too',
    'greet.yaml',
    '[good, bad]',
    '[good, bad, odd]',
    [
      'task greet: output mood may be "odd" too [breaking]',
      'task greet: step answer has another schema of its answer [step-changed]',
    ],
  ],
  [
    'a larger budget',
    'headgate.yaml',
    'limit: $10',
    'limit: $20',
    ['budget all: goes from $10 a day (UTC) to $20 a day (UTC) [limit-raised]'],
  ],
  [
    'the same budget in a shorter time',
    'headgate.yaml',
    'per: day',
    'per: hour',
    ['budget all: goes from $10 a day (UTC) to $10 a hour (UTC) [limit-raised]'],
  ],
  [
    'a budget that only warns',
    'headgate.yaml',
    'per: day }',
    'per: day, then: warn }',
    ['budget all: does "warn" instead of "reject" when it is used up [limit-raised]'],
  ],
  [
    'a budget for each caller',
    'headgate.yaml',
    'all: {',
    'all: { each: caller,',
    ['budget all: is kept for each caller instead of as one [limit-raised]'],
  ],
  [
    'a budget that is gone',
    'headgate.yaml',
    'budgets:\n  all: { limit: $10, per: day }\n',
    '',
    ['budget all: is removed ($10 a day (UTC), everything, then reject) [limit-raised]'],
  ],
  [
    'more attempts',
    'greet.yaml',
    'attempts: 4',
    'attempts: 5',
    [
      'task greet: the worst case of one run goes from $0.011389 to $0.013016 [cost-raised]',
      'task greet: the attempts of one run goes from 4 to 5 [limit-raised]',
    ],
  ],
  [
    'a limit of cost',
    'greet.yaml',
    'attempts: 4 }',
    'attempts: 4, cost: $0.001 }',
    [
      'task greet: the worst case of one run goes from $0.011389 to $0.001 [cost-lowered]',
      'task greet: the cost of one run goes from no limit to $0.001 [limit-lowered]',
    ],
  ],
  [
    'another price',
    'headgate.yaml',
    'output: $4',
    'output: $3',
    [
      'task greet: the worst case of one run goes from $0.011389 to $0.011089 [cost-lowered]',
      'model local/m2: costs input $2, cached $2, cache write $2, output $3 a million tokens (yaml) instead of input $2, cached $2, cache write $2, output $4 a million tokens (yaml) [price-lowered]',
    ],
  ],
  [
    'a longer timeout',
    'headgate.yaml',
    'timeout: 20s',
    'timeout: 25s',
    ['policy quick: timeout 25s instead of 20s (local/m1, local/m2, other/m3) [policy-loosened]'],
  ],
  [
    'fewer calls at once',
    'headgate.yaml',
    'concurrent: 4',
    'concurrent: 2',
    ['policy quick: calls at once 2 instead of 4 (local/m1, local/m2, other/m3) [policy-tightened]'],
  ],
  [
    'another order of candidates',
    'headgate.yaml',
    '[local/m1, local/m2]',
    '[local/m2, local/m1]',
    ['route default: rule 1: the order is local/m2, local/m1 [route-changed]'],
  ],
  [
    'another candidate',
    'headgate.yaml',
    '[local/m1, local/m2]',
    '[local/m1, local/m2, other/m3]',
    ['route default: rule 1: other/m3 may serve [route-changed]'],
  ],
  [
    'a condition',
    'headgate.yaml',
    '- from: [local/m1, local/m2]',
    '- { when: prompt.tokens < 9, from: [local/m1, local/m2] }',
    [
      'route default: rule 1: when prompt.tokens < 9: first of local/m1, local/m2 instead of else first of local/m1, local/m2 [route-changed]',
    ],
  ],
  ['another route', 'shout.yaml', 'route: free', 'route: default', []],
  [
    'a looser loop guard',
    'headgate.yaml',
    'repeats: 20',
    'repeats: 30',
    ['guard loop: lets the same input pass 30 times instead of 20 [guard-loosened]'],
  ],
  [
    'a stricter loop guard',
    'headgate.yaml',
    'then: reject',
    'then: pause',
    ['guard loop: does "pause" instead of "reject" [guard-tightened]'],
  ],
  [
    'a second loop guard',
    'headgate.yaml',
    '{ same: input, repeats: 20, within: 1m, then: reject }',
    '[{ same: nearly, repeats: 30 }, { same: input, repeats: 20, within: 1m, then: reject }]',
    ['guard loop: also stops nearly the same input more than 30 times in 10m: reject [guard-tightened]'],
  ],
  [
    'no surge guard',
    'headgate.yaml',
    '  surge: { spend: 8x, over: 15m, baseline: 7d, floor: $5, then: pause }\n',
    '',
    [
      'guard surge: is off instead of 8 times the usual over 15m, against 7d, from $5: pause [guard-loosened]',
    ],
  ],
  [
    'a loop guard of its own',
    'greet.yaml',
    'allowance:',
    'loop: off\nallowance:',
    ['task greet: the loop guard is off [guard-loosened]'],
  ],
  [
    'another rate limit',
    'headgate.yaml',
    '100/min',
    '200/min',
    ['provider local: the rate limit goes from 100 requests in 1m to 200 requests in 1m [limit-raised]'],
  ],
  [
    'another address',
    'headgate.yaml',
    ':9/v1',
    ':7/v1',
    [
      'provider local: has baseUrl "http://127.0.0.1:7/v1" instead of "http://127.0.0.1:9/v1" [provider-changed]',
    ],
  ],
  [
    'another prompt',
    'shout.yaml',
    'Shout $',
    'Cry $',
    ['task shout: step answer has another prompt [step-changed]'],
  ],
  [
    'a longer answer',
    'shout.yaml',
    'maxOutputTokens: 50',
    'maxOutputTokens: 60',
    ['task shout: the maxOutputTokens of step answer goes from 50 to 60 [limit-raised]'],
  ],
  [
    'a cache',
    'shout.yaml',
    'steps:',
    'cache: { for: 1h }\nsteps:',
    ['task shout: answers the same input from its cache for 1h instead of not at all [retention-raised]'],
  ],
  [
    'less that is kept',
    'shout.yaml',
    'steps:',
    'retain: { content: hash, for: 1d }\nsteps:',
    [
      'task shout: keeps content as "hash" instead of "full" [retention-lowered]',
      'task shout: keeps content for 1d instead of 30d [retention-lowered]',
    ],
  ],
  [
    'a way out',
    'shout.yaml',
    'steps:',
    'deprecated: Use greet.\nsteps:',
    ['task shout: is deprecated: Use greet.'],
  ],
];

describe('the difference between two plans', () => {
  it.each(edits)('tells of %s', async (_what, file, from, to, lines) => {
    const told = linesOf(await changesOf(edited(file, from, to)));
    if (lines.length > 0) expect(told).toEqual(lines);
    else expect(told.some((line) => line.includes('[route-changed]'))).toBe(true);
  });

  it('tells of tasks that come and go, and of one that moves', async () => {
    const { 'shout.yaml': _gone, ...others } = FILES;
    expect(linesOf(await changesOf(others))).toEqual(['task shout: is removed [task-removed breaking]']);
    expect(linesOf(await changesOf(FILES, others))).toEqual(['task shout: is new [task-added]']);
    expect(linesOf(await changesOf({ ...others, 'loud/shout.yaml': OTHER }))).toEqual([
      'task shout: moves from shout.yaml to loud/shout.yaml',
    ]);
  });

  it('is the other way round when the plans are', async () => {
    const raised = edited('headgate.yaml', 'limit: $10', 'limit: $20');
    expect((await changesOf(raised)).flatMap(({ effects }) => effects)).toEqual(['limit-raised']);
    expect((await changesOf(FILES, raised)).flatMap(({ effects }) => effects)).toEqual(['limit-lowered']);
  });

  it('has the worst case of one run of each task, before and after', async () => {
    const before = await planOf(FILES);
    const after = await planOf(edited('greet.yaml', 'attempts: 4', 'attempts: 2'));
    expect(diffPlans(before, after).worstCosts).toEqual([
      { task: 'greet', beforeNanoUsd: 11_389_000n, afterNanoUsd: 6_508_000n },
      { task: 'shout', beforeNanoUsd: 0n, afterNanoUsd: 0n },
    ]);
  });
});
