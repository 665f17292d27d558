import { closeSync, openSync } from 'node:fs';
import { checked, libc } from './libc.ts';

const CLONE_NEWNET = 0x4000_0000;

/** Moves this thread into a new, empty network namespace, which ends with it. @throws {SystemError} EPERM without root */
export function enterNewNetwork(): void {
  checked(libc().unshare(CLONE_NEWNET), 'unshare');
}

/** Moves this thread into the network namespace of a file under /proc or /run/netns. @throws {SystemError} */
export function enterNetwork(path: string): void {
  const fd = openSync(path, 'r');
  try {
    checked(libc().setns(fd, CLONE_NEWNET), 'setns');
  } finally {
    closeSync(fd);
  }
}
