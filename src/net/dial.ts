import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Failure } from '../core/failure.ts';
import type { Address } from '../core/network.ts';
import { formatEndpoint } from '../core/target.ts';
import type { Reason } from '../core/outcome.ts';

const reasonOfErrno: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EACCES: 'denied',
  EPERM: 'denied',
};

/** What a socket's error says about the target; an errno that is not about the network stays an error. */
export function socketFailure(error: unknown, doing: string): Error {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const reason = reasonOfErrno[code];
  return reason ? new Failure(reason, `${doing}: ${code}`, { cause: error }) : (error as Error);
}

/** Opens a TCP connection to one address. @throws {Failure} refused, reset, unreachable, denied; or the signal's reason */
export function dialTcp(address: Address, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const socket = connect({ host: address.ip, port, noDelay: true });
    const settle = (error?: Error): void => {
      signal.removeEventListener('abort', onAbort);
      socket.removeListener('connect', onConnect).removeListener('error', settleWithError);
      if (!error) return resolve(socket);
      socket.on('error', () => {}).destroy();
      reject(error);
    };
    const onAbort = (): void => settle(signal.reason as Error);
    const onConnect = (): void => settle();
    const settleWithError = (error: Error): void =>
      settle(socketFailure(error, `Connecting to ${formatEndpoint({ host: address.ip, port })} failed`));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', onConnect).once('error', settleWithError);
  });
}

/** A UDP socket that hears only this peer, and the ICMP errors about it. */
export async function dialUdp(address: Address, port: number, signal: AbortSignal) {
  const socket = createSocket(address.family === 4 ? 'udp4' : 'udp6');
  try {
    socket.connect(port, address.ip);
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.close();
    signal.throwIfAborted();
    throw socketFailure(error, `Opening a UDP socket to ${formatEndpoint({ host: address.ip, port })} failed`);
  }
}
