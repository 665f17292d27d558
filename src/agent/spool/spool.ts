import { systemClock, type Clock } from '../../core/clock.ts';
import type { Item, SeqRange } from '../../core/entry.ts';
import type { Lane } from '../../protocol/messages.ts';
import { AppError } from '../../core/errors.ts';
import type { Thread } from '../../core/thread.ts';
import type { ReadLimit, SpooledEntry } from './reader.ts';
import type { SpoolHistory, SpoolReply, SpoolRequest, SpoolSizes } from './messages.ts';
import type { Receipt } from './intake.ts';
import type { SpoolStats } from './stats.ts';
import type { Recovered } from './recovery.ts';
import { maxItemBytes } from './segment.ts';

export type { ReadLimit, Recovered, SpooledEntry, SpoolStats };

export const defaultSpoolSizes: SpoolSizes = { limitBytes: 1024 ** 3, memoryBytes: 16 * 1024 ** 2 };

export interface SpoolOptions extends Partial<SpoolSizes>, SpoolHistory {
  readonly clock?: Clock;
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
  /**
   * What the server knows of this epoch: it needs no more sending. Resolves with why nothing may be sent over this connection,
   * as when a new epoch has begun; undefined if it may.
   */
  reconcile(received: readonly SeqRange[]): Promise<string | undefined>;
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

export type SpoolThread = Thread<SpoolRequest, SpoolReply>;
type SpoolParts = Required<Pick<SpoolOptions, 'clock' | 'onChange' | 'memoryBytes'>>;
type Opened = Extract<SpoolReply, { type: 'opened' }>;
type Answer = Exclude<SpoolReply, { type: 'opened' | 'refused' }>;

/** Opens the spool whose thread was just started. Rejects with `unavailable`, saying why. */
export function spoolOver(thread: SpoolThread, options: SpoolOptions = {}): Promise<Spool> {
  const parts = { clock: systemClock, onChange: () => {}, ...defaultSpoolSizes, ...options };
  const { promise, resolve, reject } = Promise.withResolvers<Spool>();
  let spool: ThreadedSpool | undefined;
  const end = (error: AppError): void => (spool ? spool.end(error) : reject(error));
  thread.listen({
    onMessage(reply) {
      // The thread's first message is one of the first two.
      if (reply.type === 'opened') {
        spool = new ThreadedSpool(thread, reply, parts);
        resolve(spool);
      } else if (reply.type === 'refused') reject(new AppError('unavailable', reply.message));
      else spool?.receive(reply);
    },
    onError: (cause) => end(new AppError('internal', `The spool broke: ${String(cause)}`, { cause })),
    onExit: () => end(new AppError('unavailable', 'The spool is closed.')),
  });
  return promise;
}

type Settle<T> = Pick<PromiseWithResolvers<T>, 'resolve' | 'reject'>;
type Done = Extract<SpoolReply, { type: 'done' }>;
type Append = Settle<number> & { readonly characters: number };

class ThreadedSpool implements Spool {
  readonly recovered: Recovered;
  readonly #thread: SpoolThread;
  readonly #clock: Clock;
  readonly #maxCharacters: number;
  readonly #onChange: (stats: SpoolStats) => void;
  readonly #exit = Promise.withResolvers<void>();
  readonly #appends = new Map<number, Append>();
  readonly #calls = new Map<number, Settle<Done>>();
  #stats: SpoolStats;
  #jsons: string[] = [];
  #droppable = '';
  /** Characters on their way to the spool's thread; bounded because a disk may hang without an error. */
  #characters = 0;
  /** By the monotonic clock. */
  #gathersUntilMs = 0;
  #nextTicket = 0;
  #nextCall = 0;
  #ended: AppError | undefined;
  #closing: Promise<void> | undefined;

  constructor(thread: SpoolThread, { recovered, stats }: Opened, { clock, onChange, memoryBytes }: SpoolParts) {
    this.#thread = thread;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#maxCharacters = 4 * memoryBytes;
    this.recovered = recovered;
    this.#stats = stats;
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
      this.#clock.after(this.#gathersUntilMs - this.#clock.monotonic(), () => this.#handOver());
    // An entry without room still takes a number, so that a gap entry declares it.
    const kept = this.#characters + json.length > this.#maxCharacters ? '' : json;
    this.#jsons.push(kept);
    this.#droppable += droppable ? 'd' : '-';
    this.#characters += kept.length;
    return new Promise((resolve, reject) => {
      this.#appends.set(this.#nextTicket++, { resolve, reject, characters: kept.length });
    });
  }

  async reconcile(received: readonly SeqRange[]): Promise<string | undefined> {
    return (await this.#call((id) => ({ type: 'reconcile', id, received }))).obstacle;
  }

  async startSending(): Promise<void> {
    await this.#call((id) => ({ type: 'start-sending', id }));
  }

  async read(lane: Lane, limit: ReadLimit): Promise<readonly SpooledEntry[]> {
    return (await this.#call((id) => ({ type: 'read', id, lane, limit }))).entries;
  }

  acknowledge(ranges: readonly SeqRange[]): void {
    if (!this.#ended) this.#send({ type: 'acknowledge', ranges });
  }

  stats(): SpoolStats {
    return this.#stats;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    if (this.#ended) return;
    this.#handOver();
    await this.#call((id) => ({ type: 'close', id }));
    await this.#exit.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** One message for all appends since the last. */
  #handOver(): void {
    if (this.#jsons.length === 0) return;
    this.#gathersUntilMs = this.#clock.monotonic() + gatherMs;
    const firstTicket = this.#nextTicket - this.#jsons.length;
    this.#send({ type: 'append', firstTicket, jsons: this.#jsons, droppable: this.#droppable });
    this.#jsons = [];
    this.#droppable = '';
  }

  #call(request: (id: number) => SpoolRequest): Promise<Done> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#nextCall++;
    this.#send(request(id));
    return new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
  }

  #send(request: SpoolRequest): void {
    this.#thread.post(request);
  }

  receive(reply: Answer): void {
    this.#stats = reply.stats;
    if (reply.type === 'done') {
      this.#calls.get(reply.id)?.resolve(reply);
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

  /** The thread is no more. */
  end(reason: AppError): void {
    this.#ended ??= reason;
    for (const waiting of [...this.#appends.values(), ...this.#calls.values()]) waiting.reject(this.#ended);
    this.#appends.clear();
    this.#calls.clear();
    this.#exit.resolve();
  }
}
