import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evidenceContract } from '../evidence.contract.ts';
import { openSqliteStore } from '../../../commands/serve/open-store.ts';
import { removeFolder } from '../../../testing/remove-folder.ts';

evidenceContract('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-evidence-'));
  return {
    open: () => openSqliteStore({ folder }),
    [Symbol.asyncDispose]: () => removeFolder(folder),
  };
});
