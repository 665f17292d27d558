import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Entry, ResultItem } from '../../core/entry.ts';
import { AppError } from '../../core/errors.ts';
import type { Assignment, Committed, JoinVerdict, Store } from './store.ts';
import { hourMs, percentile } from './summary.ts';

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
  return list.map(({ item }) => ({ agentId: 'agent-1', ...item, receivedAt: start, clockOffsetMs: 0 }));
}

async function commit(
  store: Store,
  list: readonly Entry[],
  of: { readonly agentId?: string; readonly epoch?: string } = {},
): Promise<Pick<Committed, 'added'>> {
  const { added } = await store.commit({ agentId: 'agent-1', epoch, ...of, entries: list, receivedAt: start });
  return { added };
}

async function newestIn(store: Store): Promise<readonly unknown[]> {
  return (await store.latest()).map(({ status, scheduledAt }) => [status, (scheduledAt - start) / 10_000]);
}

/** What every store keeps, however it keeps it. Called from the test of each. */
export function storeContract(name: string, makePlace: () => Promise<StorePlace>): void {
  const inStore = async (use: (store: Store, place: StorePlace) => Promise<void>): Promise<void> => {
    await using place = await makePlace();
    await using store = await place.open();
    await use(store, place);
  };

  test(`the ${name} store keeps the last state of each agent there is`, async () => {
    await using place = await makePlace();
    {
      await using store = await place.open();
      await store.saveAgent({ id: 'a', name: 'a', publicKey: 'key', joinedAt: start });
      await store.saveAgentStates([{ agentId: 'a', state: { since: 1 } }]);
      await store.saveAgentStates([
        { agentId: 'a', state: { since: 2, address: '192.0.2.1' } },
        { agentId: 'nobody', state: {} },
      ]);
    }
    await using store = await place.open();
    assert.deepEqual(await store.agentStates(), [{ agentId: 'a', state: { since: 2, address: '192.0.2.1' } }]);
  });

  test(`SI5: the ${name} store keeps when an agent ran nothing; results of a task in that time say that it ran until then`, async () => {
    await using place = await makePlace();
    await using store = await place.open();
    const at = (second: number): number => start + second * 1000;
    await store.saveAgent({ id: 'agent-1', name: 'a', publicKey: 'key', joinedAt: start });
    const absence = { kind: 'absence', from: at(1000), to: at(2000), reason: 'killed' } as const;
    const list = [...entries(1, 2), { seq: 3, item: absence }];
    await commit(store, list);
    assert.deepEqual(await commit(store, list), { added: [] });
    assert.deepEqual(await store.received('agent-1', epoch), [[1, 3]]);
    await store.saveAbsence('agent-1', { from: at(5000), to: at(6000), reason: 'unheard' });
    await store.saveAbsence('nobody', { from: at(5000), to: at(6000), reason: 'unheard' });
    // A backlog of the time in which the server heard nothing: slots at 5000 s to 5500 s.
    await commit(
      store,
      Array.from({ length: 51 }, (_, n) => ({ seq: 4 + n, item: result(500 + n) })),
    );
    const absences = async (from: number, to: number): Promise<readonly unknown[]> =>
      (await store.absences({ taskId: 'task-1', from: at(from), to: at(to) })).map((one) => [
        one.reason,
        (one.from - start) / 1000,
        (one.to - start) / 1000,
      ]);
    const killed = ['killed', 1000, 2000];
    assert.deepEqual(await absences(0, 10_000), [killed, ['unheard', 5500, 6000]]);
    assert.deepEqual(await absences(1500, 1600), [['killed', 1500, 1600]]);
    assert.deepEqual(await absences(2000, 5000), []);
    await store.seal(start + 24 * hourMs);
    assert.deepEqual(await absences(0, 10_000), [killed, ['unheard', 5500, 6000]], 'sealed');
    assert.deepEqual(await store.absences({ taskId: 'none', from: 0, to: at(10_000) }), []);
  });

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
        const batches = Array.from({ length: 40 }, (_, n) =>
          entries(1 + 5 * Math.floor(n / 2), 10 + 5 * Math.floor(n / 2)),
        );
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
        const later = await commit(store, entries(1, 3, { durationMs: 99 }), { epoch: 'another' });
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
        assert.deepEqual(await store.gaps('agent-1'), [
          { epoch, ranges: [[3, 4]], cause: 'overflow', at: start, receivedAt: start },
        ]);
        await commit(store, entries(8, 9));
        assert.deepEqual(await store.missing(), []);
      }));

    test('MU48: a gap that is sent again is known already, and what comes with it is kept', () =>
      inStore(async (store) => {
        const gap = { seq: 4, item: { kind: 'gap', ranges: [[2, 3]], cause: 'corrupt', at: start } } as const;
        assert.deepEqual(await commit(store, [...entries(1, 1), gap]), {
          added: [
            [1, 1],
            [4, 4],
          ],
        });
        assert.deepEqual(await commit(store, [gap, gap, ...entries(5, 5)]), { added: [[5, 5]] });
        assert.deepEqual(await store.gaps('agent-1'), [
          { epoch, ranges: [[2, 3]], cause: 'corrupt', at: start, receivedAt: start },
        ]);
        assert.deepEqual(await store.received('agent-1', epoch), [[1, 5]]);
      }));

    test('an agent that goes on with an epoch it has left is told a number that it never gave away (simulator, seed 103)', () =>
      inStore(async (store) => {
        await commit(store, entries(1, 3));
        await commit(store, entries(4, 5), { agentId: 'agent-1', epoch: 'second' });
        await commit(store, entries(1, 2, { taskId: 'task-2' }), { agentId: 'agent-2', epoch: 'third' });
        const [kept, beyond] = await store.received('agent-1', epoch);
        assert.deepEqual(kept, [1, 3]);
        assert.ok(beyond && beyond[1] > 1e15);
        assert.deepEqual(await store.received('agent-1', 'second'), [[4, 5]]);
      }));

    test('MU52: nothing of a refused batch is taken for stored when the same entries come again', () =>
      inStore(async (store) => {
        await commit(store, entries(1, 1));
        const of = { agentId: 'agent-2', epoch: 'epoch-2' };
        const own = entries(1, 3, { taskId: 'task-2' });
        const foreign = entries(4, 4);
        await assert.rejects(commit(store, [...own, ...foreign], of), { code: 'usage' });
        // Other numbers come first, and would take what was undone.
        await commit(store, entries(1, 2, { taskId: 'task-3' }), { agentId: 'agent-3', epoch: 'epoch-3' });
        assert.deepEqual(await commit(store, own, of), { added: [[1, 3]] });
        assert.deepEqual(await store.received('agent-2', 'epoch-2'), [[1, 3]]);
        assert.deepEqual(await store.received('agent-3', 'epoch-3'), [[1, 2]]);
        const found = await Promise.all(['task-2', 'task-3'].map((taskId) => store.results({ taskId, ...everything })));
        assert.deepEqual(
          found.map((results) => results.map(({ agentId }) => agentId)),
          [Array(3).fill('agent-2'), Array(2).fill('agent-3')],
        );
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

  describe(`the ${name} store gives back what was measured`, () => {
    test('results of a task come by slot, in the asked range, up to the limit', () =>
      inStore(async (store) => {
        await commit(store, [...entries(1, 720), ...entries(721, 740, { taskId: 'task-2' })]);
        const from = start + 100 * 10_000;
        const to = start + 400 * 10_000;
        const asked = { taskId: 'task-1', from, to, limit: 1000 };
        assert.deepEqual(await store.results(asked), itemsOf(entries(100, 399)));
        await store.seal(start + hourMs);
        assert.deepEqual(await store.results(asked), itemsOf(entries(100, 399)));
        assert.deepEqual(await store.results({ ...asked, limit: 7 }), itemsOf(entries(100, 106)));
        assert.deepEqual(await store.results({ ...asked, taskId: 'nobody' }), []);
        await assert.rejects(store.results({ ...asked, limit: 0 }), { code: 'usage' });
      }));

    test('sealing changes no status, time, reason, message or detail, and fractions by at most 1 % of their median', () =>
      inStore(async (store) => {
        const odd = {
          down: {
            status: 'down',
            reason: 'refused',
            source: 'target',
            message: 'Expected …, got ECONNREFUSED.',
            metrics: {},
          },
          missed: { status: 'unknown', reason: 'missed', source: 'agent', message: 'The agent slept.', detail: {} },
        } as const;
        const list = [
          ...entries(1, 200, { latencyMs: 12.3456, metrics: { offsetMs: -0.0123, bytes: 1234 } }),
          ...entries(201, 210, odd.down),
          ...entries(211, 220, odd.missed),
        ];
        await commit(store, list);
        assert.equal(await store.seal(start + hourMs), 1);
        const sealed = await store.results({ taskId: 'task-1', ...everything });
        assert.deepEqual(sealed, itemsOf(list.map(rounded)));
      }));

    test('a result of a time far off delays no answer', () =>
      inStore(async (store) => {
        const farOff = result(3, { scheduledAt: 8.64e15, startedAt: 8.64e15 });
        await commit(store, [...entries(1, 2), { seq: 3, item: farOff }]);
        const range = { taskId: 'task-1', from: 0, to: Infinity };
        assert.equal((await store.results({ ...range, limit: 10 })).length, 3);
        assert.equal((await store.summaries({ ...range, resolution: 'hour' })).length, 2);
        assert.equal((await store.summaries({ ...range, resolution: 'day' })).length, 2);
      }));

    test('what is late for a sealed hour takes its place among the rest', () =>
      inStore(async (store) => {
        await commit(store, entries(1, 100));
        await store.seal(start + hourMs);
        await commit(store, [...entries(121, 140), ...entries(101, 110)]);
        const all = [...entries(1, 110), ...entries(121, 140)];
        assert.deepEqual(await store.results({ taskId: 'task-1', ...everything }), itemsOf(all));
        assert.equal(await store.seal(start + hourMs), 1);
        assert.deepEqual(await store.results({ taskId: 'task-1', ...everything }), itemsOf(all));
        assert.equal(await store.seal(start + hourMs), 0);
      }));

    test('the newest result is that with the highest number, sealed or not, whatever its slot', () =>
      inStore(async (store) => {
        await commit(store, [...entries(1, 50), ...entries(51, 60, { taskId: 'task-2' })]);
        await store.seal(start + hourMs);
        await commit(store, entries(400, 401, { taskId: 'task-2' }));
        await commit(store, entries(61, 64, { taskId: 'task-3' }));
        await commit(store, [{ seq: 70, item: result(20) }]);
        const latest = await store.latest();
        const found = latest.map(({ taskId, scheduledAt }) => [taskId, (scheduledAt - start) / 10_000]);
        assert.deepEqual(found, [
          ['task-1', 20],
          ['task-2', 401],
          ['task-3', 64],
        ]);
      }));

    for (const isSealed of [false, true]) {
      test(`SE3: an agent's clock that was ahead and is corrected, over a restart${isSealed ? ', sealed' : ''}`, async () => {
        await using place = await makePlace();
        {
          await using store = await place.open();
          await commit(store, entries(361, 370));
          await commit(store, [{ seq: 371, item: result(5, { status: 'down' }) }]);
          if (isSealed) await store.seal(start + 24 * hourMs);
          assert.deepEqual(await newestIn(store), [['down', 5]]);
        }
        await using store = await place.open();
        assert.deepEqual(await newestIn(store), [['down', 5]]);
        const late = await store.commit({ agentId: 'agent-1', epoch, entries: entries(1, 3) });
        assert.deepEqual(late.newest, []);
        const again = entries(1, 1, { durationMs: 99 });
        const next = await store.commit({ agentId: 'agent-1', epoch: 'second', entries: again });
        assert.deepEqual(next.newest, [[1, 1]], 'a later epoch, whatever its numbers');
        const backlog = await store.commit({ agentId: 'agent-1', epoch, entries: entries(372, 372) });
        assert.deepEqual(backlog.newest, [], 'an earlier epoch, whatever its numbers');
        assert.deepEqual(await newestIn(store), [['up', 1]]);
      });

      test(`SE3: results keep when they were received and the agent's clock offset then${isSealed ? ', sealed' : ''}`, () =>
        inStore(async (store) => {
          const batch = { agentId: 'agent-1', epoch, entries: entries(1, 100) };
          await store.commit({ ...batch, receivedAt: start + 1_234_567, clockOffsetMs: 3_600_000 });
          if (isSealed) await store.seal(start + 24 * hourMs);
          for (const { receivedAt, clockOffsetMs } of await store.results({ taskId: 'task-1', ...everything }))
            assert.deepEqual([receivedAt, clockOffsetMs], [start + 1_234_567, 3_600_000]);
        }));

      test(`SE1: another entry under a known number is told, and the same one is not${isSealed ? ', sealed' : ''}`, () =>
        inStore(async (store) => {
          await commit(store, entries(1, 10));
          if (isSealed) await store.seal(start + 24 * hourMs);
          const other = [
            { seq: 4, item: result(99) },
            { seq: 5, item: result(5, { taskId: 'task-2' }) },
          ];
          const batch = { agentId: 'agent-1', epoch, receivedAt: start };
          const again = await store.commit({ ...batch, entries: [...entries(1, 3), ...other, ...entries(6, 11)] });
          assert.deepEqual([again.added, again.conflicting], [[[11, 11]], [[4, 5]]]);
          const gaps = await store.gaps('agent-1');
          assert.deepEqual(
            gaps.map(({ cause, ranges }) => [cause, ranges]),
            [['conflicting', [[4, 5]]]],
          );
          assert.equal((await store.results({ taskId: 'task-1', ...everything })).length, 11);
        }));

      test(`SE1: what two copies of a folder held is kept once${isSealed ? ', sealed' : ''}`, () =>
        inStore(async (store) => {
          // Sealing keeps durations to within one part in a hundred.
          const list = entries(1, 15).map(({ seq, item }) => {
            return { seq, item: { ...item, durationMs: 20 + 0.123_456_7 * seq } };
          });
          await commit(store, list.slice(0, 10));
          if (isSealed) await store.seal(start + 24 * hourMs);
          // By a clock that is far behind, too: whether it comes late is not the point.
          const of = { agentId: 'agent-1', epoch: 'second' };
          const commits = [
            { ...of, entries: list.slice(4, 7), receivedAt: start - hourMs },
            { ...of, entries: list.slice(7), receivedAt: start + hourMs },
          ];
          for (const batch of commits) assert.deepEqual((await store.commit(batch)).conflicting, []);
          const kept = await store.results({ taskId: 'task-1', ...everything });
          assert.deepEqual(
            kept.map(({ scheduledAt }) => (scheduledAt - start) / 10_000),
            Array.from({ length: 15 }, (_, index) => index + 1),
          );
        }));

      test(`SE1: a slot that runs again after the clock was set back is kept again${isSealed ? ', sealed' : ''}`, () =>
        inStore(async (store) => {
          await commit(store, entries(1, 3));
          if (isSealed) await store.seal(start + 24 * hourMs);
          const again = [
            { seq: 1, item: result(2, { durationMs: 3.25 }) },
            { seq: 2, item: result(3, { startedAt: result(3).startedAt + 40 }) },
            { seq: 3, item: result(1) },
          ];
          const batch = { agentId: 'agent-1', epoch: 'second', entries: again, receivedAt: start + hourMs };
          assert.deepEqual((await store.commit(batch)).conflicting, []);
          const kept = await store.results({ taskId: 'task-1', ...everything });
          assert.deepEqual(
            kept.map(({ scheduledAt }) => (scheduledAt - start) / 10_000),
            [1, 2, 2, 3, 3],
          );
        }));
    }

    test('MU51: what comes late for an hour before the last is not the latest, sealed or not', () =>
      inStore(async (store) => {
        const latest = async (): Promise<readonly number[]> =>
          (await store.latest()).map(({ scheduledAt }) => (scheduledAt - start) / 10_000);
        await commit(store, entries(101, 800));
        await store.seal(start + 24 * hourMs);
        assert.deepEqual(await latest(), [800]);
        await commit(store, entries(1, 100));
        assert.deepEqual(await latest(), [800], 'not sealed yet');
        assert.equal(await store.seal(start + 24 * hourMs), 1);
        assert.deepEqual(await latest(), [800]);
      }));

    test('MU49: an hour belongs to one day, sealed or not', () =>
      inStore(async (store) => {
        // From 08:00: 16 h and then 9 h, at one result an hour.
        const list = Array.from({ length: 25 }, (_, hour) => ({ seq: hour + 1, item: result(hour * 360) }));
        await commit(store, list);
        const midnight = start - 8 * hourMs;
        const countsOf = async (from: number, to: number): Promise<readonly unknown[]> => {
          const days = await store.summaries({ taskId: 'task-1', from, to, resolution: 'day' });
          return days.map((day) => [(day.start - midnight) / hourMs, day.up]);
        };
        const bothDays = [
          [0, 16],
          [24, 9],
        ];
        for (const sealedBefore of [0, start + 10 * hourMs, start + 16 * hourMs, start + 20 * hourMs, Infinity]) {
          if (sealedBefore > 0) await store.seal(Math.min(sealedBefore, start + 48 * hourMs));
          assert.deepEqual(await countsOf(midnight, midnight + 48 * hourMs), bothDays);
          assert.deepEqual(await countsOf(midnight, midnight + 24 * hourMs), bothDays.slice(0, 1));
          assert.deepEqual(await countsOf(midnight + 24 * hourMs, midnight + 25 * hourMs), bothDays.slice(1));
          assert.deepEqual(await countsOf(midnight + 23 * hourMs, midnight + 24 * hourMs + 1), bothDays);
        }
      }));

    for (const when of ['before sealing', 'after sealing', 'half sealed'] as const) {
      test(`summaries count every result once, ${when}`, () =>
        inStore(async (store) => {
          const bad = {
            status: 'down',
            reason: 'timeout',
            source: 'target',
            message: 'No answer within 5 s.',
          } as const;
          await commit(store, [...entries(1, 359), ...entries(360, 1000, bad)]);
          if (when !== 'before sealing') await store.seal(start + (when === 'after sealing' ? 24 : 1) * hourMs);
          const range = { taskId: 'task-1', from: start, to: start + 24 * hourMs };
          const hours = await store.summaries({ ...range, resolution: 'hour' });
          assert.deepEqual(
            hours.map(({ start: at, up, down, latency }) => [(at - start) / hourMs, up, down, latency?.count]),
            [
              [0, 359, 0, 359],
              [1, 0, 360, 360],
              [2, 0, 281, 281],
            ],
          );
          const [day, ...more] = await store.summaries({ ...range, resolution: 'day' });
          assert.deepEqual([day?.start, day?.up, day?.down, more.length], [start - 8 * hourMs, 359, 641, 0]);
          const minutes = await store.summaries({ ...range, to: start + 120_000, resolution: 'minute' });
          assert.deepEqual(
            minutes.map(({ up }) => up),
            [5, 6],
          );
          assert.deepEqual([day?.latency?.minMs, day?.latency?.maxMs], [10, 16]);
          assert.ok(day?.latency && Math.abs(percentile(day.latency, 0.5) - 13) < 0.6, 'the median is 13 ms');
        }));
    }
  });

  describe(`the ${name} store stays small and sound`, () => {
    test('retention drops each class of data by its age, and takes nothing in again that is older', () =>
      inStore(async (store) => {
        await store.saveAgent({ id: 'agent-1', name: 'lab', publicKey: 'key', joinedAt: start });
        const days = Array.from({ length: 10 }, (_, day) => ({ seq: day + 1, item: result(day * 8640) }));
        await commit(store, days);
        await store.seal(start + 8 * 24 * hourMs);
        const dayStart = start - 8 * hourMs;
        const at = (day: number): number => dayStart + day * 24 * hourMs;
        await store.retain({ decidedAt: start, resultsBefore: at(9), hoursBefore: at(5), daysBefore: at(2) });
        const left = await store.results({ taskId: 'task-1', ...everything });
        assert.deepEqual(left, itemsOf(days.slice(9)));
        const range = { taskId: 'task-1', from: 0, to: at(20) };
        assert.equal((await store.summaries({ ...range, resolution: 'hour' })).length, 4);
        assert.equal((await store.summaries({ ...range, resolution: 'day' })).length, 7);
        // AT5: it is not silently dropped.
        const list = [
          { seq: 11, item: result(7) },
          { seq: 12, item: result(9 * 8640 + 1) },
        ];
        const late = await store.commit({ agentId: 'agent-1', epoch, entries: list });
        assert.deepEqual([late.added, late.tooOld], [[[12, 12]], [[11, 11]]]);
        assert.deepEqual(
          (await store.gaps('agent-1')).map(({ ranges, cause }) => [ranges, cause]),
          [[[[11, 11]], 'too-old']],
        );
        assert.deepEqual(await store.received('agent-1', epoch), [[1, 12]], 'it need not be sent again');
        assert.equal(await store.decidedAt(), start);
        assert.equal(await store.seal(at(8)), 0);
        assert.equal((await store.results({ taskId: 'task-1', ...everything })).length, 2);
        const refused = store.retain({ decidedAt: start, resultsBefore: at(1), hoursBefore: at(2), daysBefore: at(2) });
        await assert.rejects(refused, { code: 'usage' });
      }));

    test('MU50: a day whose first hours are too old to be kept stays whole when a late result comes', () =>
      inStore(async (store) => {
        const list = Array.from({ length: 16 }, (_, hour) => ({ seq: hour + 1, item: result(hour * 360) }));
        await commit(store, list);
        await store.seal(start + 48 * hourMs);
        const midnight = start - 8 * hourMs;
        // Noon: the hours from 08:00 to 11:00 are before it, and so are their results.
        const noon = midnight + 12 * hourMs;
        await store.retain({ decidedAt: start, resultsBefore: noon, hoursBefore: noon, daysBefore: midnight });
        await commit(store, [{ seq: 17, item: result(10 * 360 + 1) }]);
        await store.seal(start + 48 * hourMs);
        const days = await store.summaries({
          taskId: 'task-1',
          from: midnight,
          to: midnight + 24 * hourMs,
          resolution: 'day',
        });
        assert.deepEqual(
          days.map(({ up }) => up),
          [17],
        );
      }));

    test('sealing and retention run beside commits and queries', () =>
      inStore(async (store) => {
        await commit(store, entries(1, 2000));
        const sealing = store.seal(start + 5 * hourMs);
        const commits = Array.from({ length: 20 }, (_, n) => commit(store, entries(2001 + n, 2001 + n)));
        const readings = Array.from({ length: 20 }, () => store.results({ taskId: 'task-1', ...everything }));
        for (const reading of await Promise.all(readings))
          assert.ok(reading.length >= 2000, `${reading.length} results`);
        await Promise.all([sealing, ...commits]);
        assert.equal((await store.results({ taskId: 'task-1', ...everything })).length, 2020);
      }));

    test('a sound store has nothing to say of itself', () =>
      inStore(async (store) => {
        await commit(store, entries(1, 1000));
        await store.seal(start + hourMs);
        assert.deepEqual(await store.verify(), []);
      }));

    test('a closed store refuses, and closing twice is no harm', async () => {
      await using place = await makePlace();
      const store = await place.open();
      await commit(store, entries(1, 20_000));
      const sealing = assert.rejects(store.seal(start + 100 * hourMs), { code: 'unavailable' });
      const last = commit(store, entries(20_001, 20_010));
      await store[Symbol.asyncDispose]();
      assert.deepEqual(await last, { added: [[20_001, 20_010]] });
      await sealing;
      await store[Symbol.asyncDispose]();
      await assert.rejects(commit(store, entries(11, 12)), { code: 'unavailable' });
      await assert.rejects(store.latest(), { code: 'unavailable' });
    });
  });

  describe(`the ${name} store knows who and what there is`, () => {
    test('agents are saved, replaced and revoked once', () =>
      inStore(async (store) => {
        const agent = { id: 'a', name: 'lab', publicKey: 'key', joinedAt: start };
        await store.saveAgent(agent);
        await store.saveAgent({ ...agent, name: 'lab 2' });
        assert.equal(await store.revokeAgent('a', start + 5), true);
        assert.equal(await store.revokeAgent('a', start + 6), false);
        assert.equal(await store.revokeAgent('b', start + 6), false);
        assert.deepEqual(await store.agents(), [{ ...agent, name: 'lab 2', revokedAt: start + 5 }]);
      }));

    test('a join token lets one agent in, before it expires', () =>
      inStore(async (store) => {
        const token = { createdAt: start, expiresAt: start + hourMs, numbersNames: false };
        const join = (agentId: string, id: string, at: number): Promise<JoinVerdict> =>
          store.joinAgent({ id: agentId, name: agentId, publicKey: `key of ${agentId}`, joinedAt: at }, { id, at });
        await store.createJoinToken({ id: 'good', key: 'k1', ...token });
        await store.createJoinToken({ id: 'old', key: 'k2', ...token, numbersNames: true });
        assert.deepEqual(
          [await store.joinToken('good'), await store.joinToken('old'), await store.joinToken('guess')],
          [{ key: 'k1', numbersNames: false }, { key: 'k2', numbersNames: true }, undefined],
        );
        const verdicts = await Promise.all(Array.from({ length: 10 }, (_, n) => join(`agent ${n}`, 'good', start + 1)));
        assert.equal(verdicts.filter((verdict) => verdict === 'accepted').length, 1);
        assert.equal(verdicts.filter((verdict) => verdict === 'used').length, 9);
        assert.equal(await join('late', 'old', start + hourMs), 'expired');
        assert.equal(await join('guessing', 'guess', start), 'unknown');
        assert.equal((await store.agents()).length, 1);
      }));

    test('of two that join with one id the first has it, and the other keeps its token', () =>
      inStore(async (store) => {
        const lifetime = { createdAt: start, expiresAt: start + hourMs, numbersNames: false };
        for (const id of ['t1', 't2']) await store.createJoinToken({ id, key: `key of ${id}`, ...lifetime });
        const agent = { id: 'a', name: 'lab', joinedAt: start };
        const first = { ...agent, publicKey: 'first' };
        const second = { ...agent, publicKey: 'second' };
        const verdicts = await Promise.all([
          store.joinAgent(first, { id: 't1', at: start }),
          store.joinAgent(second, { id: 't2', at: start }),
          store.joinAgent(second),
        ]);
        assert.deepEqual(verdicts, ['accepted', 'taken', 'taken']);
        assert.deepEqual(await store.agents(), [first]);
        assert.equal(await store.joinAgent({ ...second, id: 'b' }, { id: 't2', at: start }), 'accepted');
      }));

    test('monitors are saved, replaced and deleted', () =>
      inStore(async (store) => {
        await store.saveMonitor({ id: 'm', definition: { type: 'tcp', options: { port: 80 } } });
        await store.saveMonitor({ id: 'm', definition: { type: 'tcp', options: { port: 443 } } });
        assert.deepEqual(await store.monitors(), [{ id: 'm', definition: { type: 'tcp', options: { port: 443 } } }]);
        assert.deepEqual([await store.deleteMonitor('m', start), await store.deleteMonitor('m', start)], [true, false]);
      }));

    test('SF13: every task that has results is listed, with the names that its monitor and its agent had last', () =>
      inStore(async (store) => {
        assert.deepEqual(await store.measured(), []);
        await store.saveAgent({ id: 'agent-1', name: 'old', publicKey: 'key', joinedAt: start });
        await store.saveMonitor({ id: 'monitor-1', definition: { name: 'old' } });
        await commit(store, [...entries(1, 2), ...entries(3, 3, { taskId: 'task-2', monitorId: 'in a file' })]);
        await commit(store, entries(1, 1, { taskId: 'task-3' }), { agentId: 'agent-2' });
        await store.saveAgent({ id: 'agent-1', name: 'lab', publicKey: 'key', joinedAt: start });
        await store.saveMonitor({ id: 'monitor-1', definition: { name: 'web' } });
        await store.deleteMonitor('monitor-1', start);
        await store.seal(start + hourMs);
        const ofFirst = { agentId: 'agent-1', agentName: 'lab' };
        const web = { monitorId: 'monitor-1', monitorName: 'web' };
        assert.deepEqual(await store.measured(), [
          { id: 'task-1', ...ofFirst, ...web },
          { id: 'task-2', ...ofFirst, monitorId: 'in a file', monitorName: undefined },
          { id: 'task-3', agentId: 'agent-2', agentName: undefined, ...web },
        ]);
        assert.deepEqual(await store.monitors(), [], 'deleted all the same');
        await store.saveMonitor({ id: 'monitor-1', definition: { name: 'back' } });
        assert.equal((await store.monitors()).length, 1);
      }));

    test('a monitor that a person stopped stays stopped, wherever it is kept, until it may go on', () =>
      inStore(async (store) => {
        for (const id of ['b', 'a', 'a']) await store.setPaused(id, true);
        assert.deepEqual(await store.paused(), ['a', 'b']);
        await store.setPaused('a', false);
        assert.deepEqual(await store.paused(), ['b']);
      }));

    test('C4: the task of a monitor on an agent keeps its id for ever, and every assignment has a higher revision', async () => {
      await using place = await makePlace();
      const uuidV7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
      const first = await assign(place, 'agent-1', ['m1', 'm2']);
      const again = await assign(place, 'agent-1', ['m2', 'm3']);
      const other = await assign(place, 'agent-2', ['m1']);
      assert.equal(again.tasks[0]?.id, first.tasks[1]?.id);
      assert.ok(again.revision > first.revision);
      const ids = new Set([...first.tasks, ...again.tasks, ...other.tasks].map(({ id }) => id));
      assert.equal(ids.size, 4);
      for (const id of ids) assert.match(id, uuidV7);
      await using store = await place.open();
      const known = (await store.tasks()).map(({ id, agentId, monitorId }) => [agentId, monitorId, ids.has(id)]);
      assert.deepEqual(known, [
        ['agent-1', 'm1', true],
        ['agent-1', 'm2', true],
        ['agent-1', 'm3', true],
        ['agent-2', 'm1', true],
      ]);
    });
  });
}

async function assign(place: StorePlace, agentId: string, monitorIds: readonly string[]): Promise<Assignment> {
  await using store = await place.open();
  return store.assignTasks(agentId, monitorIds);
}

/** As the fractions of the sealing test are read back. */
function rounded({ seq, item }: Entry): Entry {
  if (item.kind !== 'result' || item.latencyMs !== 12.3456) return { seq, item };
  return { seq, item: { ...item, latencyMs: 12.4, metrics: { offsetMs: -0.0122, bytes: 1234 } } };
}

function assertRefused(settled: PromiseSettledResult<unknown> | undefined, code: string, message: RegExp): void {
  assert.ok(settled?.status === 'rejected');
  const error: unknown = settled.reason;
  assert.ok(error instanceof AppError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
}
