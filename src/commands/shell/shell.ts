import { isPassiveType } from '../../checks/modules.ts';
import { findCheckType, runnableWords } from '../../checks/registry.ts';
import type { CheckType } from '../../core/check.ts';
import { formatDuration } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { fieldsOf } from '../../core/fields.ts';
import type { Monitor } from '../../core/monitor.ts';
import { nearestWord } from '../../core/nearest.ts';
import { quoted } from '../../core/quoted.ts';
import { formatMonitor } from '../../terminal/monitor-view.ts';
import { paintFor, type Paint } from '../../terminal/paint.ts';
import { Interrupted, Prompt, type Streams } from '../../terminal/prompt.ts';
import { formatResultLine } from '../../terminal/result-line.ts';
import { StatusChanges } from '../../terminal/status-changes.ts';
import { wrap } from '../../terminal/text.ts';
import { interrupted } from '../interruption.ts';
import { loadMonitors, saveMonitors } from './monitor-file.ts';
import { Monitoring } from '../run/monitoring.ts';
import type { EgressPolicy } from '../../net/dial/egress.ts';
import { completePath } from './file-completion.ts';
import { askMonitor, askYes, ExitAsked, InputEnded } from './shell-questions.ts';

interface ShellCommand {
  readonly usage: string;
  readonly meaning: string;
  run(argument: string): void | Promise<void>;
  /** Completions of the command's arguments, given the text so far. */
  readonly arguments?: (typed: string) => readonly string[];
}

/** Asks a person what to watch and watches it, until `exit` or the end of the input. */
export async function runShell(streams: Streams, policy: EgressPolicy): Promise<void> {
  const prompt = new Prompt(streams);
  try {
    await new Shell({ prompt, paint: paintFor(streams.output), policy }).run();
  } finally {
    prompt.close();
  }
}

/** Shown where a person chose it so. */
const overlap = 'A run may still be under way when the next is due; that one is then unknown.';

const interrupt = Symbol('Ctrl-C');

interface ShellParts {
  readonly prompt: Prompt;
  readonly paint: Paint;
  readonly policy: EgressPolicy;
}

class Shell {
  readonly #prompt: Prompt;
  readonly #paint: Paint;
  readonly #policy: EgressPolicy;
  readonly #commands: Readonly<Record<string, ShellCommand>>;
  #monitors: readonly Monitor[] = [];
  #monitoring: Monitoring | undefined;
  #isOver = false;

