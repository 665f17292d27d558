import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { openSqliteStore } from '../../src/commands/serve/open-store.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

const kills = Number(process.env['WATCHKEEPER_KILLS'] ?? 25);
const committer = new URL('./store-committer.ts', import.meta.url).pathname;

test(`D4: ${kills} times kill -9 while committing and sealing: what was acknowledged is there, once`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-kill-'));
  const acknowledged = new Map<string, number>();
  try {
    for (let kill = 1; kill <= kills; kill++) {
      await commitUntilKilled(folder, acknowledged);
      if (kill % 5 === 0 || kill === kills) await verify(folder, acknowledged);
    }
  } finally {
    await removeFolder(folder);
  }
});

/** Kills after a random number of acknowledgements, and a random moment more. */
async function commitUntilKilled(folder: string, acknowledged: Map<string, number>): Promise<void> {
  const args = ['--disable-warning=ExperimentalWarning', committer, folder];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  let left = 1 + Math.floor(Math.random() * 60);
  for await (const line of createInterface({ input: child.stdout })) {
    const [agent = '', , to] = line.split(' ');
    // The last line may be cut by the kill: then it was not acknowledged for us.
    if (/^agent-\d \d+ \d+$/.test(line)) acknowledged.set(agent, Math.max(acknowledged.get(agent) ?? 0, Number(to)));
    if (--left === 0) setTimeout(() => child.kill('SIGKILL'), Math.random() * 20);
  }
  assert.equal(await exited, 'SIGKILL');
}

async function verify(folder: string, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  await using store = await openSqliteStore({ folder, say: (notice) => assert.fail(JSON.stringify(notice)) });
  assert.deepEqual(await store.verify(), []);
  assert.deepEqual(await store.missing(), []);
  for (const [agent, last] of acknowledged) {
    const [range, ...more] = await store.received(agent, 'epoch');
    assert.ok(
      range && range[0] === 1 && range[1] >= last && more.length === 0,
      `${agent}: ${last} acknowledged, ${JSON.stringify(range)}`,
    );
    const asked = { taskId: `task of ${agent}`, from: 0, to: Infinity, limit: 100_000 };
    const messages = (await store.results(asked)).map(({ message }) => message);
    assert.deepEqual(
      messages,
      Array.from({ length: range[1] }, (_, index) => `${agent} ${index + 1}`),
    );
  }
}
