import type { SeqRange } from '../core/entry.ts';
import { encodeEntries } from '../protocol/frames.ts';
import { lanes, maxEntriesPerFrame, type Lane } from '../protocol/messages.ts';

/** What the sender needs of the spool. */
export interface EntrySource {
  readonly epoch: string;
  /** The lane's next entries, as JSON; none if there is nothing more at present. */
  read(lane: Lane, limit: { readonly maxBytes: number; readonly maxCount: number }): Promise<readonly SourceEntry[]>;
  acknowledge(ranges: readonly SeqRange[]): void;
}

export interface SenderLine {
  /** Sent and not yet taken by the network. */
  readonly unsentBytes: number;
  sendFrame(frame: string): void;
}

interface SourceEntry {
  readonly seq: number;
  readonly json: string;
}

/**
 * What may be sent and not yet acknowledged, per lane. The backlog's window is small, so live results wait behind it for a fraction
 * of a second only. The server reads 4 MiB ahead of what it has stored: beyond that it would not read heartbeats either.
 */
const window: Readonly<Record<Lane, { readonly entries: number; readonly characters: number }>> = {
  live: { entries: 20_000, characters: 1024 * 1024 },
  backlog: { entries: 4000, characters: 512 * 1024 },
};
/** Beyond this many unsent bytes nothing is sent until an acknowledgement comes. */
const maxUnsentBytes = 1024 * 1024;
/** The server handles a frame of this size in a few milliseconds. A single larger entry is sent alone. */
const maxBytesPerFrame = 128 * 1024;

/**
 * Sends what is in the spool over one connection, in two lanes: live is what came since the connection opened, backlog
 * is what waited before it. Each entry is sent once per connection; what is not acknowledged is sent again on the next.
 */
export class Sender {
  readonly #source: EntrySource;
  readonly #line: SenderLine;
  /** Number of each entry that was sent, and the length of its JSON. */
  readonly #unacknowledged = new Map<number, number>();
  #unacknowledgedCharacters = 0;
  #isSending = false;
  #isWoken = false;
  #isStopped = false;

  constructor(source: EntrySource, line: SenderLine) {
    this.#source = source;
    this.#line = line;
  }

  /** There may be something to send: called when entries were appended or acknowledged. */
  wake(): void {
    this.#isWoken = true;
    if (!this.#isSending && !this.#isStopped) void this.#sendAll();
  }

  acknowledged(ranges: readonly SeqRange[]): void {
    for (const [seq, characters] of this.#unacknowledged) {
      if (!ranges.some(([from, to]) => from <= seq && seq <= to)) continue;
      this.#unacknowledged.delete(seq);
      this.#unacknowledgedCharacters -= characters;
    }
    this.#source.acknowledge(ranges);
    this.wake();
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    try {
      while (this.#isWoken && !this.#isStopped) {
        this.#isWoken = false;
        // After every frame of backlog the live lane is looked at again.
        while (await this.#sendFromFirstReady());
      }
    } catch (error) {
      // The spool closes under a read when the agent stops.
      if (!this.#isStopped) throw error;
    } finally {
      this.#isSending = false;
    }
  }

  async #sendFromFirstReady(): Promise<boolean> {
    for (const lane of lanes) if (await this.#sendFrame(lane)) return true;
    return false;
  }

  /** False if the lane has nothing to send, or may not send more before something is acknowledged. */
  async #sendFrame(lane: Lane): Promise<boolean> {
    const room = window[lane].entries - this.#unacknowledged.size;
    if (room <= 0 || this.#unacknowledgedCharacters >= window[lane].characters) return false;
    if (this.#line.unsentBytes > maxUnsentBytes || this.#isStopped) return false;
    const limit = { maxCount: Math.min(maxEntriesPerFrame, room), maxBytes: maxBytesPerFrame };
    const entries = await this.#source.read(lane, limit);
    if (entries.length === 0 || this.#isStopped) return false;
    for (const { seq, json } of entries) {
      this.#unacknowledged.set(seq, json.length);
      this.#unacknowledgedCharacters += json.length;
    }
    this.#line.sendFrame(encodeEntries({ lane, epoch: this.#source.epoch, entries }));
    return true;
  }
}
