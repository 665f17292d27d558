import type { Command } from 'commander';
import type { NotifyFlags } from './notify.ts';
import { atServer } from './server-options.ts';

/** The ways of a server to tell people. */
export function addNotify(program: Command): void {
  const notify = program.command('notify').description('the ways of a server to tell people');
  atServer(notify.command('list').description('every notifier of the configuration, and whether it works'))
    .option('--json', 'one JSON object a line')
    .action(async (flags: NotifyFlags) => {
      const { listNotifiers } = await import('./notify.ts');
      await listNotifiers(flags, process.stdout);
    });
  atServer(notify.command('test').description('send a problem and its recovery, and show what the provider answers'))
    .argument('<notifier>', 'its name')
    .option('--json', 'the answer as JSON')
    .action(async (notifier: string, flags: NotifyFlags) => {
      const { testNotifier } = await import('./notify.ts');
      await testNotifier(notifier, flags, process.stdout);
    });
}
