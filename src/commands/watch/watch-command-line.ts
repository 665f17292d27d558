import { Option, type Command } from 'commander';
import type { Milliseconds } from '../../core/duration.ts';
import { durationArgument } from '../arguments.ts';
import type { TrafficFlags } from './watch-traffic.ts';

interface WatchFlags {
  readonly for?: Milliseconds;
  readonly json?: true;
}

/** The sensors by hand: what happens on this machine, in a terminal, without a server. */
export function addWatch(program: Command): void {
  const watch = program
    .command('watch')
    .description('watch this machine itself, without a server: who it talks to, what is plugged in')
    .helpCommand(false);
  watchCommand(watch, 'traffic', 'the hosts that this machine talks to, and how much; needs root or CAP_NET_RAW')
    .option('--interface <name>', 'of this interface only (default: all)')
    .addOption(new Option('--sort <by>', '2s, 10s, 40s, total (default: 2s)').choices(['2s', '10s', '40s', 'total']))
    .addOption(
      new Option('--names <of>', 'whose names are shown: all, intranet, none (default: all)').choices([
        'all',
        'intranet',
        'none',
      ]),
    )
    .action(async ({ for: forMs, ...flags }: WatchFlags & TrafficFlags) => {
      const { watchTraffic } = await import('./watch-traffic.ts');
      const { interruptionWithin } = await import('../interruption.ts');
      await watchTraffic(flags, { output: process.stdout, signal: interruptionWithin(forMs) });
    });
  watchCommand(watch, 'usb', 'the USB devices and file systems of this machine, as they come and go').action(
    async ({ for: forMs, ...flags }: WatchFlags) => {
      const { watchUsb } = await import('./watch-usb.ts');
      const { interruptionWithin } = await import('../interruption.ts');
      await watchUsb(flags, { output: process.stdout, signal: interruptionWithin(forMs) });
    },
  );
}

/** A command with the options that all of `watch` have. */
function watchCommand(watch: Command, name: string, description: string): Command {
  return watch
    .command(name)
    .description(description)
    .option('--for <duration>', 'end after this time (default: at Ctrl-C)', durationArgument)
    .option('--json', 'print one JSON object a line');
}
