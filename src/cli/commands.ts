// The registry of commands, in the order of `headgate --help`. One that is run is the only one that is loaded.
import type { Command } from 'commander';
import type { CliIo, ExitCode } from './io.ts';

/** Adds one command to the program. What it ends with goes to `end`; a thrown HeadgateError is told in one line. */
export type RegisterCommand = (program: Command, io: CliIo, end: (code: ExitCode) => void) => Command;

const COMMANDS: { readonly [name: string]: () => Promise<RegisterCommand> } = {
  serve: async () => (await import('./serve.ts')).registerServe,
  demo: async () => (await import('./demo.ts')).registerDemo,
  cluster: async () => (await import('./cluster.ts')).registerCluster,
  check: async () => (await import('./check.ts')).registerCheck,
  test: async () => (await import('./test.ts')).registerTest,
  run: async () => (await import('./run.ts')).registerRun,
  plan: async () => (await import('./plan.ts')).registerPlan,
  replay: async () => (await import('./replay.ts')).registerReplay,
  traffic: async () => (await import('./traffic.ts')).registerTraffic,
  'what-if': async () => (await import('./what-if.ts')).registerWhatIf,
  history: async () => (await import('./history.ts')).registerHistory,
  activate: async () => (await import('./activate.ts')).registerActivate,
  schema: async () => (await import('./schema.ts')).registerSchema,
  init: async () => (await import('./init.ts')).registerInit,
  top: async () => (await import('./top.ts')).registerTop,
  runs: async () => (await import('./runs.ts')).registerRuns,
  stats: async () => (await import('./stats.ts')).registerStats,
  why: async () => (await import('./why.ts')).registerWhy,
  'why-cost': async () => (await import('./why-cost.ts')).registerWhyCost,
  savings: async () => (await import('./savings.ts')).registerSavings,
  budgets: async () => (await import('./budgets.ts')).registerBudgets,
  alerts: async () => (await import('./alerts.ts')).registerAlerts,
  pause: async () => (await import('./pause.ts')).registerPause,
  resume: async () => (await import('./pause.ts')).registerResume,
  keys: async () => (await import('./keys.ts')).registerKeys,
  ledger: async () => (await import('./ledger.ts')).registerLedger,
  prices: async () => (await import('./prices.ts')).registerPrices,
};

/** The command that is run; all of them where help is asked for, or for what there is none of. */
export async function commandsFor([first = '']: readonly string[]): Promise<readonly RegisterCommand[]> {
  if (first === '-V' || first === '--version') return [];
  const command = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  const loads = command === undefined ? Object.values(COMMANDS) : [command];
  return Promise.all(loads.map((load) => load()));
}
