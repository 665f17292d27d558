import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeContract } from '../store.contract.ts';
import { openSqliteStore } from './sqlite-store.ts';

storeContract('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-store-'));
  return {
    open: () => openSqliteStore({ folder }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
});
