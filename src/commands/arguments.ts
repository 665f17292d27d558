import { InvalidArgumentError } from 'commander';
import { parseDuration, type Milliseconds } from '../core/duration.ts';

export function durationArgument(text: string): Milliseconds {
  const durationMs = parseDuration(text);
  if (durationMs === undefined) throw new InvalidArgumentError('Expected a duration, like 10s or 500ms.');
  return durationMs;
}

export function countArgument(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError('Expected a whole number of at least 1.');
}

/** A port to listen on; 0 takes any free one. */
export function portArgument(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('Expected a port from 0 to 65535.');
}
