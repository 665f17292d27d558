import { InvalidArgumentError, type Command } from 'commander';
import { countArgument, durationArgument, sinceArgument, timeArgument } from '../arguments.ts';
import { wrap } from '../../terminal/text.ts';
import type { AckFlags, AvailabilityFlags, IncidentsFlags } from './incident-commands.ts';
import type { DrillFlags } from './drill.ts';
import type { RehearseFlags } from './rehearse.ts';
import { parseDuration, type Milliseconds } from '../../core/duration.ts';
import { atServer, dataOption } from './server-options.ts';
import type { ServerPlace } from './server-line.ts';
import type { WindowFlags, WindowWord } from './window-commands.ts';

const helpColumns = 80;

/** What is wrong, who has it, and when nobody is to be told. */
export function addIncidents(program: Command): void {
  addStatus(program);
  addLists(program);
  addAck(program);
  addAvailability(program);
  addDrill(program);
  addRehearse(program);
  addWindow(program, 'silence', 'tell nobody of some monitors for a time; without monitors: list');
  addWindow(program, 'maintenance', 'the same, and not counted in the availability; without monitors: list');
}

function addStatus(program: Command): void {
  const exits =
    'Exits with 0 if all is up, 1 if the worst is degraded, 2 if it is down, 3 if it is unknown. Paused monitors do not count.';
  atServer(program.command('status').description('what is wrong now, since when, from where, and who has it'))
    .option('--json', 'every monitor as one JSON object a line')
    .addHelpText('after', `\n${wrap(exits, helpColumns).join('\n')}`)
    .action(async (flags: ServerPlace & { json?: true }) => {
      const { showStatus } = await import('./incident-commands.ts');
      process.exitCode = await showStatus(flags, process.stdout);
    });
}

function addLists(program: Command): void {
  atServer(program.command('incidents').description('what went wrong and is not over, newest first'))
    .option('--all', 'also those that have ended')
    .option('--monitor <monitor>', 'of one monitor: its id or name')
    .option('--since <time>', 'that were open since: a duration back from now, or a time with its zone', sinceArgument)
    .option('--limit <count>', 'how many at the most (default: 50)', countArgument)
    .option('--json', 'one JSON object a line')
    .action(async (flags: IncidentsFlags) => {
      const { listIncidents } = await import('./incident-commands.ts');
      await listIncidents(flags, process.stdout);
    });
  atServer(program.command('incident').description('one incident: what was seen, who was told, what was held back'))
    .argument('<id>', 'its id, or the beginning of it')
    .option('--json', 'as JSON')
    .action(async (id: string, flags: ServerPlace & { json?: true }) => {
      const { showIncident } = await import('./incident-commands.ts');
      await showIncident(id, flags, process.stdout);
    });
}

function addDrill(program: Command): void {
  const description = 'tell the people of a monitor as if it were down, and time it; nothing real is touched';
  atServer(program.command('drill').description(description))
    .argument('<monitor>', 'its id or name')
    .option('--for <duration>', 'when it ends if nobody takes it (default: 15m)', durationArgument)
    .option('--json', 'how it went, as JSON')
    .action(async (monitor: string, flags: DrillFlags) => {
      const { runDrill } = await import('./drill.ts');
      process.exitCode = await runDrill(monitor, flags, process.stdout);
    });
}

function addRehearse(program: Command): void {
  const description =
    'what a changed configuration would have told of the results that are stored, beside what was told';
  program
    .command('rehearse')
    .description(description)
    .argument('<file>', 'a configuration, on the machine of the server')
    .option(...dataOption)
    .option('--last <duration>', 'how far back it begins (default: 7d)', longDurationArgument)
    .option('--json', 'as JSON')
    .action(async (file: string, flags: RehearseFlags) => {
      const { printRehearsal } = await import('./rehearse.ts');
      await printRehearsal(file, flags, process.stdout);
    });
}

/** No timer waits for it. */
function longDurationArgument(text: string): Milliseconds {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined && durationMs >= 60_000) return durationMs;
  throw new InvalidArgumentError('Expected a duration of at least 1m, like 12h or 30d.');
}

function addAvailability(program: Command): void {
  atServer(program.command('availability').description('how much of a time each monitor was available'))
    .option('--monitor <monitor>', 'of one monitor: its id or name')
    .option('--since <time>', 'a duration back from now, or a time with its zone (default: 30d)', sinceArgument)
    .option('--to <time>', 'until this time (default: now)', timeArgument)
    .option('--json', 'one JSON object a line')
    .action(async (flags: AvailabilityFlags) => {
      const { showAvailability } = await import('./incident-commands.ts');
      await showAvailability(flags, process.stdout);
    });
}

function addAck(program: Command): void {
  atServer(program.command('ack').description('take an incident: reminders and escalations stop'))
    .argument('<incident>', 'its id, or the name of its monitor')
    .option('--by <name>', 'who has it (default: the name of this user)')
    .option('--note <text>', 'what is being done')
    .option('--for <duration>', 'how long that counts (default: 24h)', durationArgument)
    .option('--json', 'the incident as JSON')
    .action(async (incident: string, flags: AckFlags) => {
      const { acknowledgeIncident } = await import('./incident-commands.ts');
      await acknowledgeIncident(incident, flags, process.stdout);
    });
}

function addWindow(program: Command, word: WindowWord, description: string): void {
  atServer(program.command(word).description(description))
    .argument('[monitors...]', 'names of monitors, or patterns with *; with --end its id')
    .option('--for <duration>', 'how long', durationArgument)
    .option('--from <time>', 'not now but from this time, like 2026-12-02T08:00:00+01:00', timeArgument)
    .option('--to <time>', 'until this time', timeArgument)
    .option('--reason <text>', 'what for; people see it')
    .option('--by <name>', 'who wants it (default: the name of this user)')
    .option('--dry-run', 'only say which monitors it would be for')
    .option('--end', 'end the one with this id now')
    .option('--json', 'one JSON object a line')
    .action(async (words: readonly string[], flags: WindowFlags) => {
      const { runWindowCommand } = await import('./window-commands.ts');
      await runWindowCommand({ word, words }, flags, process.stdout);
    });
}
