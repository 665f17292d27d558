import type { Command } from 'commander';
import type { Milliseconds } from '../../core/duration.ts';
import { addAllowOption, countArgument, durationArgument } from '../arguments.ts';

/** How a check is run, whatever its type. */
export interface RunSettings {
  readonly count: number;
  /** From the start of one run to the start of the next. */
  readonly intervalMs: Milliseconds;
  readonly timeoutMs: Milliseconds | undefined;
  readonly json: boolean;
  readonly isVerbose: boolean;
  /** Ranges that are denied by default. */
  readonly allow: readonly string[];
}

interface Flags {
  readonly count?: number;
  readonly interval?: Milliseconds;
  readonly timeout?: Milliseconds;
  readonly json?: true;
  readonly verbose?: true;
  readonly allow?: readonly string[];
}

/**
 * Adds the options of the run. A type's own option of the same name wins: `--count` of icmp counts its packets, as with ping.
 * Returns what reads them from what commander parsed.
 */
export function addRunOptions(command: Command): (given: Readonly<Record<string, unknown>>) => RunSettings {
  const taken = new Set(command.options.map((option) => option.attributeName()));
  if (!taken.has('count')) command.option('-c, --count <number>', 'number of runs (default: 1)', countArgument);
  if (!taken.has('interval'))
    command.option('-i, --interval <duration>', 'time between two runs (default: 1s)', durationArgument);
  addAllowOption(command)
    .option('-w, --timeout <duration>', 'deadline of one run', durationArgument)
    .option('-v, --verbose', 'show all evidence: headers, certificates, every section of an answer')
    .option('--json', 'print each result as one line of JSON')
    .helpOption('-h, --help', 'show this help');
  return (given) => {
    // Commander ran the parsers above; options of the type are read by its schema.
    const own = Object.fromEntries(Object.entries(given).filter(([name]) => !taken.has(name))) as Flags;
    const { count = 1, interval = 1000, timeout, json = false, verbose = false, allow = [] } = own;
    return { count, intervalMs: interval, timeoutMs: timeout, json, isVerbose: verbose, allow };
  };
}
