// One state of `headgate top`, as text.
import { formatDuration } from '../../common/units.ts';
import { pausedText, type ShownSwitch } from '../pause.ts';
import type { Colours } from './colours.ts';
import { plural } from './problems.ts';
import { table } from './table.ts';

/** As the API gives it: money as decimal text in dollars. */
export interface ShownTop {
  readonly at: string;
  readonly server: string;
  readonly pace: { readonly perMinute: string; readonly usualPerMinute?: string | null };
  /** Of the last hour. */
  readonly total: { readonly cost: string; readonly runs: number; readonly errors: number };
  readonly viewer: { readonly pauses?: readonly ShownSwitch[] | null };
  readonly budgets: readonly {
    readonly name: string;
    readonly account: string;
    readonly unit: string;
    readonly limit: string;
    readonly spent: string;
    readonly held: string;
  }[];
  readonly runs: readonly {
    readonly id: string;
    readonly task: { readonly name: string };
    readonly status: string;
    readonly caller: { readonly name: string };
    readonly cost: string;
    readonly latencyMs?: number | null;
  }[];
  readonly providers: readonly {
    readonly available: boolean;
    readonly unavailable?: string | null;
    readonly name: string;
    readonly models: readonly {
      readonly key: string;
      readonly circuit: string;
      readonly inFlight: number;
      readonly queued: number;
      readonly latencyMs?: number | null;
      readonly requestHeadroom?: number | null;
      readonly tokenHeadroom?: number | null;
    }[];
  }[];
}

const BAR = 20;

export function topText(state: ShownTop, colours: Colours): string {
  const { at, server, pace, total, viewer, budgets, runs, providers } = state;
  const usual = pace.usualPerMinute ?? null;
  return [
    `${colours.bold('headgate')} ${server}  ${at}`,
    `$${pace.perMinute} a minute${usual === null ? '' : `, usually $${usual}`}; the last hour $${total.cost} for ${plural(total.runs, 'run')}, ${plural(total.errors, 'call')} failed`,
    ...(viewer.pauses ?? []).map((one) => colours.red(pausedText(one))),
    '',
    colours.bold('Budgets'),
    ...(budgets.length === 0 ? ['There is none.'] : budgetLines(budgets, colours)),
    '',
    colours.bold('Dearest runs of the last hour'),
    runs.length === 0
      ? 'There was none.'
      : table(
          ['run', 'task', 'caller', 'status', 'cost', 'took'],
          runs.map(({ id, task, caller, status, cost, latencyMs }) => [
            id,
            task.name,
            caller.name,
            status.toLowerCase(),
            `$${cost}`,
            latencyMs === null || latencyMs === undefined ? '' : formatDuration(Math.round(latencyMs)),
          ]),
        ),
    '',
    colours.bold('Providers'),
    table(
      ['model', 'circuit', 'under way', 'waiting', 'latency', 'requests left', 'tokens left'],
      providers.flatMap(({ available, unavailable, models }) =>
        models.map((model) => [
          model.key,
          available ? model.circuit.toLowerCase().replaceAll('_', '-') : (unavailable ?? 'not available'),
          String(model.inFlight),
          String(model.queued),
          model.latencyMs === null || model.latencyMs === undefined ? '' : `${Math.round(model.latencyMs)}ms`,
          share(model.requestHeadroom),
          share(model.tokenHeadroom),
        ]),
      ),
    ),
  ].join('\n');
}

const share = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : `${Math.round(value * 100)}%`;

function budgetLines(budgets: ShownTop['budgets'], colours: Colours): readonly string[] {
  const names = budgets.map(({ name, account }) => (account === '' ? name : `${name} of ${account}`));
  const width = Math.max(...names.map((name) => name.length));
  return budgets.map(({ unit, limit, spent, held }, index) => {
    const used = Number(limit) === 0 ? 1 : (Number(spent) + Number(held)) / Number(limit);
    const filled = Math.min(BAR, Math.round(used * BAR));
    const paint = used >= 1 ? colours.red : used >= 0.8 ? colours.yellow : colours.blue;
    const amount = (text: string): string => (unit === 'USD' ? `$${text}` : text);
    const bar = `${paint('█'.repeat(filled))}${'░'.repeat(BAR - filled)}`;
    return `${(names[index] ?? '').padEnd(width)}  ${bar} ${String(Math.round(used * 100)).padStart(3)}%  ${amount(spent)} and ${amount(held)} held of ${amount(limit)}`;
  });
}
