import { startThread } from '../../adapters/worker-thread.ts';
import type { Reply, Request } from '../../server/store/sqlite/messages.ts';
import { storeOver, type SqliteOptions } from '../../server/store/sqlite/sqlite-store.ts';
import type { Store } from '../../server/store/store.ts';
import { threadFile } from '../installation.ts';

/** What a thread of the store is told at its start. */
export interface StoreThreadData {
  readonly folder: string;
  readonly service: 'writer' | 'reader';
}

export interface StoreOptions extends SqliteOptions {
  /** Made if it is not there; holds `watchkeeper.db` and what belongs to it. */
  readonly folder: string;
}

/** Objects of a thread are short-lived; a larger nursery would only keep garbage longer. */
const resourceLimits = { maxYoungGenerationSizeMb: 16 };

/** The store in one file, written by one thread and read by another. Rejects with an AppError if the file cannot be used. */
export async function openSqliteStore({ folder, ...options }: StoreOptions): Promise<Store> {
  const file = threadFile('store-thread', import.meta.url);
  return await storeOver((service) => {
    const workerData: StoreThreadData = { folder, service };
    return startThread<Request, Reply>(file, { workerData, resourceLimits });
  }, options);
}
