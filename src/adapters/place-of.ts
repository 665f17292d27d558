import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from '../core/place.ts';

/** The place of a folder whose lock is held. */
export function placeOf(folder: string): Place {
  const { ino, birthtimeNs } = statSync(join(folder, 'lock'), { bigint: true });
  return { machineId: machineId(), lock: `${ino}-${birthtimeNs}` };
}

function machineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim();
  } catch {
    return '';
  }
}
