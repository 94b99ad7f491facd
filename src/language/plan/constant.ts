// What a step's prompt begins with in each of its calls, as far as its templates say.
import { sha256Hex } from '../../common/json.ts';
import type { PlanModelStep, Template } from './types.ts';

/** The beginning of a step's prompt that is the same in each of its calls. */
export interface ConstantBeginning {
  /** The same for the same beginning of the same step; says nothing of its text. */
  readonly key: string;
  readonly text: string;
  /** Of the text, the characters that stand in `system`, and those that stand in `prompt`. */
  readonly systemChars: number;
  readonly promptChars: number;
}

/**
 * All that stands before the first expression, up to the end of a line: of the system text, and of the prompt where the whole system text is constant.
 * null: the step does not want it kept. What comes first stays first: a text is never put in another order.
 */
export function constantBeginning(
  task: string,
  { key, system, prompt, structured, promptCache }: PlanModelStep,
  schemaText: string,
): ConstantBeginning | null {
  if (promptCache === 'off') return null;
  const ofSystem = system === null ? WHOLE_NOTHING : beginningOf(system);
  const ofPrompt = ofSystem.isWhole ? beginningOf(prompt) : NOTHING;
  const text = ofSystem.text + ofPrompt.text;
  return {
    // Whose it is goes into it: what is counted of one step says nothing of another.
    key: sha256Hex([task, key, text, structured === null ? '' : schemaText].join('\n')).slice(0, 32),
    text,
    systemChars: ofSystem.text.length,
    promptChars: ofPrompt.text.trim() === '' ? 0 : ofPrompt.text.length,
  };
}

interface Beginning {
  readonly text: string;
  readonly isWhole: boolean;
}
const NOTHING: Beginning = { text: '', isWhole: false };
const WHOLE_NOTHING: Beginning = { text: '', isWhole: true };

function beginningOf(template: Template): Beginning {
  if (template.kind === 'literal')
    return typeof template.value === 'string' ? { text: template.value, isWhole: true } : NOTHING;
  const first = template.kind === 'text' ? template.parts[0] : undefined;
  // A half line may be read as one token with what follows it.
  return typeof first === 'string'
    ? { text: first.slice(0, first.lastIndexOf('\n') + 1), isWhole: false }
    : NOTHING;
}
