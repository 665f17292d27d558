import { AF_NETLINK } from './address.ts';
import { checked, libc, SystemError } from './libc.ts';
import { NETLINK_ROUTE } from './netlink.ts';
import { bindSocket, closeSocket, MSG_DONTWAIT, openSocketOf, SOCK_RAW } from './socket.ts';
import { fdEvents, watchFd } from './watch-fd.ts';

// linux/rtnetlink.h: a bit for each group.
const groups = { link: 0x1, neighbour: 0x4, ipv4Address: 0x10, ipv4Route: 0x40, ipv6Address: 0x100, ipv6Route: 0x400 };
const messageBytes = 32 * 1024;
/** Messages read in one turn of the event loop. */
const batch = 500;

/**
 * Calls back when an interface, an address, a route or a neighbour of this network namespace has changed, once for all
 * messages that wait; also when messages were lost. Tells not what changed: read the tables. @throws {SystemError}
 */
export function watchNetwork(onChange: () => void): Disposable {
  const fd = openSocketOf(AF_NETLINK, { kind: SOCK_RAW, protocol: NETLINK_ROUTE });
  try {
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(
      Object.values(groups).reduce((all, group) => all | group, 0),
      8,
    );
    bindSocket(fd, address);
    const stop = watchFd(fd, fdEvents.readable, () => drain(fd) && onChange());
    return {
      [Symbol.dispose]() {
        stop();
        closeSocket(fd);
      },
    };
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}

/** Reads what waits; true if there was anything. */
function drain(fd: number): boolean {
  const message = Buffer.alloc(messageBytes);
  const sender = Buffer.alloc(12);
  const senderBytes = Buffer.alloc(4);
  senderBytes.writeUInt32LE(sender.length);
  for (let count = 0; count < batch; count++)
    try {
      const { recvfrom } = libc();
      checked(recvfrom(fd, message, BigInt(message.length), MSG_DONTWAIT, sender, senderBytes), 'recvfrom');
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (error.code === 'EAGAIN') return count > 0;
      // ENOBUFS: more has changed than there was room for.
      if (error.code !== 'ENOBUFS') throw error;
    }
  return true;
}
