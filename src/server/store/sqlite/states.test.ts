import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../../commands/serve/open-store.ts';
import { removeFolder } from '../../../testing/remove-folder.ts';
import { outboxContract } from '../outbox.contract.ts';
import { statesContract } from '../states.contract.ts';

async function makeFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-states-'));
  return { folder, [Symbol.asyncDispose]: () => removeFolder(folder) };
}

statesContract('SQLite', async () => {
  const { folder, [Symbol.asyncDispose]: dispose } = await makeFolder();
  return { open: () => openSqliteStore({ folder }), [Symbol.asyncDispose]: dispose };
});

outboxContract('SQLite', async () => {
  const { folder, [Symbol.asyncDispose]: dispose } = await makeFolder();
  const store = await openSqliteStore({ folder });
  return {
    outbox: store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await dispose();
    },
  };
});
