import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Item, SeqRange } from '../../core/entry.ts';
import type { Lane } from '../../protocol/messages.ts';
import { AppError } from '../../core/errors.ts';
import type { ReadLimit, SpooledEntry } from './reader.ts';
import type { SpoolReply, SpoolRequest, WorkerOptions } from './messages.ts';
import type { Receipt } from './intake.ts';
import type { SpoolStats } from './queue.ts';
import type { Recovered } from './recovery.ts';
import { maxItemBytes } from './segment.ts';

export type { ReadLimit, Recovered, SpooledEntry, SpoolStats };

export interface SpoolOptions {
  /** Bytes on the disk beyond which the oldest droppable entries go; 1 GiB unless given. */
  readonly limitBytes?: number;
  /** Bytes of entries that may wait in memory while the disk refuses; 16 MiB unless given. */
  readonly memoryBytes?: number;
  /** Called when something changed: entries were recorded, or the disk refuses. Never called once closed. */
  readonly onChange?: (stats: SpoolStats) => void;
}

/** The agent's durable queue: entries are kept until the server has them, through crashes, power cuts and full disks. */
export interface Spool extends AsyncDisposable {
  /** State found at the start. */
  readonly recovered: Recovered;
  /**
   * Resolves with the entry's number once it is on the disk, synced; from then on it reaches the server or is declared
   * missing. A droppable entry may go, oldest first, when space runs out. Waits while the disk refuses; rejects with
   * `unavailable` if there is no room in memory either (a gap entry says so), or if the spool was closed or broke.
   */
  append(item: Item, options: { readonly droppable: boolean }): Promise<number>;
  /** A new connection: `live` has what is recorded from now on, `backlog` what is older and not acknowledged, oldest first. */
  startSending(): Promise<void>;
  /** The lane's next entries, none if there is nothing more at present. Call it again when `onChange` tells of more. */
  read(lane: Lane, limit: ReadLimit): Promise<readonly SpooledEntry[]>;
  /** The server has committed these numbers: they are deleted here. */
  acknowledge(ranges: readonly SeqRange[]): void;
  /** Figures as of the spool's last operation. */
  stats(): SpoolStats;
  /** Records pending entries, if the disk allows, and ends. */
  close(): Promise<void>;
}

/**
 * The least time between two messages to the thread: what comes meanwhile shares the message, the sync, the frame to the server and
 * its transaction, which together cost several times what a result does.
 */
const gatherMs = 50;
const defaults = { limitBytes: 1024 ** 3, memoryBytes: 16 * 1024 ** 2, onChange: (): void => {} };

/** Opens the spool in a folder of its own, which is made if it is absent; only one process may have it open. Rejects with `unavailable`, saying why. */
export async function openSpool(folder: string, given: SpoolOptions = {}): Promise<Spool> {
  const options = { ...defaults, ...given };
  const { limitBytes, memoryBytes } = options;
  const workerData: WorkerOptions = { folder, limitBytes, memoryBytes };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData });
  // The thread's first message is one of these two.
  const [opening] = (await once(worker, 'message')) as [Extract<SpoolReply, { type: 'opened' | 'refused' }>];
  if (opening.type === 'refused') {
    throw new AppError('unavailable', `The spool in ${folder} cannot be opened. ${opening.message}`);
  }
  return new ThreadedSpool(worker, opening, options);
}

type Settle<T> = Pick<PromiseWithResolvers<T>, 'resolve' | 'reject'>;
type Append = Settle<number> & { readonly characters: number };

class ThreadedSpool implements Spool {
  readonly recovered: Recovered;
  readonly #worker: Worker;
  readonly #maxCharacters: number;
  readonly #onChange: (stats: SpoolStats) => void;
  readonly #appends = new Map<number, Append>();
  readonly #calls = new Map<number, Settle<readonly SpooledEntry[]>>();
  #stats: SpoolStats;
  #jsons: string[] = [];
  #droppable = '';
  /** Characters on their way to the spool's thread; bounded because a disk may hang without an error. */
  #characters = 0;
  /** By `performance.now()`. */
  #gathersUntilMs = 0;
  #nextTicket = 0;
  #nextCall = 0;
  #ended: AppError | undefined;

