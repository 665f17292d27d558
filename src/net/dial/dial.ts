import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { Socket, type SocketConstructorOpts } from 'node:net';
import { abortError, isDeadline } from '../../core/failure.ts';
import type { Address, SocketSettings } from '../../core/network.ts';
import { formatEndpoint } from '../../core/target.ts';
import { missingWayFailure } from './missing-way.ts';
import { errnoName, socketFailure, type ErrorOrigin } from './socket-failure.ts';
import { openSocketWith } from './socket-settings.ts';

export interface Dial extends SocketSettings {
  readonly port: number;
  readonly signal: AbortSignal;
}

/** Opens a TCP connection to one address. @throws {Failure} refused, reset, unreachable, denied, timeout; or the signal's reason */
export function dialTcp(address: Address, { port, signal, ...settings }: Dial): Promise<Socket> {
  const doing = `Connecting to ${formatEndpoint({ host: address.ip, port })}`;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const socket = unconnected(address, settings, doing).connect({ host: address.ip, port });
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
    const onAbort = (): void => settle(silenceFailure(address, signal, doing));
    const onConnect = (): void => settle();
    const onError = (error: Error): void => settle(connectFailure(address, error, { doing, origin }));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', onConnect).once('error', onError);
  });
}

function hasSettings({ source, dscp }: SocketSettings): boolean {
  return source !== undefined || dscp !== undefined;
}

/** @throws {Failure} */
function unconnected(address: Address, settings: SocketSettings, doing: string): Socket {
  if (!hasSettings(settings)) return new Socket({ noDelay: true });
  try {
    const fd = openSocketWith(address, { protocol: 'tcp', ...settings });
    // Node would begin to read at once, before it is connected.
    const unread: SocketConstructorOpts & { manualStart: true } = {
      fd,
      noDelay: true,
      readable: true,
      writable: true,
      manualStart: true,
    };
    return new Socket(unread);
  } catch (error) {
    throw socketFailure(error, doing, 'machine');
  }
}

/** "Host unreachable" is said by a router, or by this machine when the next station does not answer. */
function connectFailure(
  address: Address,
  error: Error,
  { doing, origin }: { doing: string; origin: ErrorOrigin },
): Error {
  const isFromNearby = origin === 'network' && errnoName(error) === 'EHOSTUNREACH';
  return (isFromNearby && missingWayFailure(address, { doing, cause: error })) || socketFailure(error, doing, origin);
}

/** If this machine could not reach the next station, the silence is not the target's. */
function silenceFailure(address: Address, signal: AbortSignal, doing: string): Error {
  const missing = isDeadline(signal.reason) ? missingWayFailure(address, { doing, cause: signal.reason }) : undefined;
  return missing?.source === 'agent' ? missing : abortError(signal, doing);
}

interface UdpDial extends Dial {
  /** An unconnected socket to use; it is closed with the one that is returned, or on failure. */
  readonly fd?: number | undefined;
}

/** A UDP socket that hears only this peer, and the ICMP errors about it. @throws {Failure} unreachable, denied; or the signal's reason */
export async function dialUdp({ ip, family }: Address, { port, signal, ...settings }: UdpDial): Promise<UdpSocket> {
  signal.throwIfAborted();
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  try {
    const fd =
      settings.fd ??
      (hasSettings(settings) ? openSocketWith({ ip, family }, { protocol: 'udp', ...settings }) : undefined);
    if (fd !== undefined) socket.bind({ fd });
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
