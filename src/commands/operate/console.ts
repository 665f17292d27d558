import { AppError } from '../../core/errors.ts';
import { formatAlarm } from '../../terminal/alarm-view.ts';
import { agentStatusWord, agentStyle } from '../../terminal/fleet-view.ts';
import { formatGap } from '../../terminal/gap-view.ts';
import { paintFor, type Paint } from '../../terminal/paint.ts';
import { Prompt, type Streams } from '../../terminal/prompt.ts';
import { formatTime } from '../../terminal/result-line.ts';
import { printable } from '../../core/printable.ts';
import { formatDuration } from '../../core/duration.ts';
import { ChangeFeed } from './change-feed.ts';
import { ConsoleCommands } from './console-commands.ts';
import { followEvents } from './event-follower.ts';
import { FleetPicture } from './fleet-picture.ts';
import { aborted } from '../interruption.ts';
import { formatServer, ResultFeed, serverOf, type SeenResult } from './result-feed.ts';
import type { ConsoleEvent, TaskAnswer } from './server-answers.ts';
import { ServerClient } from './server-client.ts';
import { lineTo, type ServerPlace } from './server-line.ts';

interface ConsoleSetting {
  /** Ends the console. */
  readonly signal?: AbortSignal;
  /** What `exit` does, for the help. */
  readonly exitMeaning?: string;
}

/** Shows what happens on a running server and obeys what is typed, until `exit`, Ctrl-C, the end of the input or the signal. */
export async function runConsole(
  place: ServerPlace,
  streams: Streams,
  { signal, exitMeaning = 'leave; the server goes on' }: ConsoleSetting = {},
): Promise<void> {
  const client = new ServerClient(lineTo(place));
  const picture = new FleetPicture(client);
  // A server that is not there, or that refuses, is told at once and ends the console.
  await picture.take();
  const prompt = new Prompt(streams);
  // It may be over before it begins: a start that took longer than the time asked for.
  if (signal) void aborted(signal).then(() => prompt.close());
  const paint = paintFor(streams.output);
  const console = new OperatorConsole({ client, picture, prompt, paint, exitMeaning });
  try {
    await console.run();
  } finally {
    prompt.close();
  }
}

interface ConsoleParts {
  readonly client: ServerClient;
  readonly picture: FleetPicture;
  readonly prompt: Prompt;
  readonly paint: Paint;
  readonly exitMeaning: string;
}

/** More tasks than that are a matter for `tasks`. */
const maxTasksShown = 50;

class OperatorConsole {
  readonly #parts: ConsoleParts;
  readonly #feed: ResultFeed;
  readonly #changes: ChangeFeed;
  readonly #commands: ConsoleCommands;
  readonly #ended = new AbortController();
  #lostAt: number | undefined;
  /** Before the line was there again. */
  #wasLostAt = 0;

