import type { Socket } from 'node:dgram';
import { abortError, Failure } from '../../core/failure.ts';
import type { DnsExchange, DnsServer, SocketSettings } from '../../core/network.ts';
import { dialUdp } from '../dial/dial.ts';
import { sendDatagram } from '../dial/send.ts';
import { socketFailure } from '../dial/socket-failure.ts';
import { peerOf } from './server.ts';

/** Whoever forges an answer has to guess the port of its socket and the id, so few questions share a port (RFC 5452). */
const maxQueriesPerSocket = 100;

/** One who waits for the answer to an id. */
interface Waiting {
  hear(datagram: Buffer): void;
  /** Why the wait may end without an answer; it goes on. */
  suspect(error: Error): void;
  fail(error: unknown): void;
}

interface SharedSocket {
  readonly opened: Promise<Socket>;
  readonly waiting: Map<number, Waiting>;
  queries: number;
}

/**
 * UDP exchanges with DNS servers. A socket lives only while questions overlap: it closes with its last answer, so a quiet
 * process has none open, and a busy one does not open one for each question.
 */
export class DnsSockets {
  /** By server and settings. */
  readonly #current = new Map<string, SharedSocket>();

  /** Sends a message and resolves with the first datagram from that server that `read` takes. @throws {Failure} or the signal's reason */
  exchange<T>(server: DnsServer, { query, signal, read, source, dscp }: DnsExchange<T>): Promise<T> {
    const peer = peerOf(server);
    const kind = `${peer} ${source ?? ''} ${dscp ?? ''}`;
    const id = query.readUInt16BE(0);
    const shared = this.#socketFor(kind, id) ?? this.#open(kind, server, { source, dscp });
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        signal.removeEventListener('abort', onAbort);
        shared.waiting.delete(id);
        if (shared.waiting.size === 0) this.#close(kind, shared);
      };
      const fail = (error: unknown): void => {
        leave();
        reject(error);
      };
      const hear = (datagram: Buffer): void => {
        const answer = read(datagram);
        if (answer === undefined) return;
        leave();
        resolve(answer);
      };
      let suspected: Error | undefined;
      const suspect = (error: Error): void => void (suspected ??= error);
      const onAbort = (): void => fail(waitError(signal, peer, suspected));
      const waiting = { hear, suspect, fail };
      shared.waiting.set(id, waiting);
      shared.queries++;
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      shared.opened.then(
        (socket) =>
          shared.waiting.get(id) === waiting &&
          sendDatagram(socket, query, (error) => fail(socketFailure(error, asking(peer), 'machine'))),
        (error: unknown) => shared.waiting.get(id) === waiting && fail(error),
      );
    });
  }

  #socketFor(kind: string, id: number): SharedSocket | undefined {
    const shared = this.#current.get(kind);
    return shared && shared.queries < maxQueriesPerSocket && !shared.waiting.has(id) ? shared : undefined;
  }

  /** A socket that this one replaces goes on until its last answer. */
  #open(kind: string, server: DnsServer, settings: SocketSettings): SharedSocket {
    const waiting = new Map<number, Waiting>();
    const opened = openSocket(server, settings, waiting);
    const shared = { opened, waiting, queries: 0 };
    this.#current.set(kind, shared);
    return shared;
  }

  #close(kind: string, shared: SharedSocket): void {
    if (this.#current.get(kind) === shared) this.#current.delete(kind);
    void shared.opened.then(
      (socket) => socket.close(),
      () => {},
    );
  }
}

/** Opening waits for nothing, so there is nothing to abort. */
const neverAborted = new AbortController().signal;

async function openSocket(
  server: DnsServer,
  settings: SocketSettings,
  waiting: ReadonlyMap<number, Waiting>,
): Promise<Socket> {
  const socket = await dialUdp(server.address, { port: server.port, signal: neverAborted, ...settings });
  socket.on('message', (datagram) => {
    if (datagram.length < 2) return;
    const one = waiting.get(datagram.readUInt16BE(0));
    try {
      one?.hear(datagram);
    } catch (error) {
      // A bug in reading it belongs to the run that waits, not to the process.
      one?.fail(error);
    }
  });
  socket.on('error', (error) => {
    const failure = socketFailure(error, asking(peerOf(server)));
    // The server itself says that nothing listens; of another ICMP error the cause may pass while the wait goes on.
    const isFinal = !(failure instanceof Failure) || failure.reason === 'refused';
    for (const one of waiting.values()) {
      if (isFinal) one.fail(failure);
      else one.suspect(failure);
    }
  });
  return socket;
}

function waitError(signal: AbortSignal, peer: string, suspected: Error | undefined): Error {
  const error = abortError(signal, `Waiting for an answer from ${peer} by UDP`);
  if (!(error instanceof Failure && suspected instanceof Failure)) return error;
  return suspected.with({ cause: signal.reason });
}

function asking(peer: string): string {
  return `Asking ${peer} by UDP`;
}
