import { Argument, Command, CommanderError } from 'commander';
import type { Milliseconds } from '../core/duration.ts';
import { AppError } from '../core/errors.ts';
import { defaultEchoPort, defaultServerPort } from '../core/ports.ts';
import { addAllowOption, durationArgument, listenAddress, portArgument } from './arguments.ts';
import { explain, misuse } from './exit-codes.ts';
import { addHeartbeat } from './heartbeat/heartbeat-command-line.ts';
import { addIncidents } from './operate/incident-command-line.ts';
import { addNotices } from './operate/notice-command-line.ts';
import { addEvidence } from './operate/evidence-command-line.ts';
import { addNotify } from './operate/notify-command-line.ts';
import { addSessions } from './operate/session-command-line.ts';
import { atServer } from './operate/server-options.ts';
import { logFormatOption } from './log-format.ts';
import type { RunFlags } from './run/run-what.ts';
import { addFleet } from './operate/fleet-command-line.ts';
import { wrap } from '../terminal/text.ts';
import { columnsFor } from '../terminal/width.ts';
import { version } from './installation.ts';
import { addWatch } from './watch/watch-command-line.ts';

/** Runs one command line and returns the exit code. */
export async function runCommandLine(given: readonly string[]): Promise<number> {
  process.on('uncaughtException', (error) => process.exit(report(error)));
  endQuietlyWithoutReader();
  const { program, check } = createProgram();
  try {
    const asked = given[0] === 'help' ? [...given.slice(1), '--help'] : given;
    const words = asked[0] === 'check' ? withTypeInLowerCase(asked) : asked;
    if (words[0] === 'check') {
      const { addCheckType } = await import('./check/check.ts');
      await addCheckType(check, words[1]);
    }
    await program.parseAsync(words, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has already printed its sentence, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : misuse;
    return report(error);
  }
}

/** Says what went wrong, and returns the exit code for it. */
function report(error: unknown): number {
  const { message, exitCode } = explain(error);
  process.stderr.write(`watchkeeper: ${message}\n`);
  return exitCode;
}

/** `watchkeeper … | head` ends when head does. */
function endQuietlyWithoutReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    process.exit(report(new AppError('unavailable', `the output cannot be written: ${error.message}`)));
  });
  // Nobody can be told of it, and it ends nothing.
  process.stderr.on('error', () => {});
}

/** Every command, its options and its help; what a command needs is loaded when it runs. */
function createProgram(): Programs {
  const program = new Command('watchkeeper')
    .description('Watches a network and says, with evidence, what is wrong, where, and since when.')
    .version(version(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    // Choices and defaults stand in our own descriptions.
    .configureHelp({ optionDescription: ({ description }) => description })
    // What stands after a command is the command's, whatever the program's own options are called.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      getOutHelpWidth: helpColumns,
      getErrHelpWidth: helpColumns,
      outputError: (text, write) => write(text.replace(/^error: /, 'watchkeeper: ')),
    });
  addInteractive(program);
  const check = addCheck(program);
  addConfigured(program);
  addFleet(program);
  addSessions(program);
  addIncidents(program);
  addNotices(program);
  addNotify(program);
  addEvidence(program);
  addWatch(program);
  addEcho(program);
  addHeartbeat(program);
  addCompletion(program, check);
  return { program, check };
}

interface Programs {
  readonly program: Command;
  /** Its types bring their libraries with them: they are added when they are wanted. */
  readonly check: Command;
}

interface StartFlags {
  readonly data?: string;
  readonly listen: string;
  readonly for?: Milliseconds;
}

function addInteractive(program: Command): void {
  program
    .command('start')
    .description('a server on the starter configuration, with what it watches and the console on it')
    .option('--data <folder>', 'where it keeps everything (default: data in this checkout)')
    .option(
      '--listen <host:port>',
      `address to listen on (default: 127.0.0.1:${defaultServerPort})`,
      `127.0.0.1:${defaultServerPort}`,
    )
    .option('--for <duration>', 'end after this time', durationArgument)
    .action(async ({ listen, data, for: forMs }: StartFlags) => {
      const { start } = await import('./serve/start.ts');
      const { interruption } = await import('./interruption.ts');
      await start({ data, forMs, listen: listenAddress(listen, defaultServerPort) }, interruption());
    });
  const shell = program.command('shell').description('ask what to watch, and watch it');
  addAllowOption(shell).action(async ({ allow }: { allow?: readonly string[] }) => {
    const { runShell } = await import('./shell/shell.ts');
    const { personalPolicy } = await import('./personal-policy.ts');
    await runShell({ input: process.stdin, output: process.stdout }, personalPolicy(allow));
  });
}