  constructor(parts: ConsoleParts) {
    const { client, picture, prompt, paint, exitMeaning } = parts;
    this.#parts = parts;
    this.#feed = new ResultFeed({ isTerminal: prompt.isTerminal, paint, print: (text) => prompt.print(text) });
    const say = (text: string): void => this.#say(text);
    this.#changes = new ChangeFeed({ isTerminal: prompt.isTerminal, paint, say });
    this.#commands = new ConsoleCommands({
      client,
      picture,
      feed: this.#feed,
      changes: this.#changes,
      paint,
      columns: () => prompt.columns,
      exitMeaning,
      say,
    });
  }

  async run(): Promise<void> {
    const isReady = Promise.withResolvers<void>();
    const following = followEvents(
      {
        client: this.#parts.client,
        onOpen: async () => {
          await this.#welcome();
          isReady.resolve();
        },
        onEvent: (event) => this.#show(event),
        onLost: (why) => {
          this.#tellLost(why);
          isReady.resolve();
        },
      },
      this.#ended.signal,
    );
    await isReady.promise;
    while (!this.#commands.isOver) await this.#turn();
    this.#ended.abort();
    await following;
    this.#changes.flush();
    this.#feed.flush();
  }

  async #turn(): Promise<void> {
    const { prompt } = this.#parts;
    // Ctrl-C leaves, like the end of the input: the server and its agents go on as they are.
    const line = await prompt.askCommand((typed) => this.#commands.completions(typed)).catch(() => undefined);
    try {
      await this.#commands.obey(line ?? 'exit');
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'internal') throw error;
      this.#say(printable(error.message));
    }
  }

  /** The line is there: who is there, and what they do; after a break, that there was one. */
  async #welcome(): Promise<void> {
    const { client, picture } = this.#parts;
    await picture.take();
    if (this.#lostAt !== undefined) return this.#tellFound(this.#lostAt);
    const statuses = picture.agents.map(
      ({ name, address, status }) => `${this.#nameOf(name, address)}: ${this.#painted(status)}`,
    );
    this.#say(`Connected to ${printable(client.name)}; help lists what can be typed, such as follow changes.`);
    this.#say(
      ['Real-time status of the agents:', ...(statuses.length > 0 ? statuses : ['none has joined yet'])].join('\n'),
    );
    this.#sayTasks(picture.tasks.length > 0 ? 'Tasks handed out:' : 'No task has been handed out yet.', picture.tasks);
  }

  #tellFound(lostAt: number): void {
    [this.#lostAt, this.#wasLostAt] = [undefined, lostAt];
    this.#sayNow(`Connected again after ${((Date.now() - lostAt) / 1000).toFixed(1)} s.`);
  }

  #tellMissed(): void {
    const { tasks } = this.#parts.picture;
    const newer = tasks.filter(({ latest }) => latest && Date.parse(latest.startedAt) >= this.#wasLostAt).length;
    const news = newer === 0 ? '' : ` ${newer} of ${tasks.length} tasks have newer results; tasks lists them.`;
    this.#sayNow(`What came meanwhile is not shown here.${news}`);
  }

  #tellLost(why: string): void {
    this.#lostAt = Date.now();
    this.#sayNow(this.#parts.paint('yellow', `Not connected: ${printable(why)}. Trying again until it works.`));
  }

  async #show(event: ConsoleEvent): Promise<void> {
    const { picture } = this.#parts;
    if (event.type === 'result') return await this.#showResult(event);
    if (event.type === 'lost') return this.#tellMissed();
    if (event.type === 'state') return this.#changes.add(event);
    if (event.type === 'agent') return this.#showAgent(event);
    if (event.type === 'notice') return this.#showNotice(event);
    if (event.type === 'alarm') return this.#showAlarm(event);
    if (event.type === 'session') return this.#showSession(event);
    if (event.type === 'gap') return this.#sayNow(formatGap({ ...event, agent: picture.agentName(event.agentId) }));
    const agent = printable(picture.agentName(event.agentId));
    if (event.type === 'tasks-applied')
      return this.#sayNow(`${agent} works by revision ${event.revision} of its tasks`);
    const sent = picture.noteTasks(event.agentId, event.set);
    const removed = event.removed.length > 0 ? `, ${event.removed.length} taken away` : '';
    const what = `Sent to ${agent}: ${tasksOf(sent.length)}${removed} (revision ${event.revision})`;
    this.#sayTasks(`${formatTime(Date.now())} - ${what}`, sent);
  }

  async #showResult({ agentId, result, isLate }: Extract<ConsoleEvent, { type: 'result' }>): Promise<void> {
    const { picture } = this.#parts;
    const task = await picture.task(result.taskId);
    const message = isLate ? `(late) ${result.message}` : result.message;
    const seen: SeenResult = {
      // A task that was taken away may still have results on their way.
      ...(task ?? { ...unknownTask, id: result.taskId, monitor: result.monitorId, agent: picture.agentName(agentId) }),
      latest: { ...result, message },
    };
    this.#feed.add(seen);
  }

  #showAgent({ agentId, name, address, status, before }: Extract<ConsoleEvent, { type: 'agent' }>): void {
    this.#parts.picture.noteAgent(agentId, name);
    const was = before === undefined ? '' : ` (was ${agentStatusWord(before)})`;
    this.#sayNow(`${this.#nameOf(name, address)}: ${this.#painted(status)}${was}`);
  }

  #showNotice({ name, text, severity, count }: Extract<ConsoleEvent, { type: 'notice' }>): void {
    // A sentence may name the machine itself.
    const sentence = text.includes(name) ? text : `${name}: ${text}`;
    const line = printable(count === 1 ? sentence : `${sentence} (${count} ×)`);
    this.#sayNow(severity === 'alarm' ? this.#parts.paint('red', line) : line);
  }

  #showAlarm({ name, sensor, cause, message }: Extract<ConsoleEvent, { type: 'alarm' }>): void {
    this.#sayNow(this.#parts.paint('red', formatAlarm({ agent: name, sensor, cause, message })));
  }

  #showSession({ room, policy, change, until }: Extract<ConsoleEvent, { type: 'session' }>): void {
    const which = `${printable(policy)} in ${printable(room)}`;
    if (change === 'started') this.#sayNow(`Session started: ${which}, until ${formatTime(Date.parse(until))}`);
    if (change === 'ended') this.#sayNow(`Session ended: ${which}`);
  }

  /** Tasks under a heading for each server, as many as can be read. */
  #sayTasks(title: string, tasks: readonly TaskAnswer[]): void {
    const { paint } = this.#parts;
    const lines = [title];
    for (const [server, ofServer] of Map.groupBy(tasks.slice(0, maxTasksShown), ({ target }) => serverOf(target))) {
      lines.push(formatServer(server, paint), ...ofServer.map(formatTask));
    }
    if (tasks.length > maxTasksShown) lines.push(`… and ${tasks.length - maxTasksShown} more; tasks lists all`);
    this.#say(lines.join('\n'));
  }

  #nameOf(name: string, address: string | null | undefined): string {
    return `${printable(name)} (${printable(address ?? 'not seen since the server started')})`;
  }

  #painted(status: string): string {
    return this.#parts.paint(agentStyle(status), agentStatusWord(status));
  }

  #sayNow(text: string): void {
    this.#say(`${this.#parts.paint('dim', formatTime(Date.now()))} - ${text}`);
  }

  #say(text: string): void {
    this.#feed.interrupt();
    this.#parts.prompt.print(text);
  }
}

const unknownTask = { type: '', target: '', intervalMs: 0, paused: false, state: 'unknown' } as const;

function formatTask({ id, agent, monitor, type, target, intervalMs, paused }: TaskAnswer): string {
  const when = paused ? 'paused' : `every ${formatDuration(intervalMs)}`;
  return `Task ${id}, ${printable(agent)}: ${printable(monitor)}, ${printable(type)} ${printable(target)} ${when}`;
}

function tasksOf(count: number): string {
  return count === 1 ? 'one task' : `${count} tasks`;
}
