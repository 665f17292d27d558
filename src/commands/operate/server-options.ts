import type { Command } from 'commander';

export const dataOption = [
  '--data <folder>',
  'the data folder of a server on this machine (default: ~/.local/state/watchkeeper/server)',
] as const;

/** With the options that say which server is meant. */
export function atServer(command: Command): Command {
  return command
    .option(...dataOption)
    .option('--server <url>', 'a server by its address instead')
    .option('--token-file <file>', 'its API token; else WATCHKEEPER_API_TOKEN has it')
    .option('--pin <hash>', 'sha256//…, which a server with a certificate of its own making prints at its start');
}
