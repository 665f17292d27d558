import assert from 'node:assert/strict';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import type { Store } from '../store.ts';
import { dayMs, hourMs } from '../summary.ts';
import { migrations } from './schema.ts';
import { openSqliteStore } from '../../../commands/serve/open-store.ts';
import type { Notice } from './sqlite-store.ts';
import { removeFolder } from '../../../testing/remove-folder.ts';

/**
 * `0.1.0.sql` is a dump of a database that version 0.1.0 (schema 3) wrote: sealed, late and open hours, two epochs, a gap, a hole,
 * a raised horizon, a revoked namesake, a paused monitor, a chain with an alarm. `0.1.0.json` is what 0.1.0 itself answered.
 */
const fixture = (name: string): Promise<string> =>
  readFile(new URL(`./fixtures/0.1.0.${name}`, import.meta.url), 'utf8');

const start = Date.UTC(2026, 9, 1, 8);
const agentId = '01998a00-0000-7000-8000-00000000000a';
const epoch = (name: 'e1' | 'e2'): string => `01998a00-0000-7000-8000-0000000000${name}`;
const all = { from: 0, to: start + 365 * dayMs, limit: 100_000 };

async function openOld(): Promise<AsyncDisposable & { readonly store: Store; readonly heard: readonly Notice[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-migrate-'));
  const db = new DatabaseSync(join(folder, 'watchkeeper.db'));
  db.exec(await fixture('sql'));
  db.close();
  const heard: Notice[] = [];
  const store = await openSqliteStore({ folder, say: (notice) => heard.push(notice) });
  return {
    store,
    heard,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await removeFolder(folder);
    },
  };
}

/** The questions that 0.1.0 was asked. */
async function answersOf(store: Store): Promise<unknown> {
  const tasks = await store.tasks();
  const [first = '', second = ''] = tasks.map(({ id }) => id);
  const answers = {
    agents: await store.agents(),
    monitors: await store.monitors(),
    paused: await store.paused(),
    tasks,
    latest: await store.latest(),
    missing: await store.missing(),
    gaps: await store.gaps(agentId),
    // Of an epoch that was left, a number beyond all is told too, which 0.1.0 did not.
    received: [(await store.received(agentId, epoch('e1'))).slice(0, -1), await store.received(agentId, epoch('e2'))],
    results: [await store.results({ taskId: first, ...all }), await store.results({ taskId: second, ...all })],
    hours: await store.summaries({ taskId: first, ...all, resolution: 'hour' }),
    days: await store.summaries({ taskId: second, ...all, resolution: 'day' }),
    chains: await store.chains(),
    records: await store.records(all),
    alarms: await store.alarms({ limit: 100 }),
  };
  // As the fixture is written.
  return JSON.parse(JSON.stringify(answers, (_, value: unknown) => (value instanceof Map ? [...value] : value)));
}

function lengthsIn(answers: unknown): readonly unknown[] {
  const lists = Object.entries(answers as Record<string, readonly unknown[]>);
  return lists.map(([name, list]) => [name, list.length, list.map((each) => Array.isArray(each) && each.length)]);
}

describe('a store that 0.1.0 wrote', () => {
  test('answers as 0.1.0 did', async () => {
    await using old = await openOld();
    assert.deepEqual(old.heard, [{ event: 'migrated', from: 3, to: migrations.length }]);
    const answers = await answersOf(old.store);
    const expected: unknown = JSON.parse(await fixture('json'));
    // Partial: an answer may have more fields than 0.1.0 knew. A list may not be longer, so lengths are compared as well.
    assert.partialDeepStrictEqual(answers, expected);
    assert.deepEqual(lengthsIn(answers), lengthsIn(expected));
    assert.deepEqual(await old.store.verify(), []);
  });

  test('goes on where it was: no number is taken twice, hours are sealed, and what was dropped stays away', async () => {
    await using old = await openOld();
    const { store } = old;
    const [task] = await store.tasks();
    assert.ok(task);
    const { id: taskId, monitorId } = task;
    const before = await store.results({ taskId, ...all });
    const outcome = { status: 'up', metrics: {}, detail: {}, message: 'Open.' } as const;
    const entryAt = (seq: number, scheduledAt: number) => ({
      seq,
      item: {
        kind: 'result' as const,
        taskId,
        monitorId,
        scheduledAt,
        startedAt: scheduledAt,
        durationMs: 1,
        ...outcome,
      },
    });
    const entries = [
      entryAt(1, start),
      entryAt(122, start + 3 * hourMs),
      entryAt(125, start + 3 * hourMs + 60_000),
      entryAt(126, start - 20 * dayMs),
    ];
    const { added, tooOld } = await store.commit({ agentId, epoch: epoch('e1'), entries });
    assert.deepEqual(
      [added, tooOld],
      [
        [
          [122, 122],
          [125, 125],
        ],
        [[126, 126]],
      ],
    );
    assert.deepEqual(await store.missing(), [{ agentId, epoch: epoch('e1'), ranges: [[123, 123]] }]);
    const at = start - 5 * dayMs;
    await store.retain({ decidedAt: start, resultsBefore: at, hoursBefore: at, daysBefore: at, monitorIds: [] });
    assert.equal((await store.measured()).length, 2, 'both have summaries of days');
    assert.ok((await store.seal(start + dayMs)) > 0);
    const after = await store.results({ taskId, ...all });
    assert.deepEqual(
      after.map(({ scheduledAt }) => scheduledAt),
      [...before.map(({ scheduledAt }) => scheduledAt), start + 3 * hourMs, start + 3 * hourMs + 60_000],
    );
    assert.equal((await store.assignTasks(agentId, ['monitor-1'])).tasks[0]?.id, taskId);
    assert.deepEqual(await store.verify(), []);
  });

  test('lets the invitations that were open be used', async () => {
    await using old = await openOld();
    assert.deepEqual(await old.store.joinToken('t2'), { key: 'k2', numbersNames: false });
    const agent = { id: 'new', name: 'new', publicKey: 'key', joinedAt: start };
    const joins = [
      await old.store.joinAgent(agent, { id: 't1', at: start + 2 }),
      await old.store.joinAgent(agent, { id: 't2', at: start + 2 }),
    ];
    assert.deepEqual(joins, ['used', 'accepted']);
  });
});
