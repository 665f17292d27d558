import { Worker } from 'node:worker_threads';
import { AppError } from '../../../core/errors.ts';
import type { Notice } from './database.ts';
import type { Method, Reply, Request, ThreadData } from './messages.ts';

interface Waiting {
  readonly bytes: number;
  resolve(value: unknown): void;
  reject(error: AppError): void;
}

interface Freight {
  readonly transfer?: readonly ArrayBuffer[];
  readonly bytes?: number;
}

/** Objects of a thread are short-lived; a larger nursery would only keep garbage longer. */
const maxYoungGenerationSizeMb = 16;

/** Asks a thread of the store and matches answers with questions. */
export class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #lastId = 0;
  #waitingBytes = 0;
  /** Why nothing may be asked any more. */
  #refusal: AppError | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#ended = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#end(closed());
        resolve();
      });
    });
  }

  /** Resolves once the thread answers; rejects with what kept it from opening. */
  static async start(file: URL, { data, say }: { data: ThreadData; say: (notice: Notice) => void }): Promise<Thread> {
    const worker = new Worker(file, { workerData: data, resourceLimits: { maxYoungGenerationSizeMb } });
    const thread = new Thread(worker);
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (reply: Reply) => {
        if (reply.type === 'open') resolve();
        else if (reply.type === 'notice') say(reply.notice);
        else if (reply.id === undefined && reply.type === 'failed') reject(new AppError(reply.code, reply.message));
        else thread.#settle(reply);
      });
      worker.once('error', (cause) => {
        const error = new AppError('internal', `A thread of the store ended: ${String(cause)}.`, { cause });
        reject(error);
        thread.#end(error);
      });
    });
    return thread;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** `transfer` are the buffers in `args` that need not be copied; `bytes` is what counts as waiting meanwhile. */
  ask(method: Method, args: readonly unknown[], { transfer = [], bytes = 0 }: Freight = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#refusal !== undefined) return reject(this.#refusal);
      const id = ++this.#lastId;
      this.#waiting.set(id, { bytes, resolve, reject });
      this.#waitingBytes += bytes;
      this.#worker.postMessage({ id, method, args } satisfies Request, transfer);
    });
  }

  /** What was asked before is answered first. */
  async close(): Promise<void> {
    if (this.#refusal === undefined)
      this.#worker.postMessage({ id: 0, method: 'close', args: [] } satisfies Request, []);
    this.#refusal ??= closed();
    await this.#ended;
  }

  #settle(reply: Extract<Reply, { readonly type: 'done' | 'failed' }>): void {
    const waiting = this.#waiting.get(reply.id ?? 0);
    if (reply.id === undefined || waiting === undefined) return;
    this.#waiting.delete(reply.id);
    this.#waitingBytes -= waiting.bytes;
    if (reply.type === 'done') waiting.resolve(reply.value);
    else waiting.reject(new AppError(reply.code, reply.message));
  }

  #end(error: AppError): void {
    this.#refusal ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
    this.#waitingBytes = 0;
  }
}

function closed(): AppError {
  return new AppError('unavailable', 'The store was closed before it answered: what was asked may not have happened.');
}
