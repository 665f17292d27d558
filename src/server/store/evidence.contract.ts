import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SealedRecord } from '../../core/entry.ts';
import type { NewChain } from './evidence.ts';
import type { NewNotice } from './notices.ts';
import type { StorePlace } from './store.contract.ts';
import type { Committed, Store } from './store.ts';

const start = Date.UTC(2026, 10, 2, 8);
const usbChain: NewChain = {
  chain: 'chain-1',
  agentId: 'agent-1',
  sensor: 'usb',
  key: 'first key',
  head: 'hash 0',
  begunAt: start,
};

/** A notice that no record made. */
const silence: NewNotice = {
  agentId: 'agent-1',
  sensor: undefined,
  kind: 'silent',
  severity: 'alarm',
  text: 'silent',
  at: start,
};

function record(n: number, fields: Partial<SealedRecord> = {}): SealedRecord {
  return {
    seq: n,
    chain: 'chain-1',
    sensor: 'usb',
    n,
    at: start + n * 1000,
    event: 'usb-connected',
    line: `line ${n}`,
    hash: `hash ${n}`,
    address: '192.0.2.17',
    receivedAt: start + n * 1000 + 5,
    ...fields,
  };
}

async function commit(store: Store, records: readonly SealedRecord[], agentId = 'agent-1'): Promise<Committed> {
  const entries = records.map(({ seq, chain, line }) => ({ seq, item: { kind: 'record' as const, chain, line } }));
  return await store.commit({ agentId, epoch: 'epoch', entries, records });
}

