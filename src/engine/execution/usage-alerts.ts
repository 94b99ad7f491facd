// Alerts about what providers report of usage: one a model and kind, so that a provider that counts nothing is heard of and does not drown the rest.
import type { LiveRun } from './live-run.ts';
import { alertRecord } from './alert-records.ts';
import type { EngineParts } from './engine-parts.ts';
import type { Settlement } from './usage.ts';

const KINDS = {
  USAGE_MISSING: {
    kind: 'usage_missing',
    severity: 'warning',
    what: 'counts nothing, or no output beside a text: its costs are estimated',
    remedy:
      'Compare them with its bill. Where it counts in a whole answer only, say `lacks: [streamUsage]`; where it tells its price, `cost: reported`.',
  },
  USAGE_IMPOSSIBLE: {
    kind: 'usage_impossible',
    severity: 'critical',
    what: 'reports more than the model can take or give: such calls are settled at their worst case',
    remedy:
      "Compare the attempt with the provider's bill; `context` and `maxOutputTokens` of the model say what is possible.",
  },
} as const;

export class UsageAlerts {
  /** Models are those of the plans (INV-14). */
  readonly #told = new Set<string>();

  /** Tells of what the provider reported of this attempt, unless it was told of that model before. */
  settled(
    { recorder, clock, random }: Pick<EngineParts, 'recorder' | 'clock' | 'random'>,
    run: LiveRun,
    modelKey: string,
    { notes }: Settlement,
  ): void {
    for (const { code } of notes) {
      if (!Object.hasOwn(KINDS, code)) continue;
      const { kind, severity, what, remedy } = KINDS[code as keyof typeof KINDS];
      if (this.#told.has(`${kind} ${modelKey}`)) continue;
      this.#told.add(`${kind} ${modelKey}`);
      const text = {
        kind,
        severity,
        message: `${modelKey} ${what}.`,
        remedy,
        scope: `model:${modelKey}`,
        runId: run.id,
        details: { model: modelKey },
      };
      recorder.recordAlert(alertRecord(text, clock, random)).catch(() => undefined);
    }
  }
}
