import type { Cancel } from '../../core/clock.ts';
import type { Dialler, DialEvents } from '../../protocol/line.ts';
import { SimulatedLine } from './simulated-line.ts';
import type { SimulatedLink } from './simulated-link.ts';
import type { SimulatedProcess } from './simulated-process.ts';

/** Where connections arrive. */
export interface SimulatedListener {
  /** The process that listens now; undefined while none does. */
  readonly process: SimulatedProcess | undefined;
  /** False while its machine has no power. */
  readonly hasKernel: boolean;
  accept(line: SimulatedLine): void;
}

interface DiallerParts {
  readonly process: SimulatedProcess;
  readonly hasKernel: () => boolean;
  readonly link: SimulatedLink;
  readonly listener: SimulatedListener;
  /** Sees both ends of each connection that opens. */
  readonly onOpened: (line: SimulatedLine) => void;
}

/** Round trips until a WebSocket over TLS is open. */
const roundTrips = 3;

/** Calls the server over the link of one agent. */
export function simulatedDialler(parts: DiallerParts): Dialler {
  return { dial: (_url, limitMs, events) => dial(parts, limitMs, events) };
}

function dial(parts: DiallerParts, limitMs: number, events: DialEvents): Cancel {
  const { process, link, listener } = parts;
  const { world } = link;
  let isGivenUp = false;
  const fail = (afterMs: number, message: string): void => {
    world.after(afterMs, () => process.deliver(() => isGivenUp || events.onFailed(new Error(message))));
  };
  const askedMs = 2 * roundTrips * link.latencyMs();
  world.after(askedMs, () => {
    if (isGivenUp || !process.isAlive) return;
    const isSilent = link.isCut.up || link.isCut.down || !listener.hasKernel || (listener.process?.isPaused ?? false);
    if (isSilent || askedMs > limitMs) return fail(Math.max(0, limitMs - askedMs), 'Opening handshake has timed out');
    if (!listener.process) return fail(0, 'connect ECONNREFUSED');
    open({ ...parts, server: listener.process, events });
  });
  return () => {
    isGivenUp = true;
  };
}

function open(parts: DiallerParts & { readonly server: SimulatedProcess; readonly events: DialEvents }): void {
  const { process, hasKernel, link, listener, server, events, onOpened } = parts;
  const channelBinding = link.world.newId().replaceAll('-', '');
  const [near, far] = SimulatedLine.pair(
    { process, link, way: 'up', channelBinding, hasKernel },
    { process: server, link, way: 'down', channelBinding, hasKernel: () => listener.hasKernel },
  );
  onOpened(near);
  server.deliver(() => listener.accept(far));
  process.deliver(() => events.onOpen(near));
}