/** What every store keeps of sensors' records. Called from the test of each. */
export function evidenceContract(name: string, makePlace: () => Promise<StorePlace>): void {
  const inStore = async (use: (store: Store, place: StorePlace) => Promise<void>): Promise<void> => {
    await using place = await makePlace();
    await using store = await place.open();
    await use(store, place);
  };

  describe(`the ${name} store keeps evidence`, () => {
    test('a chain has one first key, of one agent, for ever', () =>
      inStore(async (store) => {
        const verdicts = [
          await store.beginChain(usbChain),
          await store.beginChain(usbChain),
          await store.beginChain({ ...usbChain, key: 'another' }),
          await store.beginChain({ ...usbChain, agentId: 'agent-2' }),
        ];
        assert.deepEqual(verdicts, ['begun', 'known', 'taken', 'taken']);
        const { chain, agentId, sensor, begunAt } = usbChain;
        const cursor = { n: 0, head: 'hash 0', key: 'first key' };
        const begun = { chain, agentId, sensor, begunAt, cursor, anchor: undefined, droppedTo: 0, last: 0 };
        assert.deepEqual(await store.chains(), [begun]);
      }));

    test('a record is kept once, whatever number it comes under, and comes back by time and by arrival', () =>
      inStore(async (store) => {
        await store.beginChain(usbChain);
        const first = await commit(store, [record(2), record(1)]);
        const again = await commit(store, [record(2, { seq: 3 }), record(3, { seq: 4 }), record(1)]);
        assert.deepEqual(first, {
          added: [[1, 2]],
          newest: [],
          tooOld: [],
          conflicting: [],
          repeated: [],
          alarms: [],
          notices: [],
        });
        assert.deepEqual(again, {
          added: [[3, 4]],
          newest: [],
          tooOld: [],
          conflicting: [],
          repeated: [[3, 3]],
          alarms: [],
          notices: [],
        });
        const kept = await store.records({ from: 0, to: start * 2, limit: 10 });
        assert.deepEqual(
          kept.map(({ n, agentId, sensor, at, address, line }) => [n, agentId, sensor, at - start, address, line]),
          [1, 2, 3].map((n) => [n, 'agent-1', 'usb', n * 1000, '192.0.2.17', `line ${n}`]),
        );
        const lines = await store.lines({ chain: 'chain-1', from: 2, limit: 1 });
        assert.deepEqual(lines, [{ n: 2, at: start + 2000, line: 'line 2', hash: 'hash 2' }]);
        const [, second] = await store.recordsAfter(0, 2);
        assert.deepEqual(
          (await store.recordsAfter(second?.position ?? 0, 9)).map(({ n }) => n),
          [3],
        );
      }));

    test('records are asked for by agent, sensor and time', () =>
      inStore(async (store) => {
        await store.beginChain(usbChain);
        await store.beginChain({ ...usbChain, chain: 'chain-2', sensor: 'traffic' });
        await store.beginChain({ ...usbChain, chain: 'chain-3', agentId: 'agent-2' });
        await commit(store, [record(1), record(2, { chain: 'chain-2', sensor: 'traffic', n: 1 })]);
        await commit(store, [record(1, { chain: 'chain-3' })], 'agent-2');
        const all = { from: 0, to: start * 2, limit: 10 };
        const chainsOf = async (query: object): Promise<string[]> =>
          (await store.records({ ...all, ...query })).map(({ chain }) => chain).toSorted();
        assert.deepEqual(await chainsOf({}), ['chain-1', 'chain-2', 'chain-3']);
        assert.deepEqual(await chainsOf({ agentId: 'agent-1' }), ['chain-1', 'chain-2']);
        assert.deepEqual(await chainsOf({ agentId: 'agent-1', sensor: 'usb' }), ['chain-1']);
        assert.deepEqual(await chainsOf({ from: start + 2000 }), ['chain-2']);
        assert.deepEqual(await chainsOf({ agentId: 'agent-1', limit: 1 }), ['chain-1']);
      }));

    test('another line of the same number is an alarm, and is kept beside it', () =>
      inStore(async (store) => {
        await store.beginChain(usbChain);
        await commit(store, [record(1)]);
        const other = { line: 'another line 1', hash: 'another hash' };
        const { repeated, alarms } = await commit(store, [record(1, { seq: 2, ...other })]);
        assert.deepEqual([repeated, alarms[0]?.cause, alarms[0]?.n], [[[2, 2]], 'forked', 1]);
        assert.deepEqual((await commit(store, [record(1, { seq: 3, ...other })])).alarms, [], 'told once');
        const [kept] = await store.alarms({ agentId: 'agent-1', limit: 10 });
        assert.deepEqual([kept?.line, kept?.sensor, kept?.chain], ['another line 1', 'usb', 'chain-1']);
        assert.deepEqual(
          (await store.lines({ chain: 'chain-1', from: 1, limit: 9 })).map(({ line }) => line),
          ['line 1'],
        );
      }));

    test('records of a chain that was never begun are kept, with an alarm', () =>
      inStore(async (store) => {
        const { alarms } = await commit(store, [record(57)]);
        assert.deepEqual([alarms[0]?.cause, alarms[0]?.n, alarms[0]?.agentId], ['begun-anew', 0, 'agent-1']);
        const [chain] = await store.chains();
        assert.deepEqual([chain?.last, chain?.cursor], [57, { n: 56, head: undefined, key: undefined }]);
        await assert.rejects(commit(store, [record(58)], 'agent-2'), { code: 'usage' });
      }));

    test('SG11: a record and its notice are kept together; the same sentence within ten minutes is one that counts', () =>
      inStore(async (store, place) => {
        const notice = { severity: 'notice', text: 'usb device connected by seat-17: Cruzer Blade' } as const;
        await store.beginChain(usbChain);
        const first = record(1, { notice });
        await commit(store, [first]);
        await commit(store, [record(1, { seq: 2, notice }), record(2, { seq: 3, notice })]);
        await commit(store, [record(3, { seq: 4, notice, receivedAt: start + 3_600_000 })]);
        await store[Symbol.asyncDispose]();
        await using again = await place.open();
        const kept = { agentId: 'agent-1', sensor: 'usb', kind: 'usb-connected', ...notice, acknowledged: undefined };
        assert.deepEqual(await again.notices({ limit: 9 }), [
          { ...kept, id: 2, at: start + 3_600_000, lastAt: start + 3_600_000, count: 1 },
          { ...kept, id: 1, at: first.receivedAt, lastAt: start + 2005, count: 2 },
        ]);
      }));

    test('SG11: an alarm over a chain is in the same list, once', () =>
      inStore(async (store) => {
        await store.beginChain(usbChain);
        const alarm = { chain: 'chain-1', n: 3, cause: 'edited', at: start, message: 'line 3 was edited' } as const;
        await store.saveChains([], [alarm]);
        await store.saveChains([], [alarm]);
        const [notice, ...others] = await store.notices({ limit: 9 });
        assert.deepEqual(others, []);
        const { kind, severity, text, count } = notice!;
        assert.deepEqual([kind, severity, text, count], ['edited', 'alarm', 'line 3 was edited', 1]);
      }));

    test('SG11: notices are listed by agent, kind, severity, time and whether anybody has looked, page by page', () =>
      inStore(async (store) => {
        await store.addNotice(silence);
        await store.addNotice({ ...silence, agentId: 'agent-2', at: start + 1000 });
        await store.addNotice({ ...silence, kind: 'returned', severity: 'notice', text: 'is back', at: start + 2000 });
        const ids = async (query: Partial<Parameters<Store['notices']>[0]>): Promise<readonly number[]> =>
          (await store.notices({ limit: 9, ...query })).map(({ id }) => id);
        assert.deepEqual(await ids({}), [3, 2, 1]);
        assert.deepEqual(await ids({ limit: 2 }), [3, 2]);
        assert.deepEqual(await ids({ before: 2 }), [1]);
        assert.deepEqual(await ids({ agentIds: ['agent-2', 'agent-3'] }), [2]);
        assert.deepEqual(await ids({ agentIds: [] }), []);
        assert.deepEqual(await ids({ kind: 'silent' }), [2, 1]);
        assert.deepEqual(await ids({ severity: 'notice' }), [3]);
        assert.deepEqual(await ids({ from: start + 1000, to: start + 2000 }), [2]);
        await store.acknowledge(2, { by: 'Ada', at: start + 5000, note: 'cable' });
        assert.deepEqual(await ids({ isOpen: true }), [3, 1]);
      }));

    test('SG11: who looked first at a notice stays beside it, and what comes after it is a new one', () =>
      inStore(async (store) => {
        const { id } = await store.addNotice(silence);
        const ada = { by: 'Ada', at: start + 5000, note: 'cable' };
        assert.deepEqual((await store.acknowledge(id, ada))?.acknowledged, ada);
        assert.deepEqual((await store.acknowledge(id, { ...ada, by: 'Bob' }))?.acknowledged, ada);
        assert.equal(await store.acknowledge(99, ada), undefined);
        assert.equal((await store.addNotice({ ...silence, at: start + 6000 })).count, 1);
      }));

    test('SG11: a notice goes with the records of its sensor', () =>
      inStore(async (store) => {
        const one = { agentId: 'agent-1', kind: 'seen', severity: 'notice', at: start } as const;
        for (const sensor of ['usb', 'traffic', undefined] as const)
          await store.addNotice({ ...one, sensor, text: `${sensor}` });
        const retain = (recordsBefore: object): Promise<unknown> =>
          store.retain({ decidedAt: start, resultsBefore: 0, hoursBefore: 0, daysBefore: 0, recordsBefore });
        const left = async (): Promise<readonly string[]> =>
          (await store.notices({ limit: 9 })).map(({ text }) => text);
        await retain({});
        await retain({ usb: start, traffic: start + 1 });
        assert.deepEqual(await left(), ['undefined', 'usb']);
        await retain({ usb: start + 1, traffic: start + 1 });
        assert.deepEqual(await left(), []);
      }));

    test('progress and alarms are kept together, an alarm once for its cause and line', () =>
      inStore(async (store, place) => {
        await store.beginChain(usbChain);
        const alarm = { chain: 'chain-1', n: 3, cause: 'edited', at: start, message: 'line 3 was edited' } as const;
        const progress = {
          chain: 'chain-1',
          cursor: { n: 3, head: 'hash 3', key: undefined },
          anchor: { n: 9, head: 'hash 9' },
        };
        const raised = { ...alarm, agentId: 'agent-1', sensor: 'usb' };
        assert.deepEqual(await store.saveChains([progress], [alarm]), [raised]);
        assert.deepEqual(
          await store.saveChains(
            [progress],
            [
              { ...alarm, at: start + 1 },
              { ...alarm, n: 4 },
            ],
          ),
          [{ ...raised, n: 4 }],
        );
        await store[Symbol.asyncDispose]();
        await using again = await place.open();
        const [{ cursor, anchor } = {}] = await again.chains();
        assert.deepEqual({ chain: 'chain-1', cursor, anchor }, progress);
        assert.deepEqual(
          (await again.alarms({ limit: 9 })).map(({ n }) => n),
          [4, 3],
        );
      }));

    test('retention drops verified lines from the first on, and takes none of them in again', () =>
      inStore(async (store) => {
        await store.beginChain(usbChain);
        await commit(
          store,
          [1, 2, 3, 4, 5].map((n) => record(n)),
        );
        const cursor = { n: 2, head: 'hash 2', key: 'key 3' };
        await store.saveChains([{ chain: 'chain-1', cursor, anchor: undefined }], []);
        const retain = (usb: number): Promise<unknown> =>
          store.retain({ decidedAt: start, resultsBefore: 0, hoursBefore: 0, daysBefore: 0, recordsBefore: { usb } });
        const left = async (): Promise<number[]> =>
          (await store.lines({ chain: 'chain-1', from: 1, limit: 9 })).map(({ n }) => n);
        await store.retain({
          decidedAt: start,
          resultsBefore: 0,
          hoursBefore: 0,
          daysBefore: 0,
          recordsBefore: { traffic: start * 2 },
        });
        assert.deepEqual(await left(), [1, 2, 3, 4, 5], 'of another sensor');
        await retain(start + 2000);
        assert.deepEqual(await left(), [2, 3, 4, 5]);
        await retain(start * 2);
        assert.deepEqual(await left(), [3, 4, 5], 'the rest is not verified yet');
        assert.deepEqual(await commit(store, [record(1, { seq: 6, hash: 'another' })]), {
          added: [[6, 6]],
          newest: [],
          tooOld: [],
          conflicting: [],
          repeated: [[6, 6]],
          alarms: [],
          notices: [],
        });
        const [chain] = await store.chains();
        assert.deepEqual([chain?.droppedTo, chain?.last], [2, 5]);
      }));

    test('where all was dropped, what arrives is still after what was there', () =>
      inStore(async (store) => {
        await store.beginChain(usbChain);
        await commit(store, [record(1)]);
        const [before] = await store.recordsAfter(0, 1);
        await store.saveChains(
          [{ chain: 'chain-1', cursor: { n: 1, head: 'hash 1', key: 'key 2' }, anchor: undefined }],
          [],
        );
        await store.retain({
          decidedAt: start,
          resultsBefore: 0,
          hoursBefore: 0,
          daysBefore: 0,
          recordsBefore: { usb: start * 2 },
        });
        await commit(store, [record(2)]);
        assert.equal((await store.recordsAfter(before?.position ?? 0, 9)).length, 1);
      }));
  });
}
