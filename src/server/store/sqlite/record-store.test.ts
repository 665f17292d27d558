import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evidenceContract } from '../evidence.contract.ts';
import { openSqliteStore } from '../../../commands/serve/open-store.ts';

evidenceContract('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-evidence-'));
  return {
    open: () => openSqliteStore({ folder }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
});