function addCheck(program: Command): Command {
  return program
    .command('check')
    .usage('<type> [target] [options]')
    .description('check one target now, once or several times')
    .helpCommand(false)
    .addHelpText('after', () => `\n${checkHelp.map(wrapped).join('\n\n')}`);
}

const checkHelp = [
  'watchkeeper check TYPE --help lists the options of a type. --count N runs the check N times, --interval apart; where a ' +
    'type counts packets or messages of its own (icmp, echo), --count and --interval are those, as with ping.',
  'Exits with 0 up, 1 degraded, 2 down, 3 unknown or misuse; of several runs the worst counts: down, degraded, unknown, up.',
];

function wrapped(paragraph: string): string {
  return wrap(paragraph, helpColumns()).join('\n');
}

/** Help that is piped is as wide as on a usual terminal. */
function helpColumns(): number {
  const columns = columnsFor(process.stdout);
  return Number.isFinite(columns) ? columns : 80;
}

const runHelp =
  'SIGHUP reads a configuration again. Of a monitor it exits as check does: 0 up, 1 degraded, 2 down, 3 unknown, not run, or misuse; ' +
  'of several agents the worst counts.';

const fileMeaning = 'YAML or JSON; a directory of such files, or - for standard input';
const validateHelp =
  'Each mistake has its file, line and column, what was expected and what was found. Variables (${NAME}, ${file:PATH}) and the ' +
  'files of tls: are looked at as a server would that runs as this user. docs/configuration.md has every key, with examples.';

function addConfigured(program: Command): void {
  const run = program
    .command('run')
    .description('run the monitors of a configuration until stopped, or a monitor of a server once, now')
    .argument('<file-or-monitor>', 'YAML or JSON; else the id or name of a monitor of the server')
    .option('--for <duration>', 'of a configuration: end after this time', durationArgument)
    .option('--agent <agent>', 'of a monitor: on one agent only, by its id or name; else on all that have it')
    .option('--json', 'print one JSON object a line')
    .addOption(logFormatOption())
    .addHelpText('after', () => `\n${wrapped(runHelp)}`);
  atServer(run).action(async (what: string, flags: RunFlags) => {
    const { runWhat } = await import('./run/run-what.ts');
    process.exitCode = await runWhat(what, flags, process.stdout);
  });
  program
    .command('validate')
    .description('say every mistake in a configuration; exits with 3 if there is one')
    .argument('<file>', fileMeaning)
    .addHelpText('after', () => `\n${wrapped(validateHelp)}`)
    .action(async (file: string) => {
      const { validateFile } = await import('./run/validate.ts');
      process.exitCode = await validateFile(file, process.stdout);
    });
}

interface EchoFlags {
  readonly host: string;
  readonly tcp?: number;
  readonly udp?: number;
}

function addEcho(program: Command): void {
  program
    .command('echo')
    .description('answer echo checks; over TCP and UDP unless only one is asked for')
    .option('--tcp <port>', `TCP port (default: ${defaultEchoPort})`, portArgument)
    .option('--udp <port>', `UDP port (default: ${defaultEchoPort})`, portArgument)
    .option('--host <address>', 'address to listen on; :: is every one (default: 127.0.0.1)', '127.0.0.1')
    .action(async ({ host, tcp, udp }: EchoFlags) => {
      const { runEcho } = await import('./echo.ts');
      const { interruption } = await import('./interruption.ts');
      const ports =
        tcp === undefined && udp === undefined ? { tcp: defaultEchoPort, udp: defaultEchoPort } : { tcp, udp };
      await runEcho({ host, ...ports }, { output: process.stdout, signal: interruption() });
    });
}

/** Not .choices(): the command itself says what it expected. */
function shellArgument(): Argument {
  const argument = new Argument('<shell>', 'bash, zsh or fish');
  argument.argChoices = ['bash', 'zsh', 'fish'];
  return argument;
}

function addCompletion(program: Command, check: Command): void {
  program
    .command('completion')
    .description('print a completion script: source <(watchkeeper completion bash)')
    .addArgument(shellArgument())
    .action(async (shell: string) => {
      const { completionScript } = await import('./completion/completion.ts');
      const { addCheckTypes } = await import('./check/check.ts');
      await addCheckTypes(check);
      process.stdout.write(completionScript(shell, program));
    });
}

/** People write `check DNS` as well. */
function withTypeInLowerCase([check = '', type, ...rest]: readonly string[]): readonly string[] {
  return type === undefined ? [check] : [check, type.toLowerCase(), ...rest];
}
