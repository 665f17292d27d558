import type { ClassOfData } from '../../core/record.ts';
import type { EvidenceDisk, EvidenceFile } from './evidence-disk.ts';
import { linesFiles, textName } from './evidence-files.ts';

const dayMs = 24 * 3600_000;
/** The server keeps the records; this is how long they also stay on the machine. */
const keptMs: Readonly<Record<ClassOfData, number>> = { devices: 180 * dayMs, traffic: 30 * dayMs };
/** Limit for one sensor, lines and texts together. */
const maxBytes = 256 * 1024 * 1024;

export interface RetentionOptions {
  readonly classOfData: ClassOfData;
  /** Epoch milliseconds. */
  readonly now: number;
  /** The file that is being written; it is never deleted. */
  readonly current: string | undefined;
}

/**
 * Files that may be deleted, with their texts: whole files, oldest first, that are older than their class of data
 * allows or exceed the size limit. The first line that stays still names the hash of the one before it.
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

/** Deletes files of lines and their texts. Rejects with the disk's error. */
export async function deleteFiles(disk: EvidenceDisk, names: readonly string[]): Promise<void> {
  const present = new Set((await disk.list()).map(({ name }) => name));
  for (const name of names) {
    const text = textName(name);
    // The text first: nobody would find a text whose lines are gone.
    if (present.has(text)) await disk.remove(text);
    await disk.remove(name);
  }
}
