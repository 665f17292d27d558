import { decodeAddress, encodeAddress } from './address.ts';
import { checked, libc, SystemError } from './libc.ts';
import { closeSocket, openSocket, SOCK_DGRAM } from './socket.ts';

const udpProtocol = 17;
/** Nothing is sent; the kernel wants some port. */
const discardPort = 9;

/** The address from which the kernel would send to this one; undefined if it has no route. @throws {Error} without FFI */
export function sourceAddressOf(destination: { readonly ip: string; readonly family: 4 | 6 }): string | undefined {
  const { connect, getsockname } = libc();
  try {
    const to = encodeAddress({ ...destination, port: discardPort });
    const fd = openSocket({ family: destination.family, kind: SOCK_DGRAM, protocol: udpProtocol });
    try {
      checked(connect(fd, to, to.length), 'connect');
      const name = Buffer.alloc(to.length);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(name.length);
      checked(getsockname(fd, name, length), 'getsockname');
      return decodeAddress(name);
    } finally {
      closeSocket(fd);
    }
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}
