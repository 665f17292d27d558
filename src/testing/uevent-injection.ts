import { AF_NETLINK } from '../sys/address.ts';
import { SOCK_RAW, closeSocket, openSocketOf, sendTo } from '../sys/socket.ts';

/** Variables of an event: `ACTION`, `DEVPATH`, `SUBSYSTEM`, … */
export type Uevent = Readonly<Record<string, string>>;

const NETLINK_KOBJECT_UEVENT = 15;
const NLM_F_REQUEST = 1;
/** Types below are the protocol's own; the kernel takes any other as a uevent. */
const NLMSG_MIN_TYPE = 16;

/**
 * Lets the kernel itself say these events to all that listen in this network namespace. Only for a process in user and
 * network namespaces of its own: elsewhere real programs would listen. @throws {SystemError} EPERM without the right
 */
export function injectUevents(events: readonly Uevent[]): void {
  using socket = openNetlink();
  for (const event of events) {
    const body = messageOf(event);
    const header = Buffer.alloc(16);
    header.writeUInt32LE(header.length + body.length, 0);
    header.writeUInt16LE(NLMSG_MIN_TYPE, 4);
    header.writeUInt16LE(NLM_F_REQUEST, 6);
    sendTo(socket.fd, Buffer.concat([header, body]), netlinkAddress(0, 0));
  }
}

/** Says an event to all that listen to the kernel, as any process may that has the right to multicast; it is not the kernel. */
export function forgeUevent(event: Uevent): void {
  using socket = openNetlink();
  sendTo(socket.fd, messageOf(event), netlinkAddress(0, 1));
}

function messageOf(event: Uevent): Buffer {
  const lines = Object.entries(event).map(([name, value]) => `${name}=${value}`);
  return Buffer.from(`${[`${event['ACTION']}@${event['DEVPATH']}`, ...lines].join('\0')}\0`);
}

function openNetlink(): Disposable & { readonly fd: number } {
  const fd = openSocketOf(AF_NETLINK, { kind: SOCK_RAW, protocol: NETLINK_KOBJECT_UEVENT });
  return { fd, [Symbol.dispose]: () => closeSocket(fd) };
}

/** `struct sockaddr_nl`. */
function netlinkAddress(port: number, groups: number): Buffer {
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(port, 4);
  address.writeUInt32LE(groups, 8);
  return address;
}
