import { Failure } from '../../core/failure.ts';
import type { Reason } from '../../core/outcome.ts';

/**
 * Where an error of a socket comes from: a packet that came back (`network`: an answer of the target, an ICMP error), or
 * a system call that failed by itself (`machine`: nothing has left). Linux uses the same errno for both.
 */
export type ErrorOrigin = 'network' | 'machine';

type Meaning = readonly [reason: Reason, words: string];

const noRoute = 'this machine has no route there';
const reset = 'the other side reset the connection';
const noFreePort = 'this machine has no free port for the connection';
const noKey = 'the tunnel or IPsec policy of this machine has no key or peer for this address';
const unsupported = 'this machine does not support that';

/** Errors that came over the network: RST, and ICMP by the kernel's tables (icmp_err_convert, icmpv6_err_convert). */
const ofNetwork: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: ['refused', 'refused, nothing listens there'],
  ENOPROTOOPT: ['refused', 'refused, the host does not speak that protocol'],
  ECONNRESET: ['reset', reset],
  ECONNABORTED: ['reset', reset],
  ENETRESET: ['reset', reset],
  EPIPE: ['reset', 'the other side had closed the connection'],
  ENOTCONN: ['reset', 'the other side had closed the connection'],
  ESHUTDOWN: ['reset', 'the other side had closed the connection'],
  ETIMEDOUT: ['timeout', 'the other side stopped answering'],
  EHOSTUNREACH: ['unreachable', 'the host cannot be reached'],
  EHOSTDOWN: ['unreachable', 'the host is unknown there'],
  ENONET: ['unreachable', 'the host is isolated'],
  ENETUNREACH: ['unreachable', 'its network cannot be reached'],
  EACCES: ['unreachable', 'a firewall or router on the way prohibits it'],
  EOPNOTSUPP: ['unreachable', 'the source route failed'],
  EPROTO: ['unreachable', 'a router or the host could not read the packet (parameter problem)'],
};

/** Errors of this machine: always the agent's, and `unknown`. */
const ofMachine: Readonly<Record<string, Meaning>> = {
  ENETUNREACH: ['unreachable', noRoute],
  EHOSTUNREACH: ['unreachable', noRoute],
  EHOSTDOWN: ['unreachable', noRoute],
  EINVAL: ['unreachable', `${noRoute}; a link-local address needs its zone, as in fe80::1%eth0`],
  ENETDOWN: ['unreachable', 'the network interface of this machine is down'],
  ENODEV: ['unreachable', 'this machine has no such network interface'],
  ENXIO: ['unreachable', 'this machine has no such network interface'],
  EADDRNOTAVAIL: ['unreachable', 'this machine has no address that fits, or no free port'],
  ENOKEY: ['unreachable', noKey],
  EKEYEXPIRED: ['unreachable', noKey],
  EKEYREVOKED: ['unreachable', noKey],
  EKEYREJECTED: ['unreachable', noKey],
  EDESTADDRREQ: ['unreachable', noKey],
  EAFNOSUPPORT: ['unsupported', 'this machine does not speak that IP version'],
  EMSGSIZE: ['unsupported', 'the message is too long for one datagram'],
  EACCES: ['denied', 'this machine does not allow it'],
  EPERM: ['denied', 'this machine does not allow it'],
  EADDRINUSE: ['exhausted', noFreePort],
  EAGAIN: ['exhausted', noFreePort],
  EMFILE: ['exhausted', 'this process has too many files and sockets open (ulimit -n)'],
  ENFILE: ['exhausted', 'this machine has too many files and sockets open (fs.file-max)'],
  ENOBUFS: ['exhausted', 'this machine is out of network buffers'],
  ENOMEM: ['exhausted', 'this machine is out of memory'],
};

/** Only a mistake of ours gives these: a bad descriptor or pointer, a socket used twice. */
const bugs: ReadonlySet<string> = new Set([
  'EBADF',
  'EFAULT',
  'ENOTSOCK',
  'EALREADY',
  'EISCONN',
  'EINPROGRESS',
  'EINTR',
]);

/** Numbers (Linux) of errors that libuv and Node have no name for. */
const unnamed: Readonly<Record<number, string>> = {
  64: 'ENONET',
  108: 'ESHUTDOWN',
  112: 'EHOSTDOWN',
  126: 'ENOKEY',
  127: 'EKEYEXPIRED',
  128: 'EKEYREVOKED',
  129: 'EKEYREJECTED',
};

/** The failure that the error of a socket is for a check. An error that is no system error is a bug, and stays as it is. */
export function socketFailure(error: unknown, doing: string, origin: ErrorOrigin = 'network'): Error {
  const code = errnoName(error);
  if (code === undefined || bugs.has(code)) return error as Error;
  const local = ofMachine[code];
  const remote = origin === 'network' || !local ? ofNetwork[code] : undefined;
  const [reason, words] = remote ?? local ?? ['unsupported', unsupported];
  // Where nothing has left this machine, nothing is known of the target.
  const as = remote ? undefined : ({ status: 'unknown', source: 'agent' } as const);
  return new Failure(reason, `${doing}: ${words} (${code}).`, { cause: error, ...(as && { as }) });
}

/** `ECONNREFUSED`; undefined if it is no error of a system call. */
export function errnoName(error: unknown): string | undefined {
  const { code = '', errno } = error as NodeJS.ErrnoException;
  // Ours carry a name or `errno 126`; libuv calls what it does not know "Unknown system error -126".
  const number = Math.abs(errno ?? Number(/^errno (\d+)$/.exec(code)?.[1] ?? Number.NaN));
  if (unnamed[number] !== undefined) return unnamed[number];
  if (/^E[A-Z0-9]{2,}$/.test(code)) return code;
  return Number.isInteger(number) ? `error ${number}` : undefined;
}
