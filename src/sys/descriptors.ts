import { readSmallFile } from './small-file.ts';

/** What POSIX promises at least is lower; this is the usual limit of a shell. */
const usualLimit = 1024;

/** How many files and sockets this process may have open (RLIMIT_NOFILE; proc_pid_limits(5)). */
export function descriptorLimit(): number {
  const limits = readSmallFile('/proc/self/limits', 4096)?.toString() ?? '';
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  return soft === undefined ? usualLimit : Number(soft);
}
