import type { EventFeed, EventFilter } from '../live/event-feed.ts';

interface StreamParts {
  readonly feed: EventFeed;
  readonly filter: EventFilter;
  /** The number after which events are told. */
  readonly after: number;
  /** What comes before the events, made as it is read. */
  readonly opening: Iterator<string>;
}

const keepAliveMs = 15_000;
/** So many signs of life in a row were not read: nobody reads. */
const maxUnread = 4;
/** Written at once, if there is so much. */
const pieceBytes = 64 * 1024;
const stillHere = ': still here\n\n';

/**
 * The stream of one watcher. It takes events out of the feed as fast as it is read, and keeps none itself: one that falls
 * behind what the feed keeps, or reads nothing for a minute, is cut off and may come again.
 */
export class EventStream {
  readonly #parts: StreamParts;
  #n: number;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isOpening = true;
  #unread = 0;
  #end = (): void => {};

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#n = parts.after;
  }

  /** The bytes of the answer. */
  open(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => this.#start(controller),
        pull: () => this.#pull(),
        cancel: () => this.#end(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: pieceBytes }),
    );
  }

  #start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    const unwatch = this.#parts.feed.watch(() => this.#pull());
    const keepAlive = setInterval(() => this.#keepAlive(), keepAliveMs);
    this.#end = () => {
      clearInterval(keepAlive);
      unwatch();
    };
  }

  get #hasRoom(): boolean {
    return (this.#controller?.desiredSize ?? 0) > 0;
  }

  #pull(): void {
    if (!this.#parts.feed.reachesBackTo(this.#n, this.#parts.filter)) return this.#cutOff();
    while (this.#hasRoom) {
      const bytes = this.#isOpening ? this.#nextOfOpening() : this.#nextEvent();
      if (!bytes && !this.#isOpening) return;
      if (bytes) this.#controller?.enqueue(bytes);
      this.#unread = 0;
    }
  }

  #nextOfOpening(): Uint8Array | undefined {
    const { done, value } = this.#parts.opening.next();
    if (done !== true) return new TextEncoder().encode(value);
    this.#isOpening = false;
    return undefined;
  }

  #nextEvent(): Uint8Array | undefined {
    const { feed, filter } = this.#parts;
    const newest = feed.newest;
    const item = feed.next(this.#n, filter);
    // What is not wanted needs no second look, and never counts as unread.
    this.#n = item?.n ?? newest;
    return item?.bytes;
  }

  #keepAlive(): void {
    if (this.#hasRoom) return this.#controller?.enqueue(new TextEncoder().encode(stillHere));
    this.#unread++;
    if (this.#unread >= maxUnread) this.#cutOff();
  }

  #cutOff(): void {
    this.#end();
    // Not closed: a closed stream keeps its unread queue. The listener writes the sentence to the log.
    this.#controller?.error('A watcher of events did not keep up and was cut off; it may come again.');
  }
}
