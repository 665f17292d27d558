import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SensorRecord } from '../core/record.ts';
import type { SensorState } from '../core/sensor.ts';
import { eventually } from './eventually.ts';
import type { Uevent } from './uevent-injection.ts';

export type Order = { readonly do: 'inject' | 'forge'; readonly events: readonly Uevent[] } | { readonly do: 'stop' };
export type Saying =
  | { readonly record: SensorRecord }
  | { readonly state: SensorState }
  | { readonly done: Order['do'] };

const program = fileURLToPath(new URL('uevent-machine-process.ts', import.meta.url));

/** Why there can be no such machine here, or false: the value of `skip`. */
export function ueventMachineMissing(): string | false {
  try {
    execFileSync('unshare', ['-Urn', 'true'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'user namespaces are not allowed here';
  }
}

/**
 * A machine on which the kernel says what a test wants: the USB sensor in a process with user and network namespaces of its
 * own, on a sysfs that the test built.
 */
export class UeventMachine implements AsyncDisposable {
  readonly records: SensorRecord[] = [];
  readonly states: SensorState[] = [];
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;
  #done = 0;
  #said = '';

  constructor(sysfs: string) {
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', program, sysfs];
    this.#process = spawn('unshare', ['-Urn', ...node], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
    // Only our own program is at the other end.
    this.#process.on('message', (saying) => this.#hear(saying as Saying));
    this.#closed = once(this.#process, 'close');
  }

  /** Resolves when the sensor watches. */
  async ready(): Promise<void> {
    await this.#eventually('a sensor that watches', () => this.states.length > 0);
  }

  /** The kernel says these events, as fast as it can. */
  async inject(...events: readonly Uevent[]): Promise<void> {
    await this.#order({ do: 'inject', events });
  }

  /** Somebody who is not the kernel says them. */
  async forge(...events: readonly Uevent[]): Promise<void> {
    await this.#order({ do: 'forge', events });
  }

  /** Ends the sensor; what it still had to say is in the records then. */
  async stop(): Promise<void> {
    await this.#order({ do: 'stop' });
  }

  async until(what: string, fits: (records: readonly SensorRecord[]) => boolean): Promise<void> {
    await this.#eventually(what, () => fits(this.records));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#closed;
  }

  async #order(order: Order): Promise<void> {
    const before = this.#done;
    this.#process.send(order);
    await this.#eventually(order.do, () => this.#done > before);
  }

  #hear(saying: Saying): void {
    if ('record' in saying) this.records.push(saying.record);
    else if ('state' in saying) this.states.push(saying.state);
    else this.#done++;
  }

  async #eventually(what: string, look: () => boolean): Promise<void> {
    await eventually(what, () => {
      if (this.#process.exitCode !== null) throw new Error(`the machine ended: ${this.#said}`);
      return look();
    });
  }
}
