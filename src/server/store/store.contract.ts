import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Entry, ResultItem } from '../../core/entry.ts';
import { AppError } from '../../core/errors.ts';
import type { Committed, Store } from './store.ts';
import { hourMs } from './summary.ts';

/** A place where a store lives; `open` may be called again after the store was closed, and finds what was kept. */
export interface StorePlace extends AsyncDisposable {
  open(): Promise<Store>;
}

const start = Date.UTC(2026, 10, 2, 8);
const epoch = '0193a0de-0000-7000-8000-00000000000e';
const everything = { from: 0, to: start + 400 * 24 * hourMs, limit: 100_000 };

function result(index: number, fields: Partial<ResultItem> = {}): ResultItem {
  return {
    kind: 'result',
    taskId: 'task-1',
    monitorId: 'monitor-1',
    scheduledAt: start + index * 10_000,
    startedAt: start + index * 10_000 + (index % 3),
    durationMs: 20 + (index % 7),
    status: 'up',
    latencyMs: 10 + (index % 7),
    metrics: { connectMs: 10 + (index % 7) },
    detail: { address: '192.0.2.1' },
    message: 'Port 80 on www.example.com is open.',
    ...fields,
  };
}

function entries(from: number, to: number, fields: Partial<ResultItem> = {}): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, n) => ({ seq: from + n, item: result(from + n, fields) }));
}

function itemsOf(list: readonly Entry[]): unknown[] {
  return list.map(({ item }) => ({ agentId: 'agent-1', ...item }));
}

function commit(
  store: Store,
  list: readonly Entry[],
  of: { readonly agentId?: string; readonly epoch?: string } = {},
): Promise<Committed> {
  return store.commit({ agentId: 'agent-1', epoch, ...of, entries: list });
}

/** What every store keeps, however it keeps it. Called from the test of each. */
export function storeContract(name: string, makePlace: () => Promise<StorePlace>): void {
  const inStore = async (use: (store: Store, place: StorePlace) => Promise<void>): Promise<void> => {
    await using place = await makePlace();
    await using store = await place.open();
    await use(store, place);
  };

  describe(`the ${name} store keeps its ledger`, () => {
    test('an entry is kept once, however often and in whatever order it comes', () =>
      inStore(async (store) => {
        assert.deepEqual(await commit(store, entries(1, 4)), { added: [[1, 4]] });
        assert.deepEqual(await commit(store, entries(3, 6).toReversed()), { added: [[5, 6]] });
        assert.deepEqual(await commit(store, [...entries(9, 9), ...entries(9, 9)]), { added: [[9, 9]] });
        assert.deepEqual(await commit(store, entries(1, 6)), { added: [] });
        const kept = await store.results({ taskId: 'task-1', ...everything });
        assert.deepEqual(kept, itemsOf([...entries(1, 6), ...entries(9, 9)]));
        assert.deepEqual(await store.received('agent-1', epoch), [
          [1, 6],
          [9, 9],
        ]);
      }));

    test('commits that run side by side add each entry once in all', () =>
      inStore(async (store) => {
        const batches = Array.from({ length: 40 }, (_, n) => entries(1 + 5 * Math.floor(n / 2), 10 + 5 * Math.floor(n / 2)));
        const committed = await Promise.all(batches.map((batch) => commit(store, batch)));
        const added = committed.flatMap((each) => each.added).reduce((sum, [from, to]) => sum + to - from + 1, 0);
        const kept = await store.results({ taskId: 'task-1', ...everything });
        assert.equal(added, 105);
        assert.deepEqual(kept, itemsOf(entries(1, 105)));
      }));

    test('numbers of other agents and other epochs are their own', () =>
      inStore(async (store) => {
        await commit(store, entries(1, 3));
        const other = await commit(store, entries(1, 3, { taskId: 'task-2' }), { agentId: 'agent-2' });
        const later = await commit(store, entries(1, 3), { epoch: 'another' });
        assert.deepEqual([other.added, later.added], [[[1, 3]], [[1, 3]]]);
        assert.equal((await store.results({ taskId: 'task-1', ...everything })).length, 6);
        assert.deepEqual(await store.received('agent-2', 'unheard'), []);
      }));

    test('holes are named until they are filled or explained', () =>
      inStore(async (store) => {
        await commit(store, [...entries(1, 2), ...entries(6, 7), ...entries(10, 10)]);
        const holes = [
          [3, 5],
          [8, 9],
        ];
        assert.deepEqual(await store.missing(), [{ agentId: 'agent-1', epoch, ranges: holes }]);
        const gap = { kind: 'gap', ranges: [[3, 4]], cause: 'overflow', at: start } as const;
        await commit(store, [{ seq: 11, item: gap }, ...entries(5, 5)]);
        assert.deepEqual(await store.missing(), [{ agentId: 'agent-1', epoch, ranges: [[8, 9]] }]);
        assert.deepEqual(await store.gaps('agent-1'), [{ epoch, ranges: [[3, 4]], cause: 'overflow', at: start }]);
        await commit(store, entries(8, 9));
        assert.deepEqual(await store.missing(), []);
      }));

    test('a batch that cannot be kept is refused whole, and harms no other', () =>
      inStore(async (store) => {
        await commit(store, entries(1, 1));
        const scattered = Array.from({ length: 5000 }, (_, n) => ({ seq: 2 * n + 3, item: result(n) }));
        const [foreign, skipping, good] = await Promise.allSettled([
          commit(store, entries(1, 2), { agentId: 'agent-2' }),
          commit(store, scattered, { epoch: 'skipping' }),
          commit(store, entries(2, 3)),
        ]);
        assertRefused(foreign, 'usage', /agent-2's own tasks/);
        assertRefused(skipping, 'usage', /contiguous/);
        assert.equal(good.status, 'fulfilled');
        assert.deepEqual(await store.received('agent-2', epoch), []);
        assert.equal((await store.results({ taskId: 'task-1', ...everything })).length, 3);
      }));

    test('what was committed is there after the store is opened again', async () => {
      await using place = await makePlace();
      {
        await using store = await place.open();
        await commit(store, entries(1, 500));
        await store.seal(start + hourMs);
        await commit(store, entries(501, 600));
      }
      await using store = await place.open();
      assert.deepEqual(await store.received('agent-1', epoch), [[1, 600]]);
      assert.deepEqual((await commit(store, entries(590, 601))).added, [[601, 601]]);
      assert.deepEqual(await store.results({ taskId: 'task-1', ...everything }), itemsOf(entries(1, 601)));
    });
  });
}

function assertRefused(settled: PromiseSettledResult<unknown> | undefined, code: string, message: RegExp): void {
  assert.ok(settled?.status === 'rejected');
  const error: unknown = settled.reason;
  assert.ok(error instanceof AppError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
}
