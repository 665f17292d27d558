import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { abortError, Failure } from '../../core/failure.ts';
import type { Address } from '../../core/network.ts';
import { formatEndpoint } from '../../core/target.ts';
import type { Reason } from '../../core/outcome.ts';

const meaningOfErrno: Readonly<Record<string, readonly [Reason, string]>> = {
  ECONNREFUSED: ['refused', 'refused, nothing listens there'],
  ECONNRESET: ['reset', 'the other side reset the connection'],
  EPIPE: ['reset', 'the other side had closed the connection'],
  ETIMEDOUT: ['timeout', 'the other side stopped answering'],
  EHOSTUNREACH: ['unreachable', 'no route to the host'],
  ENETUNREACH: ['unreachable', 'no route to its network'],
  EHOSTDOWN: ['unreachable', 'the host is down'],
  EADDRNOTAVAIL: ['unreachable', 'this machine has no address that fits'],
  EAFNOSUPPORT: ['unreachable', 'this machine does not speak that IP version'],
  EMSGSIZE: ['unsupported', 'the message is too long for one datagram'],
  EACCES: ['denied', 'this machine does not allow it'],
  EPERM: ['denied', 'this machine does not allow it'],
};

/** What a socket's error says about the target; an errno that is not about the network stays an error. */
export function socketFailure(error: unknown, doing: string): Error {
  const { code = '' } = error as NodeJS.ErrnoException;
  const meaning = meaningOfErrno[code];
  if (!meaning) return error as Error;
  const [reason, words] = meaning;
  return new Failure(reason, `${doing}: ${words} (${code}).`, { cause: error });
}

/** Opens a TCP connection to one address. @throws {Failure} refused, reset, unreachable, denied, timeout; or the signal's reason */
export function dialTcp(address: Address, port: number, signal: AbortSignal): Promise<Socket> {
  const doing = `Connecting to ${formatEndpoint({ host: address.ip, port })}`;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const socket = connect({ host: address.ip, port, noDelay: true });
    const settle = (error?: Error): void => {
      signal.removeEventListener('abort', onAbort);
      socket.removeListener('connect', onConnect).removeListener('error', onError);
      if (!error) return resolve(socket);
      socket.on('error', () => {}).destroy();
      reject(error);
    };
    const onAbort = (): void => settle(abortError(signal, doing));
    const onConnect = (): void => settle();
    const onError = (error: Error): void => settle(socketFailure(error, doing));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', onConnect).once('error', onError);
  });
}

/** A UDP socket that hears only this peer, and the ICMP errors about it. @throws {Failure} unreachable, denied; or the signal's reason */
export async function dialUdp({ ip, family }: Address, port: number, signal: AbortSignal): Promise<UdpSocket> {
  signal.throwIfAborted();
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  try {
    socket.connect(port, ip);
    await once(socket, 'connect', { signal });
    // An ICMP error that arrives while nobody waits for an answer must not end the process.
    return socket.on('error', () => {});
  } catch (error) {
    socket.close();
    signal.throwIfAborted();
    throw socketFailure(error, `Opening a UDP socket to ${formatEndpoint({ host: ip, port })}`);
  }
}

/** Waits for the next datagram from the peer. @throws {Failure} refused, unreachable, timeout; or the signal's reason */
export async function nextDatagram(socket: UdpSocket, signal: AbortSignal, doing: string): Promise<Buffer> {
  try {
    // A datagram socket's messages are buffers.
    const [datagram] = (await once(socket, 'message', { signal })) as [Buffer];
    return datagram;
  } catch (error) {
    throw signal.aborted ? abortError(signal, doing) : socketFailure(error, doing);
  }
}
