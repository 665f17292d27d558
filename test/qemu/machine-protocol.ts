import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

interface Answer {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

/** QEMU's machine protocol (QMP): commands to a machine that runs. Disposing ends the line, not the machine. */
export class MachineProtocol implements Disposable {
  readonly #socket: Socket;
  readonly #waiting: ((answer: Answer) => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    createInterface(socket).on('line', (line) => {
      // QEMU's own words: an answer, or an event that nobody here waits for.
      const answer = JSON.parse(line) as Answer;
      if ('return' in answer || 'error' in answer) this.#waiting.shift()?.(answer);
    });
  }

  static async open(path: string): Promise<MachineProtocol> {
    const socket = connect(path);
    await once(socket, 'connect');
    const machine = new MachineProtocol(socket);
    await machine.command('qmp_capabilities');
    return machine;
  }

  /** Resolves when QEMU has taken it; rejects with its reason if it has not. */
  async command(execute: string, options: object = {}): Promise<void> {
    const answered = new Promise<Answer>((resolve) => this.#waiting.push(resolve));
    this.#socket.write(`${JSON.stringify({ execute, arguments: options })}\n`);
    const { error } = await answered;
    if (error) throw new Error(`${execute} ${JSON.stringify(options)}: ${error.desc}`);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
