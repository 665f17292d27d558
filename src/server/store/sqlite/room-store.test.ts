import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { roomsContract } from '../rooms.contract.ts';
import { openSqliteStore } from '../../../commands/serve/open-store.ts';

roomsContract('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-rooms-'));
  return {
    open: () => openSqliteStore({ folder }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, maxRetries: 10 }),
  };
});
