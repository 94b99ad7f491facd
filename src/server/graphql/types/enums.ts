// The enums: GraphQL's names for the engine's own words.
import { GROUP_DIMENSIONS } from '../../../ledger/rollup/dimensions.ts';
import type { Builder } from '../builder.ts';

const upper = <Value extends string>(values: readonly Value[]): { [Name in string]: { value: Value } } =>
  Object.fromEntries(values.map((value) => [value.toUpperCase().replaceAll('-', '_'), { value }]));

export function createEnums(builder: Builder) {
  return {
    attemptStatus: builder.enumType('AttemptStatus', {
      description:
        'OPEN: called, not answered yet. UNRECONCILED: its process died; it may have been billed, and is held at its worst case.',
      values: upper(['open', 'succeeded', 'failed', 'cancelled', 'unreconciled'] as const),
    }),
    alertKind: builder.enumType('AlertKind', {
      values: upper([
        'budget_warn',
        'budget_exhausted',
        'budget_overrun',
        'budget_forecast',
        'loop',
        'surge',
        'paused',
        'resumed',
        'circuit',
        'revision_refused',
        'revision_pinned',
        'revision_released',
        'revision_renamed',
        'unreconciled',
        'dead_letter',
        'ledger_set_aside',
        'ledger_repaired',
        'ledger_replaced',
        'ledger_failing',
        'ledger_restored',
        'prices_old',
        'usage_missing',
        'usage_impossible',
      ] as const),
    }),
    alertSeverity: builder.enumType('AlertSeverity', {
      values: upper(['info', 'warning', 'critical'] as const),
    }),
    budgetAction: builder.enumType('BudgetAction', {
      description: 'What happens to a call that does not fit.',
      values: {
        REJECT: { value: 'reject', description: 'It is refused.' },
        DOWNGRADE: { value: 'downgrade', description: 'Only candidates that still fit are tried.' },
        WARN: { value: 'warn', description: 'It goes through, and an alert is raised.' },
      } as const,
    }),
    budgetUnit: builder.enumType('BudgetUnit', {
      description: 'What a budget counts.',
      values: upper(['usd', 'tokens', 'calls'] as const),
    }),
    circuitState: builder.enumType('CircuitState', {
      values: upper(['closed', 'open', 'half-open'] as const),
    }),
    taskKind: builder.enumType('TaskKind', {
      description:
        'TASK: a task file. EXPOSED: a name under `expose:`, which clients of other protocols ask for at /v1, and nobody through TaskInput.',
      values: upper(['task', 'exposed'] as const),
    }),
    problemSeverity: builder.enumType('ProblemSeverity', {
      values: upper(['error', 'warning', 'note'] as const),
    }),
    runStatus: builder.enumType('RunStatus', {
      values: upper(['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const),
    }),
    streamTexts: builder.enumType('StreamTexts', {
      description: 'Of which steps text is streamed.',
      values: {
        OUTPUT: {
          value: 'output',
          description:
            "Of those that the task's output reads; of a task step, of those that its task's output reads.",
        },
        ALL: { value: 'all', description: 'Of every step, drafts and JSON of child tasks among them.' },
      } as const,
    }),
    skipCode: builder.enumType('SkipCode', {
      description: 'Why a candidate was not tried.',
      values: upper([
        'no_key',
        'capability_missing',
        'context_too_small',
        'circuit_open',
        'no_rate_headroom',
        'bulkhead_full',
        'hold_does_not_fit',
        'already_failed',
        'model_too_small',
        'cannot_translate',
        'bound_elsewhere',
        'other_vectors',
      ] as const),
    }),
    reconcileVerdict: builder.enumType('ReconcileVerdict', {
      description: 'What became of an attempt whose outcome is unknown.',
      values: {
        CONFIRM: { value: 'confirm', description: 'It was billed: `cost`, or its worst case.' },
        RELEASE: { value: 'release', description: 'It was not billed; what is held is given back.' },
      } as const,
    }),
    runOrigin: builder.enumType('RunOrigin', {
      values: {
        FRESH: { value: 'fresh', description: 'The run itself.' },
        CACHE: { value: 'cache', description: 'An earlier run, kept by `cache` of the task.' },
        LOOP_GUARD: {
          value: 'loop_guard',
          description: 'An earlier run: the same input came in a loop, and nobody was called.',
        },
      } as const,
    }),
    statsDimension: builder.enumType('StatsDimension', { values: GROUP_DIMENSIONS }),
    calendarUnit: builder.enumType('CalendarUnit', {
      values: upper(['hour', 'day', 'week', 'month'] as const),
    }),
    costCause: builder.enumType('CostCause', {
      description: 'In the order in which they are told apart: each at what the ones before it have changed.',
      values: {
        VOLUME: { value: 'volume', description: 'More runs, or fewer: callers, not workflows.' },
        EXACT_CACHE: {
          value: 'exact_cache',
          description: 'The share of runs that were answered without a call.',
        },
        FAILURES: {
          value: 'failures',
          description: 'What calls cost whose answers were not used, retries among them.',
        },
        CALLS: { value: 'calls', description: 'Answers that a run needs: more steps, more items.' },
        ROUTE: { value: 'route', description: 'Other models answered.' },
        INPUT_TOKENS: { value: 'input_tokens', description: 'Longer prompts, or shorter ones.' },
        OUTPUT_TOKENS: {
          value: 'output_tokens',
          description: 'Longer answers, or shorter ones; reasoning too.',
        },
        PROMPT_CACHE: {
          value: 'prompt_cache',
          description: "The share of the input that the provider's cache had.",
        },
        PRICE: { value: 'price', description: 'The same tokens of the same models cost more, or less.' },
      } as const,
    }),
    savedBy: builder.enumType('SavedBy', {
      values: {
        ROUTING: { value: 'routing', description: 'Another paid model than the baseline was chosen.' },
        LOCAL: { value: 'local', description: 'It costs nothing.' },
        CASCADE: { value: 'cascade', description: 'A cheap one was tried first, and its answer checked.' },
        FAILURE: { value: 'failure', description: 'Its answer was not used: its cost counts against.' },
      } as const,
    }),
    savingCause: builder.enumType('SavingCause', {
      values: {
        ROUTING: { value: 'routing', description: 'Another paid model than the baseline answered.' },
        LOCAL: { value: 'local', description: 'A model that costs nothing answered.' },
        CASCADE: {
          value: 'cascade',
          description: 'A cheap model answered and was checked; less what its rejected answers cost.',
        },
        EXACT_CACHE: {
          value: 'exact_cache',
          description: 'An earlier answer was given again: what it had cost.',
        },
        PROMPT_CACHE: {
          value: 'prompt_cache',
          description: 'The provider had read the prompt before; less what writing it there cost.',
        },
        FAILURES: {
          value: 'failures',
          description: 'What was paid for answers that were not used: below 0.',
        },
      } as const,
    }),
    statsWindow: builder.enumType('StatsWindow', {
      description: 'The time that ends now: the last hour, day, seven days, thirty days, or everything.',
      values: ['HOUR', 'DAY', 'WEEK', 'MONTH', 'ALL'] as const,
    }),
    stepKind: builder.enumType('StepKind', {
      values: upper(['model', 'exchange', 'parse', 'chunk', 'task', 'each'] as const),
    }),
    stepStatus: builder.enumType('StepStatus', {
      values: upper(['running', 'succeeded', 'skipped', 'failed'] as const),
    }),
  };
}

export type Enums = ReturnType<typeof createEnums>;
