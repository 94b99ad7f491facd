// What only the plan can find: it needs the price catalogue, or all of a route's candidates resolved. The checks stand in plan/.
import type { Diagnostic } from './diagnostic.ts';

export const planDiagnostics: readonly Diagnostic[] = [
  {
    code: 'model-without-price',
    severity: 'error',
    title: 'A model without a price',
    why: 'An unknown price is never a zero: no budget could hold its worst case.',
    remedy: 'Write the price under `models:`, or `price: free`.',
  },
  {
    code: 'model-without-context',
    severity: 'error',
    title: 'A model whose context window is not known',
    why: 'It could not be told which inputs fit.',
    remedy: 'Write `context:` under `models:`.',
  },
  {
    code: 'no-structured-output',
    severity: 'error',
    title: 'A step with a schema, and no model that can follow one',
    why: 'Every candidate would be passed over, and the run would end with NO_PROVIDER_AVAILABLE.',
    remedy: 'Add a model that gives structured output to the route, or leave `output` out and take the text.',
  },
  {
    code: 'rule-without-structured-output',
    severity: 'warning',
    title: 'A rule whose models cannot give what a step asks for',
    why: 'The first rule that holds is taken; a run of the step that takes this one would end with NO_PROVIDER_AVAILABLE.',
    remedy: 'Add a model that gives structured output to the rule, or take another route for the step.',
  },
  {
    code: 'output-beyond-context',
    severity: 'error',
    title: 'More output than any model of the route can give',
    why: 'Every candidate would be passed over.',
    remedy: 'Lower `maxOutputTokens`, or add a model with a larger context.',
  },
  {
    code: 'hold-never-fits',
    severity: 'error',
    title: 'A hold that can never fit what limits it',
    why: 'The worst case of a call is held before it is made; this one is more than the whole budget or allowance.',
    remedy: 'Raise the limit, lower `maxOutputTokens`, or add a cheaper model.',
  },
  {
    code: 'rule-never-serves',
    severity: 'warning',
    title: 'A rule whose models can never serve a step',
    why: 'The worst case of a call to any of them is beyond a limit, or beyond their context; a run that takes the rule would end with an error.',
    remedy: 'Raise the limit, lower `maxOutputTokens`, or add another model to the rule.',
  },
  {
    code: 'candidate-never-serves',
    severity: 'warning',
    title: 'A model too small for every step that could ask it',
    why: 'It stands in routes, and is passed over each time: its context, or its own limit of output, is less than what the steps may ask for.',
    remedy: 'Correct `context` or `maxOutputTokens` of the model, or lower that of the steps.',
  },
  {
    code: 'exposed-without-limit',
    severity: 'note',
    title: 'An exposed name without a limit of output',
    why: 'Many clients set none, and some set tens of thousands of tokens. The worst case is held, so that a small budget refuses calls that would have cost little.',
    remedy: 'Give the name `maxOutputTokens`: it lowers what is asked for and what is held.',
  },
  {
    code: 'pin-moving-name',
    severity: 'warning',
    title: 'A pinned route whose model is no exact version',
    why: '`pin` refuses an answer of any version but the one that is named; a name that moves is answered by the version that it stands for.',
    remedy: 'Write the version with its date, or remove `pin`.',
  },
  {
    code: 'route-without-key',
    severity: 'warning',
    title: 'A rule whose candidates all lack their key here',
    why: 'Providers without their key are left out of routes; a run that takes this rule would end with NO_PROVIDER_AVAILABLE.',
    remedy: 'Set one of the environment variables that the message names.',
  },
];
