import { Command, CommanderError } from 'commander';
import { explain, misuse } from './exit-codes.ts';
import { version } from './version.ts';

/** Runs one command line and returns the exit code. */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    if (words[0] === 'check') await addCheckTypes(program, words);
    await program.parseAsync(words, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has already printed its sentence, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : misuse;
    const { message, exitCode } = explain(error);
    process.stderr.write(`watchkeeper: ${message}\n`);
    return exitCode;
  }
}

/** Every command, its options and its help; what a command needs is loaded when it runs. */
function createProgram(): Command {
  const program = new Command('watchkeeper')
    .description('Watches a network and says, with evidence, what is wrong, where, and since when.')
    .version(version(), '-V, --version')
    .helpCommand(false)
    // The options of the program stand before the command: http has a --version of its own.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'watchkeeper: ')) });
  program
    .command('shell')
    .description('ask what to watch, and watch it')
    .action(async () => {
      const { runShell } = await import('./shell.ts');
      await runShell({ input: process.stdin, output: process.stdout });
    });
  program
    .command('check')
    .usage('<type> [target] [options]')
    .description('check one target now, once or several times')
    .helpCommand(false)
    .addHelpText('after', exitHelp);
  return program;
}

const exitHelp = `
watchkeeper check TYPE --help lists the options of a type. --count N runs the check N times, --interval apart; where a type
counts packets or messages of its own (icmp, echo), --count and --interval are those, as with ping.

Exits with 0 up, 1 degraded, 2 down, 3 unknown or misuse; of several runs the worst counts: down, degraded, unknown, up.`;

/** Loaded only for `check`: the types bring their libraries with them. */
async function addCheckTypes(program: Command, words: readonly string[]): Promise<void> {
  const { addCheckCommands } = await import('./check-commands.ts');
  const check = program.commands.find((command) => command.name() === 'check');
  if (check) addCheckCommands(check, words);
}
