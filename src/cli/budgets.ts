// headgate budgets: what is spent of each, and when it will be spent, as a running server knows it.
import type { RegisterCommand } from './commands.ts';
import { table } from './format/table.ts';
import type { CliIo, ExitCode } from './io.ts';
import { databaseOption, dataOption, keyOption, serverOption } from './options.ts';
import { serverOf } from './server-address.ts';

interface BudgetsFlags {
  readonly data: string;
  readonly database?: string;
  readonly server?: string;
  readonly key?: string;
  readonly json: boolean;
}

export const registerBudgets: RegisterCommand = (program, io, end) =>
  program
    .command('budgets')
    .description(
      'print each budget of a running server: spent, held, its end, and when it is expected to be spent',
    )
    .addOption(dataOption())
    .addOption(databaseOption())
    .addOption(serverOption())
    .addOption(keyOption())
    .option('--json', 'as JSON', false)
    .action(async (flags: BudgetsFlags) => end(await budgets(flags, io)));

async function budgets({ data, server, key, json }: BudgetsFlags, io: CliIo): Promise<ExitCode> {
  // Accounts are in a server's memory; beside its database it says where it is.
  const address = serverOf(data, server);
  const [{ createRemote }, { BudgetForecasts }] = await Promise.all([
    import('./remote.ts'),
    import('./documents.ts'),
  ]);
  const found = (await createRemote(address, key).query(BudgetForecasts, {})).budgets;
  if (json) io.out(JSON.stringify(found));
  else if (found.length === 0) io.out('There is no budget.');
  else
    io.out(
      table(
        ['budget', 'of', 'spent', 'held', 'limit', 'ends', 'expected', 'from', 'to', 'spent by'],
        found.map(({ name, account, unit, spent, held, limit, resetsAt, forecast }) => {
          const amount = (value: string | null | undefined): string =>
            value === null || value === undefined ? '–' : unit === 'USD' ? `$${value}` : value;
          return [
            name,
            account,
            amount(spent),
            amount(held),
            amount(limit),
            resetsAt ?? '',
            amount(forecast?.expected),
            amount(forecast?.low),
            amount(forecast?.high),
            forecast?.exhaustedAt ?? '',
          ];
        }),
      ),
    );
  return 0;
}
