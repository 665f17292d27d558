import type { Command } from 'commander';
import type { Milliseconds } from '../../core/duration.ts';
import { defaultServerPort } from '../../core/ports.ts';
import type { LogFormat } from '../../terminal/operator-log.ts';
import {
  durationArgument,
  inviteArgument,
  listenAddress,
  checkTypesArgument,
  sensorsArgument,
  listArgument,
  countArgument,
} from '../arguments.ts';
import { logFormatOption } from '../log-format.ts';
import type { ListFlags, ListName } from './fleet-commands.ts';
import { addFilters, addMonitorCommands } from './monitor-command-line.ts';
import type { ServerPlace } from './server-line.ts';
import { atServer, dataOption } from './server-options.ts';

interface ServeFlags {
  readonly config?: string;
  readonly data?: string;
  readonly listen: string;
  readonly localAgent: boolean;
  readonly acceptClock?: true;
  readonly logFormat: LogFormat;
}

interface AgentFlags {
  readonly join?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly listen?: string;
  readonly name?: string;
  readonly data?: string;
  readonly egress?: string;
  readonly insecure?: true;
  readonly allowChecks?: readonly string[];
  readonly allowSensors?: readonly string[];
  readonly allowTargets?: readonly string[];
  readonly maxTasks?: number;
  readonly minInterval?: Milliseconds;
  readonly logFormat: LogFormat;
}

/** Of the server, unless told otherwise. */
const agentPort = 7412;

/** The server, its agents, and what an operator does with them. */
export function addFleet(program: Command): void {
  addServer(program);
  addAgent(program);
  addLists(program);
  addMonitorCommands(program);
  addOperations(program);
  addBackups(program);
}

function addServer(program: Command): void {
  program
    .command('serve')
    .description('run the server: hands out work, keeps every result; SIGHUP reads the configuration again')
    .option('--config <file>', 'monitors, agents and sensors, in YAML or JSON; a directory of such files')
    .option('--data <folder>', 'where it keeps everything (default: ~/.local/state/watchkeeper/server)')
    .option(
      '--listen <host:port>',
      `address to listen on; beyond loopback with TLS (default: 127.0.0.1:${defaultServerPort})`,
      `127.0.0.1:${defaultServerPort}`,
    )
    .option('--no-local-agent', 'without a vantage point of its own')
    .option('--accept-clock', 'delete what is too old although the clock of this machine has leapt ahead')
    .addOption(logFormatOption())
    .action(async ({ listen, logFormat, ...flags }: ServeFlags) => {
      const { serve } = await import('../serve/serve.ts');
      const { interruption } = await import('../interruption.ts');
      const { standardLog } = await import('../standard-log.ts');
      const where = listenAddress(listen, defaultServerPort);
      await serve({ ...flags, listen: where, log: standardLog(logFormat) }, interruption());
    });
}

function addAgent(program: Command): void {
  const agent = addLocalRules(program.command('agent'))
    .description('run checks, and sensors, on this machine for a server')
    .option('--join <url>', 'the address of the server; the one of the last time if absent')
    .option('--token <token>', 'a join token, needed once; better from WATCHKEEPER_TOKEN or a file')
    .option('--token-file <file>', 'a file with the join token; - is standard input')
    .option('--listen <host:port>', 'be called by the server instead of calling it')
    .option('--name <name>', 'how people call this agent (default: the name of this machine)')
    .option('--data <folder>', 'where it keeps everything (default: ~/.local/state/watchkeeper/agent)')
    .option('--egress <file>', 'what its checks may reach: egress: { allow: [...], deny: [...] }')
    .option('--insecure', 'reach a server beyond this machine without TLS: anybody on the way can read and change all')
    .addOption(logFormatOption())
    .action(async ({ listen, logFormat, token, tokenFile, ...flags }: AgentFlags) => {
      const { runAgent } = await import('../agent/agent.ts');
      const { givenToken } = await import('../agent/join-token-source.ts');
      const { endOfInput, interruption } = await import('../interruption.ts');
      const { standardLog } = await import('../standard-log.ts');
      // Set by a server that starts its own agent: the agent ends with it.
      const ends = process.env['WATCHKEEPER_ENDS_WITH_INPUT'] === '1' ? [endOfInput()] : [];
      const where = listen === undefined ? {} : { listen: listenAddress(listen, agentPort) };
      const signal = AbortSignal.any([interruption(), ...ends]);
      const log = standardLog(logFormat);
      const joinToken = givenToken({ token, tokenFile }, (text) => log.say(text));
      await runAgent({ ...flags, ...where, ...(joinToken && { token: joinToken }) }, { log, signal });
    });
  agent
    .command('status')
    .description('what the agent on this machine runs, for whom, and what waits')
    .option('--data <folder>', 'the folder of the agent')
    .option('--json', 'as JSON')
    .action(async (flags: { data?: string; json?: true }) => {
      const { showAgentStatus } = await import('../agent/agent-status.ts');
      process.exitCode = showAgentStatus(flags, process.stdout);
    });
}

