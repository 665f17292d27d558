import type { ClassOfData } from '../../core/record.ts';
import type { EvidenceDisk, EvidenceFile } from './evidence-disk.ts';
import { linesFiles, textName } from './evidence-files.ts';

const dayMs = 24 * 3600_000;
/** The server has the records; here they stay for whoever looks at the machine itself. */
const keptMs: Readonly<Record<ClassOfData, number>> = { devices: 180 * dayMs, traffic: 30 * dayMs };
/** Of one sensor, lines and texts. */
const maxBytes = 256 * 1024 * 1024;

export interface RetentionOptions {
  readonly classOfData: ClassOfData;
  /** Epoch milliseconds. */
  readonly now: number;
  /** The file that is being written: it stays. */
  readonly current: string | undefined;
}

/**
 * The lines of these files may go, with the texts beside them: whole files, oldest first, that are older than their class of data
 * may be, or too much. The first line that stays still names the hash of the one before it.
 */
export function oldFiles(
  all: readonly EvidenceFile[],
  { classOfData, now, current }: RetentionOptions,
): readonly string[] {
  const sizes = new Map(all.map(({ name, bytes }) => [name, bytes]));
  let total = all.reduce((sum, { bytes }) => sum + bytes, 0);
  const old: string[] = [];
  for (const { name, bytes, changedAt } of linesFiles(all)) {
    const isOld = changedAt < now - keptMs[classOfData];
    if (name === current || !(isOld || total > maxBytes)) break;
    old.push(name);
    total -= bytes + (sizes.get(textName(name)) ?? 0);
  }
  return old;
}

/** Deletes files of lines and their texts. Rejects with what the disk says. */
export async function deleteFiles(disk: EvidenceDisk, names: readonly string[]): Promise<void> {
  const present = new Set((await disk.list()).map(({ name }) => name));
  for (const name of names) {
    const text = textName(name);
    // The text first: a text without its lines would never be looked at again.
    if (present.has(text)) await disk.remove(text);
    await disk.remove(name);
  }
}
