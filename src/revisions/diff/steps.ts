// Steps: what is asked, read, cut or called, on which condition, and what the task gives in the end.
import { printStep, printTemplate } from '../../language/plan/print.ts';
import { canonicalPlanText } from '../../language/plan/encode.ts';
import type { PlanStep, PlanTask } from '../../language/plan/types.ts';
import { stepsOfBoth, tasksOfBoth } from './both.ts';
import { pointer } from './keyed.ts';
import type { Change, Concern } from './types.ts';

export const steps: Concern = (comparison) =>
  tasksOfBoth(comparison).flatMap(([from, to]) => {
    const keys = (task: PlanTask): readonly string[] => task.steps.map(({ key }) => key);
    const gone = keys(from).filter((key) => !keys(to).includes(key));
    const added = keys(to).filter((key) => !keys(from).includes(key));
    return [
      ...gone.map((key) => whole(to.name, key, 'is removed')),
      ...added.map((key) =>
        whole(to.name, key, `is new: ${oneLine(to.steps.find((step) => step.key === key))}`),
      ),
      ...stepsOfBoth(from, to).flatMap(([step, other]) => compare(to.name, step, other)),
      ...order(from, to),
      ...output(from, to),
    ];
  });

function oneLine(step: PlanStep | undefined): string {
  const text = step === undefined ? '' : (printStep(step).split('\n')[0] ?? '');
  return text.slice(text.indexOf(':') + 2);
}

function whole(task: string, key: string, message: string): Change {
  return {
    subject: `task ${task}`,
    message: `step ${key} ${message}`,
    effects: ['step-changed'],
    covers: [pointer('tasks', task, 'steps', key), pointer('tasks', task, 'stepOrder')],
  };
}

/** Told elsewhere: who may serve it, how much it may give, and what follows from its own texts. */
const ELSEWHERE = new Set(['key', 'route', 'maxOutputTokens']);
const WORDS: { readonly [member: string]: string } = {
  system: 'system text',
  prompt: 'prompt',
  when: 'condition',
  each: 'list to walk',
  accept: 'condition for an answer to be accepted',
  structured: 'schema of its answer',
  outputSchema: 'schema of its result',
  from: 'text to read',
  after: 'steps that it waits for',
  input: 'input of the task that it calls',
  patience: 'time that a call may take',
};

function compare(task: string, from: PlanStep, to: PlanStep): readonly Change[] {
  if (from.kind !== to.kind) return [whole(task, to.key, `is another kind: ${oneLine(to)}`)];
  const [before, after] = [from, to] as unknown as readonly { readonly [member: string]: unknown }[]; // members by name, whatever the kind
  const members = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  const differs = (member: string): boolean =>
    canonicalPlanText(before?.[member] ?? null) !== canonicalPlanText(after?.[member] ?? null);
  return [...members].flatMap((member): readonly Change[] => {
    const values = [before?.[member], after?.[member]];
    // What a model step gives is what it was asked for.
    if (member === 'outputSchema' && differs('structured')) return [];
    if (ELSEWHERE.has(member) || !differs(member)) return [];
    return [
      {
        subject: `task ${task}`,
        message: `step ${to.key} ${
          member === 'promptCache'
            ? values[1] === 'off'
              ? 'does not ask providers to keep the beginning of its prompt any more'
              : 'asks providers to keep the beginning of its prompt, where that pays'
            : `has another ${WORDS[member] ?? member}${difference(values[0], values[1])}`
        }`,
        effects: ['step-changed'],
        covers: [member, ...(member === 'structured' ? ['outputSchema'] : [])].map((one) =>
          pointer('tasks', task, 'steps', to.key, one),
        ),
      },
    ];
  });
}

/** Both in full where they are short. */
function difference(from: unknown, to: unknown): string {
  const texts = [to, from].map((value) =>
    typeof value === 'object' && value !== null ? null : JSON.stringify(value ?? null),
  );
  return texts.some((text) => text === null) ? '' : `: ${texts.join(' instead of ')}`;
}

/** Steps that do not wait for each other may stand in any order: it says only which is listed first. */
function order(from: PlanTask, to: PlanTask): readonly Change[] {
  const common = (task: PlanTask, other: PlanTask): string =>
    task.steps
      .map(({ key }) => key)
      .filter((key) => other.steps.some((step) => step.key === key))
      .join(', ');
  if (common(from, to) === common(to, from)) return [];
  return [
    {
      subject: `task ${to.name}`,
      message: `its steps stand in the order ${to.steps.map(({ key }) => key).join(', ')}`,
      effects: [],
      covers: [pointer('tasks', to.name, 'stepOrder')],
    },
  ];
}

function output(from: PlanTask, to: PlanTask): readonly Change[] {
  const [before, after] = [from.output, to.output].map(printTemplate);
  if (before === after) return [];
  return [
    {
      subject: `task ${to.name}`,
      message: `gives ${after ?? ''} instead of ${before ?? ''}`,
      effects: ['step-changed'],
      covers: [pointer('tasks', to.name, 'output')],
    },
  ];
}
