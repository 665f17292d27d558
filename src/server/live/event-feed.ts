import type { Cancel, Clock } from '../../core/clock.ts';
import type { ServerEvent } from '../../core/event.ts';

/** Which events a watcher wants; what is absent chooses nothing. */
export interface EventFilter {
  readonly kinds?: ReadonlySet<ServerEvent['type']> | undefined;
  readonly agentId?: string | undefined;
  /** Results, changes of state and incidents of this monitor; other events are about none. */
  readonly monitorId?: string | undefined;
}

/** An event as it goes to watchers, written once for all. */
interface FeedItem {
  readonly n: number;
  readonly event: Pick<ServerEvent, 'type' | 'agentId'>;
  readonly monitorId: string | undefined;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface FeedPorts {
  readonly clock: Pick<Clock, 'after'>;
  /** Tells the numbers of this run of the server from those of others. */
  readonly epoch: string;
  subscribe(listener: (event: ServerEvent) => void): () => void;
  /** The event as text of the stream. */
  write(event: ServerEvent, id: string): string;
}

/** Of results, and again of all other events, which many results must not push out. */
const maxBytes = 8 * 1024 * 1024;
/** So long after the last watcher has left, one that comes back finds what it missed. */
const keptMs = 120_000;

/**
 * The newest events, numbered, in bounded memory. Each watcher reads on from the number that it has; one that falls behind what
 * is kept must begin anew.
 */
export class EventFeed {
  readonly #ports: FeedPorts;
  readonly #results = new Lane();
  readonly #others = new Lane();
  readonly #watchers = new Set<() => void>();
  #n = 0;
  #unsubscribe: (() => void) | undefined;
  #cancelEnd: Cancel = () => {};
  #isWaking = false;

  constructor(ports: FeedPorts) {
    this.#ports = ports;
  }

  /** The number of the newest event. */
  get newest(): number {
    return this.#n;
  }

  id(n: number): string {
    return `${this.#ports.epoch}-${n}`;
  }

  /** The number in an id that this server gave; undefined for any other. */
  numberIn(id: string): number | undefined {
    const [, epoch, digits] = /^(.*)-(\d{1,15})$/.exec(id) ?? [];
    return epoch === this.#ports.epoch && Number(digits) <= this.#n ? Number(digits) : undefined;
  }

  /** Calls back when there are new events, until the returned function is called. */
  watch(onNew: () => void): () => void {
    this.#cancelEnd();
    this.#begin();
    this.#watchers.add(onNew);
    return () => {
      if (!this.#watchers.delete(onNew) || this.#watchers.size > 0 || !this.#unsubscribe) return;
      this.#cancelEnd = this.#ports.clock.after(keptMs, () => this.stop());
    };
  }

  /** Whether everything of this filter after this number is kept. */
  reachesBackTo(n: number, filter: EventFilter): boolean {
    return this.#lanesOf(filter).every((lane) => lane.droppedTo <= n);
  }

  /** The next event of the filter after this number. */
  next(n: number, filter: EventFilter): FeedItem | undefined {
    const found = this.#lanesOf(filter).flatMap((lane) => lane.firstAfter(n, filter) ?? []);
    return found.length < 2 ? found[0] : found.reduce((one, other) => (one.n < other.n ? one : other));
  }

  /** Forgets everything; who comes back begins anew. */
  stop(): void {
    this.#cancelEnd();
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    for (const lane of [this.#results, this.#others]) lane.clear();
  }

  #begin(): void {
    if (this.#unsubscribe) return;
    // What happened before was not written down.
    this.#n++;
    for (const lane of [this.#results, this.#others]) lane.droppedTo = this.#n;
    this.#unsubscribe = this.#ports.subscribe((event) => this.#take(event));
  }

  #take(event: ServerEvent): void {
    const n = ++this.#n;
    const bytes = new TextEncoder().encode(this.#ports.write(event, this.id(n)));
    const { type, agentId } = event;
    const lane = type === 'result' ? this.#results : this.#others;
    lane.add({ n, event: { type, agentId }, monitorId: monitorOf(event), bytes });
    this.#wake();
  }

  /** Once for all events of a batch. */
  #wake(): void {
    if (this.#isWaking) return;
    this.#isWaking = true;
    queueMicrotask(() => {
      this.#isWaking = false;
      for (const onNew of this.#watchers) onNew();
    });
  }

  #lanesOf({ kinds }: EventFilter): readonly Lane[] {
    if (!kinds) return [this.#results, this.#others];
    const hasOthers = kinds.size > (kinds.has('result') ? 1 : 0);
    return [...(kinds.has('result') ? [this.#results] : []), ...(hasOthers ? [this.#others] : [])];
  }
}

function monitorOf(event: ServerEvent): string | undefined {
  if (event.type === 'result') return event.result.monitorId;
  if (event.type === 'incident') return event.subject.kind === 'monitor' ? event.subject.id : undefined;
  return event.type === 'state' || event.type === 'transition' ? event.monitorId : undefined;
}

function isWanted({ event, monitorId }: FeedItem, filter: EventFilter): boolean {
  return (
    (!filter.kinds || filter.kinds.has(event.type)) &&
    (filter.agentId === undefined || filter.agentId === event.agentId) &&
    (filter.monitorId === undefined || filter.monitorId === monitorId)
  );
}

/** Events by their numbers; the oldest go first. */
class Lane {
  #items: FeedItem[] = [];
  /** Those before it have been dropped. */
  #start = 0;
  #bytes = 0;
  /** The highest number that was dropped. */
  droppedTo = 0;

  add(item: FeedItem): void {
    this.#items.push(item);
    this.#bytes += item.bytes.length;
    while (this.#bytes > maxBytes && this.#start < this.#items.length - 1) this.#dropFirst();
    if (this.#start < 1000 || this.#start < this.#items.length / 2) return;
    this.#items = this.#items.slice(this.#start);
    this.#start = 0;
  }

  clear(): void {
    [this.#items, this.#start, this.#bytes] = [[], 0, 0];
  }

  firstAfter(n: number, filter: EventFilter): FeedItem | undefined {
    for (let at = this.#placeAfter(n); at < this.#items.length; at++) {
      const item = this.#items[at];
      if (item && isWanted(item, filter)) return item;
    }
    return undefined;
  }

  #dropFirst(): void {
    const first = this.#items[this.#start++];
    if (!first) return;
    this.#bytes -= first.bytes.length;
    this.droppedTo = first.n;
  }

  /** Where the first item with a higher number is, by halving. */
  #placeAfter(n: number): number {
    let [low, high] = [this.#start, this.#items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#items[middle]?.n ?? 0) > n) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
