import { Option, type Command } from 'commander';
import { noticeSeverities } from '../../core/notice.ts';
import { countArgument, timeArgument } from '../arguments.ts';
import type { AcknowledgeFlags, NoticeFlags } from './notices.ts';
import { atServer } from './server-options.ts';

/** What people were told of the watched machines, and who has looked at it. */
export function addNotices(program: Command): void {
  atServer(
    program.command('notices').description('what people were told of the watched machines, and who has looked at it'),
  )
    .option('--agent <agent>', 'of one agent: its id or name')
    .option('--room <room>', 'of the seats and sessions of a room: its id or name')
    .option('--session <room-or-session>', 'told in a session: its id, or its room for the newest')
    .option('--open', 'only those that nobody has looked at')
    .addOption(new Option('--severity <severity>', 'only these').choices(noticeSeverities))
    .option('--kind <kind>', 'only of this kind, like usb-connected')
    .option('--from <time>', 'not before this time, like 2026-12-02T08:00:00+01:00', timeArgument)
    .option('--to <time>', 'before this time', timeArgument)
    .option('--limit <count>', 'at most so many, the newest (default: 100)', countArgument)
    .option('--json', 'one JSON object a line')
    .action(async (flags: NoticeFlags) => {
      const { printNotices } = await import('./notices.ts');
      await printNotices(flags, process.stdout);
    });
  atServer(program.command('acknowledge').description('say who has looked at a notice'))
    .argument('<notice>', 'its number, as notices lists it', countArgument)
    .requiredOption('--by <name>', 'who has looked')
    .option('--note <text>', 'what it was')
    .action(async (notice: number, flags: AcknowledgeFlags) => {
      const { acknowledge } = await import('./notices.ts');
      await acknowledge(notice, flags);
    });
}
