import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { abortError } from '../../core/failure.ts';
import type { Address } from '../../core/network.ts';
import { formatEndpoint } from '../../core/target.ts';
import { socketFailure, type ErrorOrigin } from './socket-failure.ts';

/** Opens a TCP connection to one address. @throws {Failure} refused, reset, unreachable, denied, timeout; or the signal's reason */
export function dialTcp(address: Address, port: number, signal: AbortSignal): Promise<Socket> {
  const doing = `Connecting to ${formatEndpoint({ host: address.ip, port })}`;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const socket = connect({ host: address.ip, port, noDelay: true });
    let origin: ErrorOrigin = 'network';
    // Node calls connect(2) in the next tick, before this one. An error by then is of the call itself, no packet's.
    process.nextTick(() => {
      if (socket.errored) origin = 'machine';
    });
    const settle = (error?: Error): void => {
      signal.removeEventListener('abort', onAbort);
      socket.removeListener('connect', onConnect).removeListener('error', onError);
      if (!error) return resolve(socket);
      socket.on('error', () => {}).destroy();
      reject(error);
    };
    const onAbort = (): void => settle(abortError(signal, doing));
    const onConnect = (): void => settle();
    const onError = (error: Error): void => settle(socketFailure(error, doing, origin));
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
    throw socketFailure(error, `Opening a UDP socket to ${formatEndpoint({ host: ip, port })}`, 'machine');
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
