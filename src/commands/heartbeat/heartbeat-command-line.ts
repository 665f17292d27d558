import type { Command } from 'commander';

export function addHeartbeat(program: Command): void {
  program
    .command('heartbeat')
    .description('run a command, and tell a server its start, its exit code and the end of its log')
    .argument('<url>', 'of a heartbeat monitor, as https://watch.example.org/hb/KEY; @FILE reads it from a file')
    .argument('<command...>', 'the command and its words, after --')
    .passThroughOptions()
    .action(async (url: string, words: readonly string[]) => {
      const command = words[0] === '--' ? words.slice(1) : words;
      const { runWithHeartbeat } = await import('./heartbeat.ts');
      process.exitCode = await runWithHeartbeat(url, command, { output: process.stdout, errors: process.stderr });
    });
}
