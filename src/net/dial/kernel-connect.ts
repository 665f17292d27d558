import type { Socket } from 'node:net';
import { handshakeMs } from '../../sys/socket.ts';

/**
 * How long connecting took as the kernel measured it: without the time until this process reads the answer, which is
 * milliseconds in a process that has just started. Undefined where the kernel cannot say.
 */
export function kernelConnectMs(socket: Socket): number | undefined {
  const fd = fdOf(socket);
  if (fd === undefined) return undefined;
  try {
    return handshakeMs(fd) || undefined;
  } catch {
    // No FFI, no Linux, or a connection that was reset at once.
    return undefined;
  }
}

/** The descriptor is no part of Node's documented interface, but of every release since 0.x. */
function fdOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as { readonly _handle?: { readonly fd?: number } | null };
  const fd = handle?.fd;
  return fd !== undefined && fd >= 0 ? fd : undefined;
}
