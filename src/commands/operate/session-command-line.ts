import type { Command } from 'commander';
import { countArgument, untilArgument } from '../arguments.ts';
import type { ReportFlags } from './session-report.ts';
import { atServer } from './server-options.ts';
import type { EndFlags, ListSessionsFlags, RoomsFlags, ShowFlags, StartFlags } from './sessions.ts';

const sessionMeaning = 'id or name of a room, whose newest session is meant, or id of a session';

/** Rooms, and the sessions in which their machines are watched. */
export function addSessions(program: Command): void {
  atServer(program.command('rooms').description('every room: its seats, its policies, and whether a session lasts'))
    .option('--json', 'one JSON object a line')
    .action(async (flags: RoomsFlags) => {
      const { listRooms } = await import('./sessions.ts');
      await listRooms(flags, process.stdout);
    });
  const session = program
    .command('session')
    .description('watch the machines of a room for a time, such as an exam')
    .helpCommand(false);
  addCourse(session);
  addViews(session);
  addReport(session);
}

function addReport(session: Command): void {
  atServer(
    session
      .command('report')
      .description(
        'take what came of a session away, signed, to a folder: a page for print, JSON, the evidence of its seats',
      ),
  )
    .argument('<folder>', 'a new or empty folder')
    .option('--session <room-or-session>', `${sessionMeaning} (default: the newest session)`)
    .option('--zone <name>', 'time zone of the page, like Europe/Berlin (default: that of this machine)')
    .action(async (folder: string, flags: ReportFlags) => {
      const { reportSession } = await import('./session-report.ts');
      process.exitCode = await reportSession(folder, flags);
    });
}

function addCourse(session: Command): void {
  const by = 'who does it (default: your user name here)';
  atServer(session.command('start').description('begin to watch the machines of a room'))
    .argument('<room>', 'its id or name')
    .requiredOption('--until <time>', 'when it ends by itself: 12:30, 2h or 2026-12-02T12:30:00+01:00', untilArgument)
    .option('--policy <name>', 'what is watched and allowed; needed if the room has several')
    .option('--by <name>', by)
    .action(async (room: string, flags: StartFlags) => {
      const { startSession } = await import('./sessions.ts');
      await startSession(room, flags, process.stdout);
    });
  atServer(session.command('end').description('end a session before its time'))
    .argument('<room-or-session>', sessionMeaning)
    .option('--by <name>', by)
    .action(async (which: string, flags: EndFlags) => {
      const { endSession } = await import('./sessions.ts');
      await endSession(which, flags, process.stdout);
    });
}

function addViews(session: Command): void {
  atServer(session.command('list').description('sessions, the newest last'))
    .option('--room <room>', 'of one room: its id or name')
    .option('--open', 'only those that last')
    .option('--limit <count>', 'at most so many, the newest (default: 100)', countArgument)
    .option('--json', 'one JSON object a line')
    .action(async (flags: ListSessionsFlags) => {
      const { listSessions } = await import('./sessions.ts');
      await listSessions(flags, process.stdout);
    });
  atServer(session.command('show').description('one session: its policy, its seats, who is missing'))
    .argument('<room-or-session>', sessionMeaning)
    .option('--json', 'one JSON object')
    .action(async (which: string, flags: ShowFlags) => {
      const { showSession } = await import('./sessions.ts');
      await showSession(which, flags, process.stdout);
    });
}
