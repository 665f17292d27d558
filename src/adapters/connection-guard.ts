import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { ConnectionPlaces, type ConnectionPlace, type PlaceLimits } from '../core/connection-places.ts';
import { unmapped } from '../core/target.ts';

interface GuardParts {
  readonly limits: PlaceLimits;
  /** Whether many clients come from this address, each on a connection of its own: a proxy. */
  readonly isShared?: (address: string) => boolean;
  /** Called whenever a connection from this address found no room, or another was closed to make room for it. */
  readonly onCrowded: (address: string) => void;
}

/** Bounds the connections of a listener, from the moment they are accepted, so that strangers do not use up its descriptors. */
export class ConnectionGuard {
  readonly #places: ConnectionPlaces;
  readonly #isShared: (address: string) => boolean;
  readonly #onCrowded: (address: string) => void;
  /** By the other end, which is the same for a TLS socket and the one below it. */
  readonly #taken = new Map<string, ConnectionPlace>();

  constructor({ limits, isShared = () => false, onCrowded }: GuardParts) {
    this.#isShared = isShared;
    this.#places = new ConnectionPlaces(limits);
    this.#onCrowded = onCrowded;
  }

  get counts(): { readonly strangers: number; readonly known: number } {
    return this.#places.counts;
  }

  attach(server: Server): void {
    server.on('connection', (socket: Socket) => this.#take(socket));
  }

  /** Undefined if the connection has ended. */
  placeOf({ socket }: Pick<IncomingMessage, 'socket'>): ConnectionPlace | undefined {
    return this.#taken.get(otherEnd(socket));
  }

  #take(socket: Socket): void {
    const address = unmapped(socket.remoteAddress ?? '');
    const from = this.#isShared(address) ? `port ${socket.remotePort} of a proxy` : address;
    const { place, isCrowded } = this.#places.enter(from, () => socket.destroy());
    if (isCrowded) this.#onCrowded(address);
    if (!place) {
      socket.destroy();
      return;
    }
    const key = otherEnd(socket);
    this.#taken.set(key, place);
    socket.once('close', () => {
      place.leave();
      if (this.#taken.get(key) === place) this.#taken.delete(key);
    });
  }
}

function otherEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
