import { AppError } from '../../core/errors.ts';
import { nearestWord } from '../../core/nearest.ts';
import { formatNotices } from '../../terminal/notice-view.ts';
import { formatAlarms } from '../../terminal/alarm-view.ts';
import {
  formatAgents,
  formatMonitors,
  formatQueues,
  formatRunsNowhere,
  formatTasks,
  queueOf,
  type View,
} from '../../terminal/fleet-view.ts';
import type { Paint } from '../../terminal/paint.ts';
import { printable } from '../../core/printable.ts';
import { quoted } from '../../core/quoted.ts';
import { pathPart } from './path-part.ts';
import type { FleetPicture } from './fleet-picture.ts';
import type { ResultFeed } from './result-feed.ts';
import type { ChangeFeed } from './change-feed.ts';
import { alarmsAnswer, noticesAnswer, done, runsAnswer, type ListedRun } from './server-answers.ts';
import type { ServerClient } from './server-client.ts';

interface CommandParts {
  readonly client: ServerClient;
  readonly picture: FleetPicture;
  readonly feed: ResultFeed;
  readonly changes: ChangeFeed;
  readonly paint: Paint;
  /** Of the terminal, now. */
  readonly columns: () => number;
  /** What `exit` does. */
  readonly exitMeaning: string;
  readonly say: (text: string) => void;
}

interface ConsoleCommand {
  /** The name alone if absent. */
  readonly usage?: string;
  readonly meaning: string;
  run(argument: string): void | Promise<void>;
  /** What may stand after the command. */
  readonly arguments?: () => readonly string[];
}

const maxCompletions = 100;
/** In the list of commands. */
const usageWidth = 27;
/** The names that the older tools had for some. */
const oldNames: Readonly<Record<string, string>> = { list_clients: 'agents', list_all_queues: 'queues' };

/** What an operator can type. */
export class ConsoleCommands {
  readonly #parts: CommandParts;
  readonly #commands: Readonly<Record<string, ConsoleCommand>>;
  #isOver = false;

