import type { ClassOfData } from '../../core/record.ts';
import { isDiskError, type EvidenceDisk } from './evidence-disk.ts';
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
 * Deletes whole files, oldest first: what is older than its class of data may be, and what is too much. The first line that stays
 * still names the hash of the one before it. Resolves to the names of those that are gone; what the disk refuses to delete is deleted next time.
 */
export async function deleteOldFiles(
  disk: EvidenceDisk,
  { classOfData, now, current }: RetentionOptions,
): Promise<readonly string[]> {
  const deleted: string[] = [];
  try {
    const all = await disk.list();
    const sizes = new Map(all.map(({ name, bytes }) => [name, bytes]));
    let total = all.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { name, bytes, changedAt } of linesFiles(all)) {
      const isOld = changedAt < now - keptMs[classOfData];
      if (name === current || !(isOld || total > maxBytes)) break;
      const text = textName(name);
      // The text first: a text without its lines would never be looked at again.
      if (sizes.has(text)) await disk.remove(text);
      await disk.remove(name);
      deleted.push(name);
      total -= bytes + (sizes.get(text) ?? 0);
    }
  } catch (error) {
    if (!isDiskError(error)) throw error;
  }
  return deleted;
}
