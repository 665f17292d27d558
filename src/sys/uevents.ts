import { closeSync, fstatSync, openSync } from 'node:fs';
import { AF_NETLINK } from './address.ts';
import { checked, libc, SystemError } from './libc.ts';
import { bindSocket, closeSocket, MSG_DONTWAIT, openSocketOf, setOption, SOCK_DGRAM, socketOptions } from './socket.ts';
import { fdEvents, watchFd } from './watch-fd.ts';

const NETLINK_KOBJECT_UEVENT = 15;
/** The multicast group in which the kernel speaks; in group 2 udevd does. */
const kernelGroup = 1;
const MSG_TRUNC = 0x20;

/** `struct sockaddr_nl`, netlink(7). */
const addressBytes = 12;
/** The kernel's own limit is 2 KiB of variables and a path before them. */
const messageBytes = 16_384;
/** The kernel's default of 208 KiB held 258 messages of a burst of 502. */
const receiveBufferBytes = 4 * 1024 * 1024;
/** Messages read in one turn of the event loop, so that a storm does not hold up everything else. */
const batch = 500;

/**
 * Callbacks of a uevent socket; none may throw. A gap in the variable SEQNUM is no loss: it counts the events
 * of all namespaces, also those that are not for us.
 */
export interface UeventReceiver {
  /** Of the kernel. The bytes are valid during the call only. */
  onMessage(message: Buffer): void;
  /** Messages were lost for lack of room; everything received has been handed over. */
  onLost(): void;
  /** A message did not come from the kernel; any process can send one. */
  onForged(): void;
}

/** Hears what the kernel says of devices that come and go, until disposed. Needs no privilege. @throws {SystemError} */
export function receiveUevents(receiver: UeventReceiver): Disposable {
  const fd = openSocketOf(AF_NETLINK, { kind: SOCK_DGRAM, protocol: NETLINK_KOBJECT_UEVENT });
  try {
    enlargeReceiveBuffer(fd);
    const address = Buffer.alloc(addressBytes);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(kernelGroup, 8);
    bindSocket(fd, address);
    const stopWatching = watchFd(fd, fdEvents.readable, reading(fd, receiver));
    return {
      [Symbol.dispose]() {
        stopWatching();
        closeSocket(fd);
      },
    };
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}

function enlargeReceiveBuffer(fd: number): void {
  try {
    setOption(fd, socketOptions.receiveBufferForced, receiveBufferBytes);
  } catch {
    // Without CAP_NET_ADMIN it gets as much as net.core.rmem_max allows.
    setOption(fd, socketOptions.receiveBuffer, receiveBufferBytes);
  }
}

/** The function that reads what waits. */
function reading(fd: number, receiver: UeventReceiver): () => void {
  const message = Buffer.alloc(messageBytes);
  const sender = Buffer.alloc(addressBytes);
  let isLost = false;
  return () => {
    for (let count = 0; count < batch; count++) {
      const length = receive(fd, message, sender);
      if (length === 'nothing') {
        // The kernel reports ENOBUFS once and goes on dropping until everything has been read: only a scan made now
        // finds everything that was dropped.
        if (isLost) receiver.onLost();
        isLost = false;
        return;
      }
      if (length === 'lost' || length > messageBytes) isLost = true;
      // netlink(7): messages of the kernel come from port 0, which no process can have.
      else if (sender.readUInt32LE(4) !== 0) receiver.onForged();
      else receiver.onMessage(message.subarray(0, length));
    }
  };
}

/** Full length of the next message, even if it was cut. */
function receive(fd: number, message: Buffer, sender: Buffer): number | 'nothing' | 'lost' {
  const senderLength = Buffer.alloc(4);
  senderLength.writeUInt32LE(addressBytes);
  const { recvfrom } = libc();
  const result = recvfrom(fd, message, BigInt(messageBytes), MSG_TRUNC | MSG_DONTWAIT, sender, senderLength);
  try {
    return checked(result, 'recvfrom');
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.code === 'EAGAIN') return 'nothing';
    if (error.code === 'ENOBUFS' || error.code === 'ENOMEM') return 'lost';
    throw error;
  }
}

/** x64 and arm64 agree on it: linux/nsfs.h, the user namespace that owns a namespace. */
const NS_GET_USERNS = 0xb701n;
/** The inode of the first user namespace, the same on every machine: linux/proc_ns.h. */
const initialUserNamespace = 0xefff_fffd;

/** True if the kernel sends device events to this network namespace; it does not if a container with its own users owns it. */
export function hearsOfDevices(): boolean {
  const network = openSync('/proc/thread-self/ns/net', 'r');
  try {
    const owner = checked(libc().ioctl(network, NS_GET_USERNS, 0n), 'ioctl');
    const { ino } = fstatSync(owner);
    closeSync(owner);
    return ino === initialUserNamespace;
  } catch (error) {
    // EPERM: the owner is outside of this container, so the network is the one of the machine.
    if (error instanceof SystemError) return error.code === 'EPERM';
    throw error;
  } finally {
    closeSync(network);
  }
}