  constructor(parts: CommandParts) {
    this.#parts = parts;
    const { picture } = parts;
    const monitors = (): readonly string[] => picture.monitors.map(({ name }) => name);
    this.#commands = {
      agents: this.#list('how many agents there are, their status, address, id', (view) =>
        formatAgents(picture.agents, view),
      ),
      queues: this.#list('how much waits at each agent', (view) => formatQueues(picture.agents.map(queueOf), view)),
      tasks: this.#list('every task, with its latest result', (view) => tasksOf(picture, view)),
      monitors: this.#list('every monitor', (view) => formatMonitors(picture.monitors, view)),
      notices: { meaning: 'what people were told of the watched machines', run: () => this.#listNotices() },
      alarms: { meaning: 'where records of sensors were changed or are missing', run: () => this.#listAlarms() },
      run: {
        usage: 'run MONITOR [on AGENT]',
        meaning: 'run a monitor once, now',
        run: (argument) => this.#run(argument),
        arguments: () => this.#runnable(),
      },
      follow: {
        usage: 'follow changes|on|off|TEXT',
        meaning: 'show changes of state only, all results, nothing, or results with TEXT',
        run: (argument) => this.#follow(argument),
        arguments: () => ['changes', 'on', 'off', ...monitors()],
      },
      pause: {
        usage: 'pause MONITOR',
        meaning: 'stop its schedule',
        run: (name) => this.#setPaused(name, 'pause'),
        arguments: monitors,
      },
      resume: {
        usage: 'resume MONITOR',
        meaning: 'go on with its schedule',
        run: (name) => this.#setPaused(name, 'resume'),
        arguments: monitors,
      },
      revoke: {
        usage: 'revoke AGENT',
        meaning: 'shut an agent out',
        run: (agent) => this.#revoke(agent),
        arguments: () => picture.agents.map(({ name }) => name),
      },
      help: { meaning: 'show this list', run: () => this.#help() },
      exit: { meaning: parts.exitMeaning, run: () => void (this.#isOver = true) },
    };
  }

  /** Whether the person wants to leave. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Does what a line says. @throws {AppError} when that cannot be done */
  async obey(line: string): Promise<void> {
    const [, typed = '', argument = ''] = /^(\S*)\s*(.*)$/s.exec(line.trim()) ?? [];
    if (typed === '') return;
    const word = typed.toLowerCase();
    const name = Object.hasOwn(oldNames, word) ? oldNames[word] : word;
    const command = name !== undefined && Object.hasOwn(this.#commands, name) ? this.#commands[name] : undefined;
    if (command) return await command.run(argument);
    const meant = nearestWord(word, Object.keys(this.#commands));
    const hint = meant === undefined ? 'help lists what there is' : `did you mean ${meant}?`;
    throw new AppError('usage', `There is no ${quoted(typed)}; ${hint}`);
  }

  /** Whole lines that this one may become. */
  completions(line: string): readonly string[] {
    const space = line.indexOf(' ');
    if (space < 0) {
      const words = Object.entries(this.#commands).map(([name, { arguments: more }]) => (more ? `${name} ` : name));
      return [...words, ...Object.keys(oldNames)];
    }
    const word = line.slice(0, space);
    const command = Object.hasOwn(this.#commands, word.toLowerCase()) ? this.#commands[word.toLowerCase()] : undefined;
    const typed = line.toLowerCase();
    const lines = (command?.arguments?.() ?? []).map((argument) => `${word} ${argument}`);
    // A name that would drive the terminal is not offered; ids can be typed instead.
    const isOffered = (whole: string): boolean => whole.toLowerCase().startsWith(typed) && printable(whole) === whole;
    return lines.filter(isOffered).slice(0, maxCompletions);
  }

  #list(meaning: string, format: (view: View) => string): ConsoleCommand {
    return {
      meaning,
      run: async () => {
        const { picture, paint, columns, say } = this.#parts;
        await picture.take();
        say(format({ paint, columns: columns(), now: Date.now() }));
      },
    };
  }

  async #listNotices(): Promise<void> {
    const { client, paint, columns, say } = this.#parts;
    const { notices } = await client.get('/notices', noticesAnswer);
    say(formatNotices(notices, { paint, columns: columns() }));
  }

  async #listAlarms(): Promise<void> {
    const { client, paint, say } = this.#parts;
    const { alarms } = await client.get('/alarms', alarmsAnswer);
    say(formatAlarms(alarms, { paint }));
  }

  #runnable(): readonly string[] {
    const { monitors, agents } = this.#parts.picture;
    const names = monitors.map(({ name }) => name);
    return names.concat(...agents.map((agent) => names.map((name) => `${name} on ${agent.name}`)));
  }

  async #run(argument: string): Promise<void> {
    const { client, picture, say } = this.#parts;
    await picture.take();
    const { monitor, agent } = this.#splitRun(argument);
    const query = agent === undefined ? '' : `?agent=${encodeURIComponent(agent)}`;
    const { runs } = await client.post(`/monitors/${pathPart(monitor)}/run${query}`, runsAnswer);
    const begun = runs.filter(({ problem }) => problem === null).map(runText);
    const refused = runs.filter(({ problem }) => problem !== null).map(runText);
    const not = refused.length === 0 ? '' : `; not run: ${refused.join(', ')}`;
    say(`Sent to run now: ${begun.join(', ')}${not}`);
  }

  /** `web on berlin`; a monitor may have ` on ` in its own name. */
  #splitRun(argument: string): { readonly monitor: string; readonly agent?: string } {
    if (argument === '') throw new AppError('usage', 'Expected a monitor: run MONITOR [on AGENT]');
    const at = argument.lastIndexOf(' on ');
    const isMonitor = this.#parts.picture.monitors.some(({ name }) => name === argument);
    if (at < 0 || isMonitor) return { monitor: argument };
    return { monitor: argument.slice(0, at), agent: argument.slice(at + ' on '.length).trim() };
  }

  #follow(argument: string): void {
    const { feed, changes, say } = this.#parts;
    if (argument === '')
      throw new AppError('usage', 'Expected changes, on, off, or a text that results must have: follow TEXT');
    const isChangesOnly = argument === 'changes';
    const filter = argument === 'on' ? '' : argument === 'off' || isChangesOnly ? undefined : argument;
    feed.follow(filter);
    changes.isShown = argument !== 'off';
    if (isChangesOnly) say('Changes of state are shown, and no other results; follow on shows all.');
    else if (filter === undefined) say('Results are no longer shown; follow on shows them again.');
    else say(filter === '' ? 'All results are shown.' : `Results with ${quoted(filter)} are shown.`);
  }

  async #setPaused(monitor: string, what: 'pause' | 'resume'): Promise<void> {
    const { client, say } = this.#parts;
    if (monitor === '') throw new AppError('usage', `Expected a monitor: ${what} MONITOR`);
    await client.post(`/monitors/${pathPart(monitor)}/${what}`, done);
    say(what === 'pause' ? `${printable(monitor)} is paused.` : `${printable(monitor)} goes on.`);
  }

  async #revoke(agent: string): Promise<void> {
    const { client, say } = this.#parts;
    if (agent === '') throw new AppError('usage', 'Expected an agent: revoke AGENT');
    await client.post(`/agents/${pathPart(agent)}/revoke`, done);
    say(`${printable(agent)} is revoked; it returns only with a new invitation and a new key.`);
  }

  #help(): void {
    const lines = Object.entries(this.#commands).map(
      ([name, { usage = name, meaning }]) => `  ${usage.padEnd(usageWidth)} ${meaning}`,
    );
    const old = Object.entries(oldNames).map(([old, name]) => `  ${old.padEnd(usageWidth)} the same as ${name}`);
    this.#parts.say([...lines, ...old].join('\n'));
  }
}

function runText({ task, agent, problem }: ListedRun): string {
  const what = `task ${task} on ${printable(agent)}`;
  return problem === null ? what : `${what} (${printable(problem)})`;
}

function tasksOf({ tasks, monitors }: CommandParts['picture'], view: View): string {
  const parts = [formatTasks(tasks, view), formatRunsNowhere(monitors, view)];
  return parts.filter((text) => text !== '').join('\n');
}
