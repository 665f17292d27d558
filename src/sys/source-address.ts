import { decodeAddress, encodeAddress } from './address.ts';
import { SystemError } from './libc.ts';
import { closeSocket, connectSocket, IPPROTO_UDP, localAddress, openSocket, SOCK_DGRAM } from './socket.ts';

/** Nothing is sent; the kernel wants some port. */
const discardPort = 9;

/** The address from which the kernel would send to this one; undefined if it has no route. @throws {Error} without FFI */
export function sourceAddressOf(destination: { readonly ip: string; readonly family: 4 | 6 }): string | undefined {
  try {
    const to = encodeAddress({ ...destination, port: discardPort });
    const fd = openSocket({ family: destination.family, kind: SOCK_DGRAM, protocol: IPPROTO_UDP });
    try {
      connectSocket(fd, to);
      return decodeAddress(localAddress(fd));
    } finally {
      closeSocket(fd);
    }
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}
