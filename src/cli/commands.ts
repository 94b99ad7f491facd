// The registry of commands, in the order of `headgate --help`.
import type { Command } from 'commander';
import { registerActivate } from './activate.ts';
import { registerAlerts } from './alerts.ts';
import { registerBudgets } from './budgets.ts';
import { registerCheck } from './check.ts';
import { registerDemo } from './demo.ts';
import { registerHistory } from './history.ts';
import { registerInit } from './init.ts';
import type { CliIo, ExitCode } from './io.ts';
import { registerPlan } from './plan.ts';
import { registerReplay } from './replay.ts';
import { registerPause, registerResume } from './pause.ts';
import { registerRun } from './run.ts';
import { registerRuns } from './runs.ts';
import { registerSavings } from './savings.ts';
import { registerSchema } from './schema.ts';
import { registerKeys } from './keys.ts';
import { registerLedger } from './ledger.ts';
import { registerPrices } from './prices.ts';
import { registerServe } from './serve.ts';
import { registerStats } from './stats.ts';
import { registerTop } from './top.ts';
import { registerTest } from './test.ts';
import { registerTraffic } from './traffic.ts';
import { registerWhatIf } from './what-if.ts';
import { registerWhy } from './why.ts';
import { registerWhyCost } from './why-cost.ts';

/** Adds one command to the program. What it ends with goes to `end`; a thrown HeadgateError is told in one line. */
export type RegisterCommand = (program: Command, io: CliIo, end: (code: ExitCode) => void) => Command;

export const commands: readonly RegisterCommand[] = [
  registerServe,
  registerDemo,
  registerCheck,
  registerTest,
  registerRun,
  registerPlan,
  registerReplay,
  registerTraffic,
  registerWhatIf,
  registerHistory,
  registerActivate,
  registerSchema,
  registerInit,
  registerTop,
  registerRuns,
  registerStats,
  registerWhy,
  registerWhyCost,
  registerSavings,
  registerBudgets,
  registerAlerts,
  registerPause,
  registerResume,
  registerKeys,
  registerLedger,
  registerPrices,
];
