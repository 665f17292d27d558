import { closeSync, openSync, readSync } from 'node:fs';

/** The start of a file of /proc or /sys, at most so many bytes; undefined if there is none, or if it went while it was read. */
export function readSmallFile(path: string, maxBytes: number): Buffer | undefined {
  let fd;
  try {
    fd = openSync(path, 'r');
    return readStart(fd, maxBytes);
  } catch {
    // A device that is being unplugged answers with ENOENT, ENODEV, EIO and others: all say that there is nothing to read.
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** From the beginning to the end, or to `maxBytes`; such files hand over a page at a time. */
export function readStart(fd: number, maxBytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let length = 0; length < maxBytes;) {
    const part = Buffer.alloc(Math.min(64 * 1024, maxBytes - length));
    const got = readSync(fd, part, 0, part.length, length);
    if (got === 0) break;
    parts.push(part.subarray(0, got));
    length += got;
  }
  return Buffer.concat(parts);
}
