import { Option, type Command } from 'commander';
import { statuses } from '../../core/outcome.ts';
import { countArgument, sinceArgument, statesArgument } from '../arguments.ts';
import type { ResultsFlags } from './results.ts';
import { atServer } from './server-options.ts';
import type { ServerPlace } from './server-line.ts';

interface JsonFlag {
  readonly json?: true;
}

/** What an operator does with monitors and reads of them, from a script or by hand. */
export function addMonitorCommands(program: Command): void {
  addPause(program, 'pause', 'stop the schedule of a monitor; it stays so over restarts of the server');
  addPause(program, 'resume', 'go on with the schedule of a monitor');
  atServer(program.command('results').description('what came of a monitor: the newest results, oldest first'))
    .argument('<monitor>', 'its id or name')
    .option('--since <time>', 'a duration back from now, or a time with its zone (default: 1h)', sinceArgument)
    .option('--agent <agent>', 'of one agent only: its id or name')
    .option('--limit <count>', 'how many at the most (default: 50 in a table, all as JSON)', countArgument)
    .option('--json', 'one JSON object a line')
    .action(async (monitor: string, flags: ResultsFlags) => {
      const { listResults } = await import('./results.ts');
      await listResults(monitor, flags, process.stdout);
    });
}

function addPause(program: Command, what: 'pause' | 'resume', description: string): void {
  atServer(program.command(what).description(description))
    .argument('<monitor>', 'its id or name')
    .option('--json', 'the monitor as JSON')
    .action(async (monitor: string, flags: ServerPlace & JsonFlag) => {
      const { setPaused } = await import('./monitor-commands.ts');
      await setPaused(what, monitor, flags);
    });
}

/** Options that choose among tasks or monitors. */
export function addFilters(command: Command, { hasMonitor }: { readonly hasMonitor: boolean }): Command {
  const states = new Option('--state <states>', 'only those in one of these states: down,degraded').argParser(
    statesArgument,
  );
  // Not .choices(): several may stand with commas between them.
  states.argChoices = [...statuses];
  command
    .option('--down', 'the same as --state down')
    .addOption(states)
    .option('--agent <agent>', 'only those of this agent: its id or name');
  return hasMonitor ? command.option('--monitor <monitor>', 'only those of this monitor: its id or name') : command;
}
