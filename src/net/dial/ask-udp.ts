import type { Socket } from 'node:dgram';
import type { Clock } from '../../core/clock.ts';
import { abortError, Failure, isDeadline } from '../../core/failure.ts';
import type { Address } from '../../core/network.ts';
import { formatEndpoint } from '../../core/target.ts';
import { ReceiveBatch, type QueuedError } from '../../sys/receive.ts';
import { explainIcmpError } from '../packets/icmp.ts';
import { dialUdp, type Dial } from './dial.ts';
import { missingWay } from './missing-way.ts';
import { socketFailure } from './socket-failure.ts';
import { openSocketWith } from './socket-settings.ts';

interface Question extends Dial {
  readonly payload: Buffer;
  readonly clock: Clock;
}

interface Answer {
  readonly reply: Buffer;
  readonly replyMs: number;
}

/** A path whose packets must be smaller is learnt from its first ICMP error; each narrower link on the way sends one more. */
const maxResends = 3;

/** Sends one datagram to one address and waits for the reply. @throws {Failure} as `Network.askUdp` */
export async function askUdp(address: Address, question: Question): Promise<Answer> {
  const fd = errorQueueSocket(address, question);
  const socket = await dialUdp(address, { ...question, fd });
  try {
    return await new UdpExchange(socket, { address, fd, ...question }).answer();
  } finally {
    socket.close();
  }
}

/** A socket that hears all ICMP errors and from whom; undefined without FFI, where only "port unreachable" is heard. */
function errorQueueSocket(address: Address, question: Question): number | undefined {
  try {
    return openSocketWith(address, { protocol: 'udp', receiveErrors: true, ...question });
  } catch {
    // Where the system refuses a socket, the one of Node tells why.
    return undefined;
  }
}

interface ExchangeParts extends Question {
  readonly address: Address;
  readonly fd: number | undefined;
}

let batch: ReceiveBatch | undefined;

class UdpExchange {
  readonly #socket: Socket;
  readonly #parts: ExchangeParts;
  readonly #waiting: string;
  readonly #result = Promise.withResolvers<Answer>();
  /** The first ICMP error: `host unreachable, says 192.0.2.1`. */
  #told: string | undefined;
  #resends = 0;

  constructor(socket: Socket, parts: ExchangeParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#waiting = `Waiting for a reply from ${formatEndpoint({ host: parts.address.ip, port: parts.port })}`;
  }

  async answer(): Promise<Answer> {
    const { signal, clock, payload } = this.#parts;
    const onAbort = (): void => this.#result.reject(this.#silence());
    const startedMs = clock.monotonic();
    this.#socket.once('message', (reply) => this.#result.resolve({ reply, replyMs: clock.monotonic() - startedMs }));
    this.#socket.on('error', (error) => this.#onError(error));
    signal.addEventListener('abort', onAbort, { once: true });
    this.#socket.send(payload);
    try {
      return await this.#result.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** The queue is emptied each time: the kernel would wake us without end for what stays in it. */
  #onError(error: Error): void {
    const errors = this.#takeErrors().filter(({ origin }) => origin === 'network');
    for (const one of errors) this.#onIcmp(one, error);
    if (errors.length === 0) this.#result.reject(socketFailure(error, this.#waiting, 'machine'));
  }

  #takeErrors(): readonly QueuedError[] {
    const { fd } = this.#parts;
    if (fd === undefined) return [];
    batch ??= new ReceiveBatch();
    const taken: QueuedError[] = [];
    for (let more = batch.receive(fd, 'errors'); more.length > 0; more = batch.receive(fd, 'errors'))
      taken.push(...more.flatMap((received) => received.error ?? []));
    return taken;
  }

  #onIcmp({ type, code, info, from }: QueuedError, cause: Error): void {
    const { address, payload } = this.#parts;
    const explanation = explainIcmpError(address.family, { type, code, mtu: info });
    if (!explanation) return;
    const { kind, text } = explanation;
    const told = from === undefined || from === address.ip ? text : `${text}, reports ${from}`;
    if (kind === 'port-unreachable')
      return this.#result.reject(
        new Failure('refused', `${this.#waiting}: refused, nothing listens there (${told}).`, { cause }),
      );
    this.#told ??= told;
    if (kind === 'too-big' && this.#resends++ < maxResends) this.#socket.send(payload);
  }

  /** The time is over without a reply. */
  #silence(): Error {
    const { address, signal } = this.#parts;
    const cause: unknown = signal.reason;
    if (!isDeadline(cause)) return abortError(signal, this.#waiting);
    const missing = missingWay(address);
    // By UDP nothing can be told of a host that packets do not even leave for.
    const as = { status: 'unknown', source: missing?.source ?? 'agent' } as const;
    if (missing) return new Failure('unreachable', `${this.#waiting}: ${missing.text}.`, { cause, as });
    if (this.#told === undefined) return abortError(signal, this.#waiting);
    return new Failure('unreachable', `${this.#waiting}: ${this.#told}.`, { cause });
  }
}
