import { libc } from './libc.ts';

export const CLOCK_REALTIME = 0;
const timespec = Buffer.alloc(16);

// Nanoseconds since 1970 do not fit a double exactly; nanoseconds since this module was loaded do, for 104 days, and
// to 2 ns for a year.
const epochSeconds = Math.floor(Date.now() / 1000);

/** Wall time in nanoseconds, in the clock of the kernel's packet timestamps; only differences have a meaning. */
export function realtimeNs(): number {
  libc().clock_gettime(CLOCK_REALTIME, timespec);
  return timespecNs(timespec, 0);
}

/** The same from a `struct timespec` that the kernel wrote. */
export function timespecNs(bytes: Buffer, offset: number): number {
  // The low half of the seconds is enough until 2106.
  return (bytes.readUInt32LE(offset) - epochSeconds) * 1e9 + bytes.readUInt32LE(offset + 8);
}
