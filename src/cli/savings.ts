// headgate savings: what was saved against the baseline, by cause.
import { formatUsd } from '../common/money.ts';
import type { SavingsSum } from '../ledger/stats/port.ts';
import type { RegisterCommand } from './commands.ts';
import { dollars, table } from './format/table.ts';
import type { CliIo, ExitCode } from './io.ts';
import { databaseOption, dataOption, keyOption, serverOption } from './options.ts';
import { byOption, groupInput, spanInput, spanOfFlags, spanOptions } from './span-options.ts';
import type { Groups, SpanFlags } from './span-options.ts';

interface SavingsFlags extends SpanFlags {
  readonly data: string;
  readonly database?: string;
  readonly server?: string;
  readonly key?: string;
  readonly by: Groups;
  readonly json: boolean;
}

interface ShownSum {
  readonly cost: string;
  readonly net: string;
  readonly baselineCost: string;
  readonly withoutBaseline: string;
  readonly byCause: readonly {
    readonly cause: string;
    readonly amount: string;
    readonly estimated: boolean;
  }[];
}
interface ShownSavings {
  readonly from: string;
  readonly to: string;
  readonly total: ShownSum;
  readonly groups: readonly { readonly key: string; readonly savings: ShownSum }[];
}

export const registerSavings: RegisterCommand = (program, io, end) => {
  const command = program
    .command('savings')
    .description('print what was saved against the baseline, by cause; failures count against')
    .addOption(dataOption())
    .addOption(databaseOption())
    .addOption(serverOption())
    .addOption(keyOption());
  for (const option of spanOptions()) command.addOption(option);
  return command
    .addOption(byOption('TASK'))
    .option('--json', 'as JSON', false)
    .action(async (flags: SavingsFlags) => end(await savings(flags, io)));
};

async function savings(flags: SavingsFlags, io: CliIo): Promise<ExitCode> {
  const shown = flags.server === undefined ? await localSavings(flags) : await remoteSavings(flags);
  io.out(flags.json ? JSON.stringify(shown) : savingsText(shown));
  return 0;
}

function savingsText({ from, to, total, groups }: ShownSavings): string {
  const amounts = ({ byCause }: ShownSum): readonly string[] => byCause.map(({ amount }) => dollars(amount));
  const causes = total.byCause.map(
    ({ cause, estimated }) => `${cause.toLowerCase().replaceAll('_', ' ')}${estimated ? '*' : ''}`,
  );
  const line = (name: string, sum: ShownSum): readonly string[] => [
    name,
    `$${sum.baselineCost}`,
    ...amounts(sum),
    `$${sum.cost}`,
  ];
  return [
    `${from} to ${to}: saved ${dollars(total.net)} of $${total.baselineCost}`,
    '',
    table(
      ['', 'baseline', ...causes, 'cost'],
      [...groups.map(({ key, savings: sum }) => line(key === '' ? '(none)' : key, sum)), line('all', total)],
    ),
    '',
    `* another model's price of the same tokens; the others are measured.${total.withoutBaseline === '0' ? '' : ` $${total.withoutBaseline} has no baseline: name one with \`baseline:\`.`}`,
  ].join('\n');
}

async function remoteSavings(flags: SavingsFlags): Promise<ShownSavings> {
  const [{ createRemote }, { SavingsOf }] = await Promise.all([
    import('./remote.ts'),
    import('./documents.ts'),
  ]);
  const span = spanInput(spanOfFlags(flags, { window: 'MONTH' }));
  return (
    await createRemote(flags.server ?? '', flags.key).query(SavingsOf, { span, ...groupInput(flags.by) })
  ).savings;
}

async function localSavings(flags: SavingsFlags): Promise<ShownSavings> {
  const { withLocalStats } = await import('./local-stats.ts');
  const found = await withLocalStats(flags, (stats) =>
    stats.savings({ span: spanOfFlags(flags, { window: 'MONTH' }), ...flags.by }),
  );
  const sumOf = (sum: SavingsSum): ShownSum => ({
    cost: formatUsd(sum.costNanoUsd),
    net: formatUsd(sum.netNanoUsd),
    baselineCost: formatUsd(sum.baselineNanoUsd),
    withoutBaseline: formatUsd(sum.unbaselinedNanoUsd),
    byCause: sum.parts.map(({ cause, amountNanoUsd, estimated }) => ({
      cause: cause.toUpperCase(),
      amount: formatUsd(amountNanoUsd),
      estimated,
    })),
  });
  return {
    from: new Date(found.fromMs).toISOString(),
    to: new Date(found.toMs).toISOString(),
    total: sumOf(found.total),
    groups: found.groups.map(({ keys, sum }) => ({
      key: keys.map(({ value }) => value).join(' · '),
      savings: sumOf(sum),
    })),
  };
}
