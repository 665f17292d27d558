import type { Command } from 'commander';
import { defaultTimeoutOf, type CheckType } from '../../core/check.ts';
import { countArgument, durationArgument } from '../arguments.ts';
import { addFieldOptions, parseOptions } from './check-options.ts';
import { runChecks } from './check.ts';
import { adHocMonitor } from './ad-hoc-monitor.ts';

/** The options of `check` itself. A type's own option of the same name wins: `--count` of icmp counts its echoes, as with ping. */
interface RunSettings {
  readonly count?: number;
  readonly interval?: number;
  readonly timeout?: number;
  readonly json?: true;
}

/** Gives `check` one command for each of these types; those of these words get the options of their schemas, which take time to derive. */
export function addCheckCommands(
  parent: Command,
  { checks, words }: { readonly checks: readonly CheckType[]; readonly words: readonly string[] },
): void {
  for (const check of checks) {
    const command = parent
      .command(check.type)
      .aliases(check.aliases ?? [])
      .usage('[target] [options]')
      .description(check.summary)
      .argument('[target]', check.targetSyntax);
    if ([check.type, ...(check.aliases ?? [])].some((word) => words.includes(word))) complete(command, parent, check);
  }
}

function complete(command: Command, parent: Command, check: CheckType): void {
  command.optionsGroup(`Options of ${check.title}:`);
  addFieldOptions(command, check);
  const own = new Set(command.options.map(({ long }) => long));
  command.optionsGroup('Options of the run:');
  const isFree = (flag: string): boolean => !own.has(flag);
  if (isFree('--count')) command.option('--count <number>', 'run the check so many times (default: 1)', countArgument);
  if (isFree('--interval'))
    command.option('--interval <duration>', 'time between two runs (default: 1s)', durationArgument);
  command
    .option('--timeout <duration>', 'deadline of one run', durationArgument)
    .option('--json', 'one JSON object a line')
    .helpOption('-h, --help', 'show this help')
    .action(async (target: string | undefined, given: Readonly<Record<string, unknown>>) => {
      const word = parent.args[0] ?? check.type;
      const options = await parseOptions(check, { text: target, word }, given);
      // Commander ran the parsers above; options of the type have been taken by parseOptions.
      const { count = 1, interval = 1000, timeout, json = false } = withoutOwn(given, own) as RunSettings;
      const monitor = adHocMonitor(check, options, {
        intervalMs: interval,
        timeoutMs: timeout ?? defaultTimeoutOf(check, options),
      });
      process.exitCode = await runChecks({ check, monitor, count, json });
    });
}

function withoutOwn(
  given: Readonly<Record<string, unknown>>,
  own: ReadonlySet<string | undefined>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !own.has(`--${name}`)));
}