  constructor(worker: Worker, opened: Extract<SpoolReply, { type: 'opened' }>, options: Required<SpoolOptions>) {
    this.#worker = worker;
    this.#onChange = options.onChange;
    this.#maxCharacters = 4 * options.memoryBytes;
    this.recovered = opened.recovered;
    this.#stats = opened.stats;
    worker.on('message', (reply: SpoolReply) => this.#receive(reply));
    worker.once('error', (cause) =>
      this.#end(new AppError('internal', `The spool broke: ${String(cause)}`, { cause })),
    );
    worker.once('exit', () => this.#end(new AppError('unavailable', 'The spool is closed.')));
  }

  append(item: Item, { droppable }: { readonly droppable: boolean }): Promise<number> {
    if (this.#ended) return Promise.reject(this.#ended);
    const json = JSON.stringify(item);
    if (json.length * 3 > maxItemBytes && Buffer.byteLength(json) > maxItemBytes) {
      return Promise.reject(
        new AppError(
          'usage',
          `An entry of ${json.length} characters is too large for the spool: at most ${maxItemBytes} bytes.`,
        ),
      );
    }
    if (this.#jsons.length === 0)
      setTimeout(() => this.#handOver(), Math.max(0, this.#gathersUntilMs - performance.now()));
    // An entry without room still takes a number, so that a gap entry declares it.
    const kept = this.#characters + json.length > this.#maxCharacters ? '' : json;
    this.#jsons.push(kept);
    this.#droppable += droppable ? 'd' : '-';
    this.#characters += kept.length;
    return new Promise((resolve, reject) => {
      this.#appends.set(this.#nextTicket++, { resolve, reject, characters: kept.length });
    });
  }

  async startSending(): Promise<void> {
    await this.#call((id) => ({ type: 'start-sending', id }));
  }

  read(lane: Lane, limit: ReadLimit): Promise<readonly SpooledEntry[]> {
    return this.#call((id) => ({ type: 'read', id, lane, limit }));
  }

  acknowledge(ranges: readonly SeqRange[]): void {
    if (!this.#ended) this.#send({ type: 'acknowledge', ranges });
  }

  stats(): SpoolStats {
    return this.#stats;
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    const exit = once(this.#worker, 'exit');
    this.#handOver();
    await this.#call((id) => ({ type: 'close', id }));
    await exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** One message for all appends since the last. */
  #handOver(): void {
    if (this.#jsons.length === 0) return;
    this.#gathersUntilMs = performance.now() + gatherMs;
    const firstTicket = this.#nextTicket - this.#jsons.length;
    this.#send({ type: 'append', firstTicket, jsons: this.#jsons, droppable: this.#droppable });
    this.#jsons = [];
    this.#droppable = '';
  }

  #call(request: (id: number) => SpoolRequest): Promise<readonly SpooledEntry[]> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#nextCall++;
    this.#send(request(id));
    return new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
  }

  #send(request: SpoolRequest): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage(request);
  }

  #receive(reply: SpoolReply): void {
    if (reply.type === 'opened' || reply.type === 'refused') return;
    this.#stats = reply.stats;
    if (reply.type === 'done') {
      this.#calls.get(reply.id)?.resolve(reply.entries);
      this.#calls.delete(reply.id);
    } else {
      reply.receipts.forEach((receipt) => this.#settle(receipt));
      this.#onChange(reply.stats);
    }
  }

  #settle({ ticket, seq }: Receipt): void {
    const append = this.#appends.get(ticket);
    if (!append) return;
    this.#appends.delete(ticket);
    this.#characters -= append.characters;
    if (seq === undefined)
      append.reject(new AppError('unavailable', 'The spool had no room for an entry; a gap says so.'));
    else append.resolve(seq);
  }

  #end(reason: AppError): void {
    this.#ended ??= reason;
    for (const waiting of [...this.#appends.values(), ...this.#calls.values()]) waiting.reject(this.#ended);
    this.#appends.clear();
    this.#calls.clear();
  }
}
