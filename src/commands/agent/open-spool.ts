import { startThread } from '../../adapters/worker-thread.ts';
import type { SpoolHistory, SpoolReply, SpoolRequest, SpoolSizes } from '../../agent/spool/messages.ts';
import { defaultSpoolSizes, spoolOver, type Spool, type SpoolOptions } from '../../agent/spool/spool.ts';
import { threadFile } from '../installation.ts';

export interface SpoolThreadData extends SpoolSizes, SpoolHistory {
  readonly folder: string;
}

/** Opens the spool in a folder of its own, which is made if it is absent; only one process may have it open. Rejects with `unavailable`, saying why. */
export async function openSpool(folder: string, options: SpoolOptions = {}): Promise<Spool> {
  const { limitBytes, memoryBytes, renewal, isUsed = false } = { ...defaultSpoolSizes, ...options };
  const workerData: SpoolThreadData = { folder, limitBytes, memoryBytes, renewal, isUsed };
  const file = threadFile('spool-thread', import.meta.url);
  return await spoolOver(startThread<SpoolRequest, SpoolReply>(file, { workerData }), options);
}