/** What the administrator of a machine lets a server make of its agent. */
function addLocalRules(agent: Command): Command {
  return agent
    .option(
      '--allow-checks <types>',
      'check types that the server may ask for, such as http,tcp (default: all)',
      checkTypesArgument,
    )
    .option(
      '--allow-sensors <names>',
      'sensors that the server may start; none starts none (default: all)',
      sensorsArgument,
    )
    .option(
      '--allow-targets <ranges>',
      'addresses that checks may reach, and no others, such as 10.0.0.0/8,192.0.2.7:443',
      listArgument,
    )
    .option('--max-tasks <count>', 'how many tasks it takes (default: 100000)', countArgument)
    .option('--min-interval <duration>', 'the shortest interval of a task (default: 1s)', durationArgument);
}

const lists: Readonly<Record<ListName, string>> = {
  agents: 'every agent: its status, address, queue, lag and clock',
  queues: 'how much waits at each agent to be sent',
  tasks: 'every task, a monitor on an agent, with its state and its latest result',
  monitors: 'every monitor, where it runs, and how many agents say what of it',
  alarms: 'where records of sensors were changed or are missing',
  history: 'every task that has results, also of monitors that are gone or had another name',
  missing: 'what agents recorded and the server does not have, and why',
};

function addLists(program: Command): void {
  // The keys are those of the record.
  for (const [name, description] of Object.entries(lists) as [ListName, string][]) {
    const command = atServer(program.command(name).description(description));
    if (name === 'agents') addAgentCommands(command);
    if (name === 'tasks' || name === 'monitors') addFilters(command, { hasMonitor: name === 'tasks' });
    command.option('--json', 'one JSON object a line').action(async (flags: ListFlags) => {
      const { printList } = await import('./fleet-commands.ts');
      await printList(name, flags, process.stdout);
    });
  }
}

function addAgentCommands(agents: Command): void {
  atServer(agents.command('remove').description('revoke an agent and take it off the list; its history stays'))
    .argument('<agent>', 'its id or name')
    .action(async (agent: string, place: ServerPlace) => {
      const { removeAgent } = await import('./fleet-commands.ts');
      await removeAgent(agent, place);
    });
  atServer(agents.command('rename').description('give an agent another name'))
    .argument('<agent>', 'its id or name')
    .argument('<name>', 'its new name')
    .action(async (agent: string, name: string, place: ServerPlace) => {
      const { renameAgent } = await import('./fleet-commands.ts');
      await renameAgent(agent, name, place);
    });
}

interface InviteFlags extends ServerPlace {
  readonly for?: Milliseconds;
  readonly numberNames?: true;
}

function addOperations(program: Command): void {
  atServer(program.command('console').description('watch a running server, and tell it what to do')).action(
    async (place: ServerPlace) => {
      const { runConsole } = await import('./console.ts');
      await runConsole(place, { input: process.stdin, output: process.stdout });
    },
  );
  atServer(program.command('invite').description('print the line that joins one machine as an agent'))
    .option('--for <duration>', 'how long it can be used (default: 1h, which is also the longest)', inviteArgument)
    .option('--number-names', 'put a number behind a name that is taken; else the agent is refused')
    .action(async (flags: InviteFlags) => {
      const { invite } = await import('./fleet-commands.ts');
      await invite(flags);
    });
  atServer(program.command('revoke').description('shut an agent out'))
    .argument('<agent>', 'its id or name')
    .action(async (agent: string, place: ServerPlace) => {
      const { revoke } = await import('./fleet-commands.ts');
      await revoke(agent, place);
    });
}

interface PassphraseFlag {
  readonly passphraseFile?: string;
}

function addBackups(program: Command): void {
  const passphrase = '--passphrase-file <file>';
  program
    .command('backup')
    .description('one file from which another machine is the server that runs on this one')
    .argument('<file>', 'a new file; - is the standard output')
    .option(...dataOption)
    .option(passphrase, 'encrypt it; also from WATCHKEEPER_PASSPHRASE')
    .action(async (file: string, flags: Pick<ServerPlace, 'data'> & PassphraseFlag) => {
      const { backup } = await import('./backup.ts');
      await backup(file, flags);
    });
  program
    .command('restore')
    .description('make an empty folder the data folder of the server that was backed up')
    .argument('<file>', 'what backup wrote; - is the standard input')
    .requiredOption('--data <folder>', 'made if it is not there')
    .option(passphrase, 'of an encrypted backup; also from WATCHKEEPER_PASSPHRASE')
    .action(async (file: string, flags: { readonly data: string } & PassphraseFlag) => {
      const { restore } = await import('./restore.ts');
      await restore(file, flags);
    });
}
