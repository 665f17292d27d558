import type { Socket } from 'node:dgram';
import { abortError } from '../../core/failure.ts';
import type { DnsServer } from '../../core/network.ts';
import { dialUdp } from '../dial/dial.ts';
import { socketFailure } from '../dial/socket-failure.ts';
import { peerOf } from './server.ts';

/** Whoever forges an answer has to guess the port of its socket and the id, so few questions share a port (RFC 5452). */
const maxQueriesPerSocket = 100;

interface DnsExchange {
  readonly query: Buffer;
  readonly signal: AbortSignal;
}

type Settle = (reply: Buffer | Error) => void;

interface SharedSocket {
  readonly opened: Promise<Socket>;
  readonly waiting: Map<number, Settle>;
  queries: number;
}

/**
 * UDP exchanges with DNS servers. A socket lives only while questions overlap: it closes with its last answer, so a quiet
 * process has none open, and a busy one does not open one for each question.
 */
export class DnsSockets {
  readonly #current = new Map<string, SharedSocket>();

  /** Sends a message and resolves with the first datagram from that server that carries its id. @throws {Failure} or the signal's reason */
  exchange(server: DnsServer, { query, signal }: DnsExchange): Promise<Buffer> {
    const peer = peerOf(server);
    const id = query.readUInt16BE(0);
    const shared = this.#socketFor(peer, id) ?? this.#open(peer, server);
    return new Promise((resolve, reject) => {
      const settle: Settle = (reply) => {
        if (!shared.waiting.delete(id)) return;
        signal.removeEventListener('abort', onAbort);
        if (shared.waiting.size === 0) this.#close(peer, shared);
        if (reply instanceof Error) reject(reply);
        else resolve(reply);
      };
      const onAbort = (): void => settle(abortError(signal, `Waiting for an answer from ${peer} by UDP`));
      shared.waiting.set(id, settle);
      shared.queries++;
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      // Never rejects without `settle`: opening reports its failure to all who wait.
      void shared.opened.then((socket) => shared.waiting.has(id) && socket.send(query), settle);
    });
  }

  #socketFor(peer: string, id: number): SharedSocket | undefined {
    const shared = this.#current.get(peer);
    return shared && shared.queries < maxQueriesPerSocket && !shared.waiting.has(id) ? shared : undefined;
  }

  /** A socket that this one replaces goes on until its last answer. */
  #open(peer: string, server: DnsServer): SharedSocket {
    const waiting = new Map<number, Settle>();
    const opened = openSocket(server, waiting);
    const shared = { opened, waiting, queries: 0 };
    this.#current.set(peer, shared);
    return shared;
  }

  #close(peer: string, shared: SharedSocket): void {
    if (this.#current.get(peer) === shared) this.#current.delete(peer);
    void shared.opened.then(
      (socket) => socket.close(),
      () => {},
    );
  }
}

/** Opening waits for nothing, so there is nothing to abort. */
const neverAborted = new AbortController().signal;

async function openSocket(server: DnsServer, waiting: ReadonlyMap<number, Settle>): Promise<Socket> {
  const socket = await dialUdp(server.address, { port: server.port, signal: neverAborted });
  const asking = `Asking ${peerOf(server)} by UDP`;
  socket.on('message', (datagram) => {
    if (datagram.length >= 2) waiting.get(datagram.readUInt16BE(0))?.(datagram);
  });
  socket.on('error', (error) => {
    for (const settle of waiting.values()) settle(socketFailure(error, asking));
  });
  return socket;
}
