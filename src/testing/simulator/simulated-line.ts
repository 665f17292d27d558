import type { Line, LineEvents } from '../../protocol/line.ts';
import type { SimulatedLink, Way } from './simulated-link.ts';
import type { SimulatedProcess } from './simulated-process.ts';

type Packet =
  | { readonly kind: 'frame'; readonly frame: string; readonly bytes: number; readonly onSettled: () => void }
  | { readonly kind: 'ping' | 'pong' | 'close' | 'closed'; readonly bytes: number };

interface Travelling {
  readonly packet: Packet;
  readonly arrivesMs: number;
}

/** What the kernels of both sides hold before a sender notices that nothing moves. */
const kernelBytes = 256 * 1024;
const controlBytes = 8;

interface EndParts {
  readonly process: SimulatedProcess;
  readonly link: SimulatedLink;
  /** The way on which this end sends. */
  readonly way: Way;
  readonly channelBinding: string;
  /** False when its machine has no power, and answers nothing at all. */
  readonly hasKernel: () => boolean;
}

/** One end of a connection, as the process there has it. Frames arrive in order or not at all, as by TCP. */
export class SimulatedLine implements Line {
  isOpen = true;
  readonly channelBinding: string;
  readonly #parts: EndParts;
  readonly #queue: Travelling[] = [];
  #queuedBytes = 0;
  #lastArrivalMs = 0;
  #peer!: SimulatedLine;
  #events: LineEvents | undefined;
  #isPaused = false;
  #isOver = false;
  readonly #onHealed = (): void => this.#move();
  /** A router between the two has forgotten the connection: nothing gets through any more, and nobody is told. */
  #isForgotten = false;

  private constructor(parts: EndParts) {
    this.#parts = parts;
    this.channelBinding = parts.channelBinding;
    parts.process.onEnd(() => this.#onProcessEnd());
  }

  static pair(a: EndParts, b: EndParts): readonly [SimulatedLine, SimulatedLine] {
    const [first, second] = [new SimulatedLine(a), new SimulatedLine(b)];
    first.#peer = second;
    second.#peer = first;
    return [first, second];
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get unsentBytes(): number {
    return Math.max(0, this.#queuedBytes - kernelBytes);
  }

  listen(events: LineEvents): void {
    this.#events = events;
    this.#peer.#move();
  }

  send(frame: string, onSettled: () => void): void {
    if (!this.isOpen) return queueMicrotask(onSettled);
    const { link, way } = this.#parts;
    const [first = frame, ...others] = (way === 'up' && link.lie?.(frame)) || [frame];
    this.#push({ kind: 'frame', frame: first, bytes: Buffer.byteLength(first), onSettled });
    for (const other of others)
      this.#push({ kind: 'frame', frame: other, bytes: Buffer.byteLength(other), onSettled: () => {} });
  }

  ping(): void {
    if (this.isOpen) this.#push({ kind: 'ping', bytes: controlBytes });
  }

  pong(_data: Buffer): void {
    if (this.isOpen) this.#push({ kind: 'pong', bytes: controlBytes });
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#peer.#move();
  }

  close(_code: number): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#push({ kind: 'close', bytes: controlBytes });
  }

  terminate(): void {
    if (!this.#parts.process.effect()) return;
    this.#end();
    this.#reset();
  }

  /** A fault: see `#isForgotten`. */
  forget(): void {
    this.#isForgotten = true;
    this.#peer.#isForgotten = true;
  }

  /** A fault: both ends are told that the connection is broken. */
  breakOff(): void {
    for (const end of [this, this.#peer]) end.#parts.process.deliver(() => end.#fail());
  }

  #push(packet: Packet): void {
    if (this.#isOver || !this.#parts.process.effect()) return;
    const { link } = this.#parts;
    const leavesMs = Math.max(this.#lastArrivalMs, link.world.nowMs + link.latencyMs());
    this.#lastArrivalMs = leavesMs + packet.bytes / link.bytesPerMs;
    this.#queue.push({ packet, arrivesMs: this.#lastArrivalMs });
    this.#queuedBytes += packet.bytes;
    if (packet.kind === 'frame' && this.unsentBytes === 0) queueMicrotask(packet.onSettled);
    link.world.after(this.#lastArrivalMs - link.world.nowMs, () => this.#move());
  }

  /** What should have arrived by now arrives, in order, unless something is in its way. */
  #move(): void {
    const { link, way } = this.#parts;
    for (let [next] = this.#queue; next && next.arrivesMs <= link.world.nowMs; [next] = this.#queue) {
      if (this.#isForgotten || this.#peer.#isHoldingBack() || !this.#peer.#parts.hasKernel()) return;
      if (link.isCut[way]) return link.whenHealed(this.#onHealed);
      this.#queue.shift();
      const { packet } = next;
      const wasUnsent = this.unsentBytes > 0;
      this.#queuedBytes -= packet.bytes;
      if (wasUnsent && packet.kind === 'frame') queueMicrotask(packet.onSettled);
      this.#peer.#receive(packet);
    }
  }

  #isHoldingBack(): boolean {
    return this.#isPaused || this.#events === undefined;
  }

  #receive(packet: Packet): void {
    const { process } = this.#parts;
    // Nobody is there any more: the kernel says so.
    if (this.#isOver) return this.#reset();
    process.deliver(() => {
      if (this.#isOver) return;
      switch (packet.kind) {
        case 'frame':
          return this.isOpen ? this.#events?.onFrame(Buffer.from(packet.frame), true) : undefined;
        case 'ping':
          return this.#events?.onPing(Buffer.alloc(0));
        case 'close':
          this.isOpen = false;
          this.#push({ kind: 'closed', bytes: controlBytes });
          return this.#end();
        case 'closed':
          return this.#end();
        case 'pong':
          return undefined;
      }
    });
  }

  /** The other end learns that this one is gone, if anything gets there. */
  #reset(): void {
    const { link, way } = this.#parts;
    link.world.after(link.latencyMs(), () => {
      if (link.isCut[way] || this.#isForgotten) return;
      const peer = this.#peer;
      peer.#parts.process.deliver(() => peer.#fail());
    });
  }

  #fail(): void {
    if (this.#isOver) return;
    this.#events?.onError(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    this.#end();
  }

  #end(): void {
    this.isOpen = false;
    if (this.#isOver) return;
    this.#isOver = true;
    const waiting = this.#queue.splice(0);
    // What is on its way still arrives; what waits does not.
    const leaving = waiting.filter(({ packet }) => packet.kind === 'closed');
    this.#queue.push(...leaving);
    this.#queuedBytes = 0;
    for (const { packet } of waiting) if (packet.kind === 'frame') queueMicrotask(packet.onSettled);
    const { process, link } = this.#parts;
    link.world.after(0, () => process.deliver(() => this.#events?.onClose()));
  }

  #onProcessEnd(): void {
    if (this.#isOver) return;
    this.isOpen = false;
    this.#isOver = true;
    this.#queue.length = 0;
    if (this.#parts.hasKernel()) this.#reset();
  }
}
