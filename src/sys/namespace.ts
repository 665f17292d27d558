import { closeSync, openSync } from 'node:fs';
import { checked, libc } from './libc.ts';

const CLONE_NEWNET = 0x4000_0000;
const ownNamespace = '/proc/thread-self/ns/net';

/** Moves this thread into a new, empty network namespace, which ends with it. @throws {SystemError} EPERM without root */
export function enterNewNetwork(): void {
  checked(libc().unshare(CLONE_NEWNET), 'unshare');
}

/** Moves this thread into the network namespace of a file, and back when disposed. @throws {SystemError} EPERM */
export function enterNetwork(path: string): Disposable {
  const previous = openSync(ownNamespace, 'r');
  const wanted = openSync(path, 'r');
  try {
    checked(libc().setns(wanted, CLONE_NEWNET), 'setns');
  } finally {
    closeSync(wanted);
  }
  return {
    [Symbol.dispose]() {
      checked(libc().setns(previous, CLONE_NEWNET), 'setns');
      closeSync(previous);
    },
  };
}
