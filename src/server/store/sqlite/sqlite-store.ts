import { AppError } from '../../../core/errors.ts';
import type { Batch, Committed, Store } from '../store.ts';
import { buffersOf, memoryOf, packBatch } from './batch.ts';
import type { Notice } from './database.ts';
import { reads, writes, type Read, type Write } from './messages.ts';
import { ThreadCalls, type StoreThread } from './thread.ts';

export type { Notice } from './database.ts';

export interface SqliteOptions {
  /** Hears what a person should know: a damaged file put aside, a migration, a lock that is waited for. */
  readonly say?: (notice: Notice) => void;
  /** How much may wait for the disk before commits are refused. */
  readonly maxWaitingBytes?: number;
}

export type StartThread = (service: 'writer' | 'reader') => StoreThread;

const defaultMaxWaitingBytes = 64 * 2 ** 20;

/** The store over a thread that writes and one that reads, which this starts. Rejects with an AppError if they cannot open. */
export async function storeOver(start: StartThread, options: SqliteOptions = {}): Promise<Store> {
  const { say = () => {}, maxWaitingBytes = defaultMaxWaitingBytes } = options;
  const sayOnce = eachHourOnce(say);
  // The writer first: it makes the file, or brings it up to date.
  const writer = await ThreadCalls.open(start('writer'), sayOnce);
  const reader = await ThreadCalls.open(start('reader'), sayOnce).catch(async (error) => {
    await writer.close();
    throw error;
  });

  const commit = async (batch: Batch): Promise<Committed> => {
    const packed = packBatch(batch);
    const bytes = memoryOf(packed);
    if (writer.waitingBytes > 0 && writer.waitingBytes + bytes > maxWaitingBytes) {
      const waiting = `${Math.round(writer.waitingBytes / 2 ** 20)} MiB wait for the disk`;
      throw new AppError(
        'unavailable',
        `${waiting}, and no more than ${maxWaitingBytes / 2 ** 20} may: try again later.`,
      );
    }
    // As WriterOperations declares it.
    return writer.ask('commit', [packed], { transfer: buffersOf(packed), bytes }) as Promise<Committed>;
  };
  const methods = [
    ...writes.map((method) => [method, (...args: readonly unknown[]) => writer.ask(method, args)]),
    ...reads.map((method) => [method, (...args: readonly unknown[]) => reader.ask(method, args)]),
  ];
  return {
    commit,
    // Each method of the two lists has the signature that Operations gives it in its thread.
    ...(Object.fromEntries(methods) as Pick<Store, Write | Read>),
    async [Symbol.asyncDispose]() {
      // The writer last: it then folds the write-ahead log into the file.
      await reader.close();
      await writer.close();
    },
  };
}

/** Both threads may come upon the same damage. */
function eachHourOnce(say: (notice: Notice) => void): (notice: Notice) => void {
  const said = new Set<string>();
  return (notice) => {
    if (notice.event === 'damaged-hour' || notice.event === 'unsealable-hour') {
      const hour = `${notice.taskId} ${notice.from}`;
      if (said.has(hour)) return;
      said.add(hour);
    }
    say(notice);
  };
}