  constructor({ prompt, paint, policy }: ShellParts) {
    this.#prompt = prompt;
    this.#paint = paint;
    this.#policy = policy;
    this.#commands = {
      view: { usage: 'view', meaning: 'list what was added, with every parameter', run: () => this.#view() },
      start: { usage: 'start', meaning: 'begin monitoring; just Enter does the same', run: () => this.#start() },
      stop: { usage: 'stop', meaning: 'end monitoring and come back here', run: () => this.#stop() },
      restart: { usage: 'restart', meaning: 'forget everything and start over', run: () => this.#restart() },
      remove: {
        usage: 'remove N',
        meaning: 'take number N off the list',
        run: (argument) => this.#remove(argument),
        arguments: () => this.#monitors.map((_, index) => String(index + 1)),
      },
      save: {
        usage: 'save FILE',
        meaning: 'keep the list as a configuration',
        run: (file) => this.#save(file),
        arguments: completePath,
      },
      load: {
        usage: 'load FILE',
        meaning: 'add the monitors of a configuration',
        run: (file) => this.#load(file),
        arguments: completePath,
      },
      help: { usage: 'help', meaning: 'show this list', run: () => this.#help() },
      exit: { usage: 'exit', meaning: 'end monitoring and leave', run: () => this.#exit() },
    };
  }

  get #words(): readonly string[] {
    return [...runnableWords, ...Object.keys(this.#commands)];
  }

  /** The lines that what is typed so far may become. */
  #completions(line: string): readonly string[] {
    const [, word = '', typed] = /^(\S+) +(.*)$/.exec(line) ?? [];
    if (typed === undefined) return this.#words;
    const command = this.#commandOf(word);
    return (command?.arguments?.(typed) ?? []).map((argument) => `${word} ${argument}`);
  }

  #commandOf(word: string): ShellCommand | undefined {
    const name = word.toLowerCase();
    return Object.hasOwn(this.#commands, name) ? this.#commands[name] : undefined;
  }

  async run(): Promise<void> {
    this.#showMenu();
    try {
      while (!this.#isOver) await this.#turn();
    } finally {
      await this.#stop();
    }
  }

  async #turn(): Promise<void> {
    const line = await this.#prompt
      .askCommand((typed) => this.#completions(typed))
      .catch((): typeof interrupt => interrupt);
    if (line === undefined) await this.#endOfInput();
    else if (line !== interrupt) await this.#run(line.trim()).catch((error: unknown) => this.#recover(error));
    else if (this.#monitoring) await this.#stop();
    else this.#say('Type exit to leave.');
  }

  /** Ctrl-D leaves. A script that has ended leaves what it started running, until the process is told to stop. */
  async #endOfInput(): Promise<void> {
    if (this.#monitoring && !this.#prompt.isTerminal) await interrupted();
    this.#isOver = true;
  }

  /** A command that was given up or that could not be done: back to the prompt. */
  #recover(error: unknown): void {
    if (error instanceof InputEnded || error instanceof ExitAsked) this.#isOver = true;
    else if (error instanceof AppError) this.#say(error.message);
    else if (!(error instanceof Interrupted)) throw error;
  }

  /** One line of the person's; its first word decides. */
  async #run(line: string): Promise<void> {
    const [, typed = '', argument = ''] = /^(\S*)\s*(.*)$/.exec(line) ?? [];
    const word = typed.toLowerCase();
    const check = isPassiveType(word) ? undefined : findCheckType(word);
    if (check) return await this.#add(word, check);
    if (word === '') return this.#monitoring ? undefined : this.#start();
    const command = this.#commandOf(word);
    if (command) return await command.run(argument);
    const meant = nearestWord(word, this.#words);
    this.#say(`There is no ${quoted(typed)}; ${meant ? `did you mean ${meant}?` : 'help lists what there is.'}`);
  }

  async #add(word: string, check: CheckType): Promise<void> {
    const monitor = await askMonitor(this.#prompt, word, check);
    if (!monitor) return;
    this.#append([monitor]);
    const { name, intervalMs, timeoutMs } = monitor;
    this.#say(`Added ${name}, every ${formatDuration(intervalMs)}, timeout ${formatDuration(timeoutMs)}.`);
    if (timeoutMs >= intervalMs) this.#say(overlap);
    this.#showMenu();
  }

  /** Names are unique, as the configuration wants them. */
  #append(added: readonly Monitor[]): void {
    for (const monitor of added) {
      const taken = new Set(this.#monitors.map(({ name }) => name));
      let name = monitor.name;
      for (let number = 2; taken.has(name); number++) name = `${monitor.name} (${number})`;
      this.#monitors = [...this.#monitors, { ...monitor, name, id: name }];
    }
    this.#monitoring?.watch(this.#monitors);
  }

  #view(): void {
    if (this.#monitors.length === 0) return this.#say('Nothing was added yet.');
    for (const [index, monitor] of this.#monitors.entries()) {
      const check = findCheckType(monitor.type);
      const fields = check ? fieldsOf(check.options) : [];
      const view = { paint: this.#paint, columns: this.#prompt.columns, number: index + 1 };
      this.#say(formatMonitor({ monitor, fields }, view));
    }
  }

  #start(): void {
    if (this.#monitors.length === 0) return this.#say('Please include at least one service to monitor.');
    if (this.#monitoring) return this.#say('Monitoring has started already.');
    const count = this.#monitors.length;
    this.#say(`Monitoring ${count === 1 ? 'one service' : `${count} services`}; type stop or exit to end.`);
    const changes = new StatusChanges();
    this.#monitoring = new Monitoring(this.#policy, (result) => {
      this.#say(formatResultLine(result, { paint: this.#paint, before: changes.before(result) }));
    });
    this.#monitoring.watch(this.#monitors);
  }

  async #stop(): Promise<void> {
    const monitoring = this.#monitoring;
    this.#monitoring = undefined;
    if (!monitoring) return;
    await monitoring.stop((late) => this.#say(`Waiting for ${late.map(({ name }) => name).join(', ')} to end …`));
    this.#say('Monitoring has ended.');
  }

  async #restart(): Promise<void> {
    await this.#stop();
    this.#monitors = [];
    this.#say('Starting over.');
    this.#showMenu();
  }

  #remove(argument: string): void {
    const monitor = /^\d+$/.test(argument) ? this.#monitors[Number(argument) - 1] : undefined;
    if (!monitor) throw new AppError('usage', `Expected a number of the list that view shows, got "${argument}".`);
    this.#monitors = this.#monitors.filter((kept) => kept !== monitor);
    this.#monitoring?.watch(this.#monitors);
    this.#say(`Removed ${monitor.name}.`);
  }

  async #save(file: string): Promise<void> {
    const isSaved = await saveMonitors(this.#monitors, file, () => askYes(this.#prompt, `${file} exists. Replace it?`));
    this.#say(isSaved ? `Saved to ${file}; watchkeeper run ${file} runs it.` : 'Nothing was saved.');
  }

  async #load(file: string): Promise<void> {
    const monitors = await loadMonitors(file, (line) => this.#say(line));
    this.#append(monitors);
    this.#say(`Added ${monitors.length === 1 ? 'one monitor' : `${monitors.length} monitors`} of ${file}.`);
  }

  #help(): void {
    const what = `Type what to watch: ${runnableWords.join(', ')}. Its questions follow. Or:`;
    for (const line of wrap(what, this.#prompt.columns)) this.#say(line);
    for (const { usage, meaning } of Object.values(this.#commands)) this.#say(`  ${usage.padEnd(10)} ${meaning}`);
  }

  #exit(): void {
    this.#isOver = true;
  }

  #showMenu(): void {
    if (this.#monitoring) return;
    const what = `Watch ${runnableWords.join(', ')};`;
    // A script's reader wants one line.
    for (const line of wrap(what, this.#prompt.columns)) this.#say(line);
    this.#say(`or view, restart, start (or just Enter), exit; help tells more.`);
  }

  #say(text: string): void {
    this.#prompt.print(text);
  }
}
