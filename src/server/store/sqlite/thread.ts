import { AppError } from '../../../core/errors.ts';
import type { Thread } from '../../../core/thread.ts';
import type { Notice } from './database.ts';
import type { Method, Reply, Request } from './messages.ts';

interface Waiting {
  readonly bytes: number;
  resolve(value: unknown): void;
  reject(error: AppError): void;
}

interface Freight {
  readonly transfer?: readonly ArrayBuffer[];
  readonly bytes?: number;
}

export type StoreThread = Thread<Request, Reply>;

/** Asks a thread of the store and matches answers with questions. */
export class ThreadCalls {
  readonly #thread: StoreThread;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #opened = Promise.withResolvers<void>();
  readonly #say: (notice: Notice) => void;
  #lastId = 0;
  #waitingBytes = 0;
  /** Why nothing may be asked any more. */
  #refusal: AppError | undefined;

  private constructor(thread: StoreThread, say: (notice: Notice) => void) {
    this.#thread = thread;
    this.#say = say;
    thread.listen({
      onMessage: (reply) => this.#receive(reply),
      onError: (cause) =>
        this.#end(new AppError('internal', `A thread of the store ended: ${String(cause)}.`, { cause })),
      onExit: () => {
        this.#end(closed());
        this.#ended.resolve();
      },
    });
  }

  /** Resolves once the thread answers; rejects with what kept it from opening. */
  static async open(thread: StoreThread, say: (notice: Notice) => void): Promise<ThreadCalls> {
    const calls = new ThreadCalls(thread, say);
    await calls.#opened.promise;
    return calls;
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
      this.#thread.post({ id, method, args }, transfer);
    });
  }

  /** What was asked before is answered first. */
  async close(): Promise<void> {
    if (this.#refusal === undefined) this.#thread.post({ id: 0, method: 'close', args: [] });
    this.#refusal ??= closed();
    await this.#ended.promise;
  }

  #receive(reply: Reply): void {
    if (reply.type === 'open') this.#opened.resolve();
    else if (reply.type === 'notice') this.#say(reply.notice);
    else if (reply.id !== undefined) this.#settle(reply);
    else if (reply.type === 'failed') this.#opened.reject(new AppError(reply.code, reply.message));
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
    this.#opened.reject(error);
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
    this.#waitingBytes = 0;
  }
}

function closed(): AppError {
  return new AppError('unavailable', 'The store was closed before it answered: what was asked may not have happened.');
}
