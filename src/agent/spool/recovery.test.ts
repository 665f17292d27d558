import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { diskError, SimulatedDisk } from '../../testing/simulated-disk.ts';
import type { FileEntry } from './disk.ts';
import { Ledger } from './ledger.ts';
import { Queue } from './queue.ts';
import type { QueueOptions } from './queue-options.ts';

const options: QueueOptions = {
  now: () => 1,
  newEpoch: () => 1,
  limitBytes: 3_000_000,
  memoryBytes: 1_000_000,
  reserveBytes: 600_000,
};
const everything = { maxBytes: 100_000_000, maxCount: 100_000 };

interface Entries {
  readonly count: number;
  readonly bytes?: number;
  readonly droppable?: boolean;
}

/** Appends and commits, and returns the numbers they were recorded under. */
function record(queue: Queue, { count, bytes = 100, droppable = false }: Entries): readonly (number | undefined)[] {
  for (let ticket = 0; ticket < count; ticket++)
    queue.append(JSON.stringify({ text: 'x'.repeat(bytes) }), { ticket, droppable });
  return queue.commit().map(({ seq }) => seq);
}

function read(queue: Queue): readonly number[] {
  queue.startSending();
  return [...queue.read('backlog', everything), ...queue.read('live', everything)].map(({ seq }) => seq);
}

function segmentOf(disk: SimulatedDisk): FileEntry | undefined {
  return disk.list().find(({ name }) => name.endsWith('.segment'));
}

describe('a spool that is opened again', () => {
  for (const torn of [2, 3, 4]) {
    test(`MU9: gives no number of a tail that is torn at entry ${torn} of 4 away again`, () => {
      const disk = new SimulatedDisk();
      const before = new Queue(disk, options);
      for (let seq = 1; seq <= 4; seq++) {
        const bytes = segmentOf(disk)?.bytes ?? 0;
        assert.deepEqual(record(before, { count: 1 }), [seq]);
        if (seq === torn) disk.flipBit(segmentOf(disk)?.name ?? '', 8 * (bytes + 40));
      }
      const [next] = record(new Queue(disk, options), { count: 1 });
      assert.ok(next !== undefined && next > 4, `the next entry got number ${next}`);
    });
  }

  test('MU8: what a durable gap declared is not sent, although the ledger never heard of it', () => {
    const disk = new SimulatedDisk();
    const before = new Queue(disk, { ...options, limitBytes: 2_500_000 });
    disk.onOperation = (operation, name) => {
      // The machine stops before the dropped entries leave their segment, and before the ledger is written.
      if (operation === 'remove' || (operation === 'create' && name.endsWith('.new')))
        throw diskError('EIO', operation);
    };
    record(before, { count: 40, bytes: 100_000, droppable: true });
    disk.kill();
    const after = new Queue(disk, options);
    after.startSending();
    const entries = [...after.read('backlog', everything), ...after.read('live', everything)];
    const gaps = entries.flatMap(({ json }) => {
      const item = JSON.parse(json) as { kind?: string; ranges?: readonly (readonly [number, number])[] };
      return item.kind === 'gap' ? (item.ranges ?? []) : [];
    });
    assert.ok(gaps.length > 0, 'nothing was dropped');
    const sentNonetheless = entries.filter(({ seq }) => gaps.some(([from, to]) => from <= seq && seq <= to));
    assert.deepEqual(
      sentNonetheless.map(({ seq }) => seq),
      [],
    );
  });

  test('MU11: a segment in the middle is removed only once the ledger says that it is settled', () => {
    const disk = new SimulatedDisk();
    const before = new Queue(disk, { ...options, limitBytes: 100_000_000 });
    for (let round = 0; round < 40; round++) record(before, { count: 1, bytes: 100_000 });
    const segments = (): number => disk.list().filter(({ name }) => name.endsWith('.segment')).length;
    const had = segments();
    assert.ok(had >= 3, `${had} segments`);
    disk.onOperation = (operation, name) => {
      if (name === 'ledger' || operation === 'create') throw diskError('EIO', operation);
    };
    // All but the first entry: every segment in the middle is settled throughout.
    before.acknowledge([[2, 40]]);
    assert.equal(segments(), had);
    disk.kill();
    const after = new Queue(disk, options);
    assert.ok(read(after).includes(1));
    assert.deepEqual(
      after.commit().filter(({ seq }) => seq === undefined),
      [],
    );
  });
});

test('MU4: a quota that is used up frees the reserve like a full disk', () => {
  const disk = new SimulatedDisk();
  const queue = new Queue(disk, options);
  queue.lookAtSpace();
  const isHeld = (): boolean => disk.list().some(({ name }) => name === 'reserve');
  assert.ok(isHeld());
  let isLooking = false;
  disk.onOperation = (operation) => {
    if (isLooking || operation !== 'write') return;
    isLooking = true;
    const isOver = isHeld();
    isLooking = false;
    if (isOver) throw diskError('EDQUOT', operation);
  };
  assert.deepEqual(record(queue, { count: 1 }), [1]);
  assert.equal(isHeld(), false);
});

test('MU7: dropping old results for weeks leaves a list of settled numbers that stays short', () => {
  const disk = new SimulatedDisk();
  const queue = new Queue(disk, options);
  for (let round = 0; round < 300; round++) {
    // One that must stay among those that may go, so that segments are rewritten and not removed.
    record(queue, { count: 1, bytes: 10 });
    record(queue, { count: 2, bytes: 60_000, droppable: true });
  }
  assert.ok(queue.note(), 'the ledger page is too small for what is settled');
  const settled = Ledger.read(disk).page?.settled ?? [];
  assert.ok(settled.length <= 30, `${settled.length} ranges are kept in memory and written each time`);
});

test('MU12: a spool that is always recorded at once never runs out of memory', () => {
  const queue = new Queue(new SimulatedDisk(), { ...options, memoryBytes: 10_000 });
  for (let round = 0; round < 200; round++)
    assert.deepEqual(record(queue, { count: 1, bytes: 1000 }), [round + 1], `round ${round}`);
});
