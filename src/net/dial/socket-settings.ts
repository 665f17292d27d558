import { isIP } from 'node:net';
import type { Address, Family, SocketSettings } from '../../core/network.ts';
import { encodeAddress } from '../../sys/address.ts';
import {
  bindSocket,
  closeSocket,
  IPPROTO_TCP,
  IPPROTO_UDP,
  ipOptions,
  openSocket,
  setOption,
  SOCK_DGRAM,
  SOCK_STREAM,
  socketOptions,
} from '../../sys/socket.ts';

const kinds = { tcp: SOCK_STREAM, udp: SOCK_DGRAM } as const;
const protocols = { tcp: IPPROTO_TCP, udp: IPPROTO_UDP } as const;

interface Wanted extends SocketSettings {
  readonly protocol: keyof typeof kinds;
  /** Hear every ICMP error about what the socket sends, and who sent it. */
  readonly receiveErrors?: boolean;
}

/** An unconnected socket with settings that Node does not know. Whoever asks closes it. @throws {SystemError} */
export function openSocketWith({ family }: Address, { protocol, source, dscp, receiveErrors = false }: Wanted): number {
  const fd = openSocket({ family, kind: kinds[protocol], protocol: protocols[protocol] });
  try {
    if (receiveErrors) setOption(fd, ipOptions[family].receiveErrors, 1);
    const ip = applySettings(fd, family, { source, dscp });
    if (ip !== undefined) bindSocket(fd, encodeAddress({ ip, family }));
    return fd;
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}

/** Applies the settings of a socket that is not bound yet; returns the address to bind it to, if any. @throws {SystemError} */
export function applySettings(fd: number, family: Family, { source, dscp }: SocketSettings): string | undefined {
  // DSCP is the upper six bits of the byte.
  if (dscp !== undefined) setOption(fd, ipOptions[family].trafficClass, dscp << 2);
  if (source === undefined || isIP(source) !== 0) return source;
  setOption(fd, socketOptions.bindToDevice, Buffer.from(`${source}\0`));
  return undefined;
}
