import type { Verdict } from '../message.ts';
import type { Source, Status } from '../outcome.ts';

/** What one fresh voice says, and whose fault its last failing run was. */
export interface Witness {
  readonly state: Status;
  readonly source?: Source | undefined;
}

/**
 * Who is wrong. Where some see a failure and others do not, or all who see one were stopped on the way, it is the path. Without a
 * voice it is those who watch.
 */
export function verdictOf(witnesses: readonly Witness[]): Verdict {
  const fresh = witnesses.filter(({ state }) => state !== 'unknown');
  if (fresh.length === 0) return 'observer';
  const failing = fresh.filter(({ state }) => state !== 'up');
  if (failing.length < fresh.length) return 'path';
  return failing.every(({ source }) => source === 'path') ? 'path' : 'target';
}
