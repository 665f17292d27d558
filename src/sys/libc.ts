import { dlopen, getInt32 } from 'node:ffi';
import { constants } from 'node:os';

const int = 'int32';
const size = 'uint64';

/** Only fixed-arity functions: node:ffi has no variadic calls. */
const signatures = {
  socket: { arguments: [int, int, int], return: int },
  bind: { arguments: [int, 'buffer', 'uint32'], return: int },
  connect: { arguments: [int, 'buffer', 'uint32'], return: int },
  setsockopt: { arguments: [int, int, int, 'buffer', 'uint32'], return: int },
  getsockname: { arguments: [int, 'buffer', 'buffer'], return: int },
  getsockopt: { arguments: [int, int, int, 'buffer', 'buffer'], return: int },
  sendto: { arguments: [int, 'buffer', size, int, 'buffer', 'uint32'], return: 'int64' },
  recvfrom: { arguments: [int, 'buffer', size, int, 'buffer', 'buffer'], return: 'int64' },
  recvmmsg: { arguments: [int, 'buffer', 'uint32', int, 'pointer'], return: int },
  close: { arguments: [int], return: int },
  flock: { arguments: [int, int], return: int },
  // Variadic as well; see syscall.
  ioctl: { arguments: [int, size, size], return: int },
  clock_gettime: { arguments: [int, 'buffer'], return: int },
  inet_pton: { arguments: [int, 'string', 'buffer'], return: int },
  inet_ntop: { arguments: [int, 'buffer', 'buffer', 'uint32'], return: 'pointer' },
  if_nametoindex: { arguments: ['string'], return: 'uint32' },
  unshare: { arguments: [int], return: int },
  setns: { arguments: [int, int], return: int },
  mmap: { arguments: ['pointer', size, int, int, int, 'int64'], return: 'pointer' },
  munmap: { arguments: ['pointer', size], return: int },
  // Variadic, but on x64 and arm64 Linux it takes whole numbers and addresses in the registers of a fixed arity. For bpf(2).
  syscall: { arguments: ['int64', 'int64', 'buffer', 'int64'], return: 'int64' },
  __errno_location: { arguments: [], return: 'pointer' },
} as const;

function load() {
  const { functions } = dlopen(null, signatures);
  // The address of errno is fixed for a thread, and each thread loads this module for itself.
  return { ...functions, errno: functions.__errno_location() };
}

let loaded: ReturnType<typeof load> | undefined;

/** The C library, loaded at the first use. @throws {Error} where a function is missing: not Linux, or FFI not permitted */
export function libc(): ReturnType<typeof load> {
  return (loaded ??= load());
}

// EAGAIN and EWOULDBLOCK are one number; of two names Node uses the first, and so do we.
const errnoNames = new Map(
  Object.entries(constants.errno)
    .map(([name, errno]) => [errno, name] as const)
    .toReversed(),
);

/** A system call that failed; `code` is the name of its errno, as in Node's own errors. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly code: string;
  readonly syscall: string;

  constructor(code: string, syscall: string) {
    super(`${syscall}: ${code}`);
    this.code = code;
    this.syscall = syscall;
  }
}

/** The result of a system call, unless it failed. @throws {SystemError} */
export function checked(result: number | bigint, syscall: string): number {
  if (result >= 0) return Number(result);
  // Nothing may run between the call and this line: the next call overwrites errno.
  const errno = getInt32(libc().errno);
  throw new SystemError(errnoNames.get(errno) ?? `errno ${errno}`, syscall);
}
