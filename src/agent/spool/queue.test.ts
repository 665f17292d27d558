import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { actions, type Action } from '../../testing/spool-actions.ts';
import { World } from '../../testing/spool-world.ts';

/** How many random lives: the rarest trouble comes in one of seventy. A release campaign gives a larger number. */
const runs = Number(process.env['WATCHKEEPER_SPOOL_RUNS'] ?? 1000);

const troubles = [
  'power cut',
  'kill',
  'disk full',
  'reserve used',
  'failed sync',
  'overflow',
  'corrupt',
  'refused',
  'set-back',
  'restored',
];

function live(lifetime: readonly Action[]): World {
  const world = new World();
  for (const action of lifetime) world.do(action);
  world.drain();
  world.verify();
  return world;
}

describe('B4: whatever happens to process, power and disk', () => {
  test('nothing recorded is lost, nothing is said twice in different words, and every missing number is declared', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(actions, { minLength: 5, maxLength: 60 }), (lifetime) => {
        for (const event of live(lifetime).events) seen.set(event, (seen.get(event) ?? 0) + 1);
      }),
      { numRuns: runs, endOnFailure: false },
    );
    // A simulation that never gets into trouble proves nothing.
    for (const event of troubles) {
      assert.ok((seen.get(event) ?? 0) > 0, `in ${runs} lives there was no ${event}: ${JSON.stringify([...seen])}`);
    }
  });
});

test('a segment that was rewritten without what was dropped, and rots then, is done with in the end', () => {
  live([
    { type: 'append', sizes: [77], droppable: false },
    { type: 'append', sizes: [244_752], droppable: true },
    { type: 'append', sizes: [128, 64_234, 199_462, 182, 159, 138_100, 96_765, 66], droppable: false },
    { type: 'append', sizes: [146, 163, 50_000, 50_014, 21, 83_593, 27, 249_985], droppable: false },
    { type: 'append', sizes: [164_961, 192_064, 334, 189, 276, 240_036, 155_696], droppable: true },
    { type: 'append', sizes: [164_444, 106, 186_778, 180_107, 185_425, 118_362, 351, 231_297], droppable: false },
    { type: 'flip', file: 0, bit: 1_616_160_181 },
    { type: 'append', sizes: [342, 156_305, 172_212], droppable: false },
  ]);
});

for (const [what, lifetime] of Object.entries<readonly Action[]>({
  'the only entry of a segment that was rewritten without what was dropped': [
    { type: 'append', sizes: [123_056, 193_408, 107_525, 107_905, 153_954, 185_788], droppable: false },
    { type: 'append', sizes: [196_473, 145_148, 247_623, 237_491], droppable: true },
    { type: 'append', sizes: [158_281, 73_802, 110_556, 229_958], droppable: false },
    { type: 'append', sizes: [179_272, 79_682, 164_402, 202_169], droppable: true },
    { type: 'append', sizes: [173_757], droppable: true },
    { type: 'flip', file: 7, bit: 1_842_804_155 },
  ],
  'one of several entries of such a segment': [
    { type: 'append', sizes: [144_011, 244_875, 76_683, 59_603, 206_724, 163_017], droppable: false },
    { type: 'append', sizes: [183_100, 322, 216_022, 142_608, 193_788], droppable: false },
    { type: 'append', sizes: [106_992, 174_033, 85_062, 334], droppable: true },
    { type: 'append', sizes: [70_944, 130_011, 79_805, 226_587, 181_715], droppable: true },
    { type: 'append', sizes: [161, 159_450, 363, 88_470, 117_198, 227_463, 382], droppable: false },
    { type: 'flip', file: 10, bit: 1_848_743_342 },
  ],
})) {
  test(`D6: where ${what} rots, it is declared corrupt`, () => {
    const { events } = live(lifetime);
    assert.deepEqual([events.includes('corrupt'), events.includes('restored')], [true, false]);
  });
}

test('SE1: a spool that lost all its entries says so, also if it crashes before that is written', () => {
  const world = live([
    { type: 'fill', room: 66 },
    { type: 'append', sizes: [20], droppable: false },
    { type: 'kill' },
    { type: 'power-cut', seed: 0 },
    { type: 'power-cut', seed: 0 },
  ]);
  assert.ok(world.events.includes('power cut'));
});

describe('SE1: a folder that was set back', () => {
  const append: Action = { type: 'append', sizes: [20, 20, 20], droppable: false };
  const deliver: readonly Action[] = [
    { type: 'start-sending' },
    { type: 'read', lane: 'backlog', count: 100 },
    { type: 'read', lane: 'live', count: 100 },
    { type: 'acknowledge', share: 1 },
  ];
  const goesOn = [append, ...deliver];
  const copy: Action = { type: 'copy' };
  const setBack: Action = { type: 'set-back' };
  const loseServer: Action = { type: 'lose-server' };
  const restart: readonly Action[] = [{ type: 'reopen' }, append, { type: 'kill' }, append];
  const histories: Readonly<Record<string, readonly Action[]>> = {
    'after it had gone on': [...goesOn, copy, ...goesOn, setBack, ...goesOn],
    'twice to the same copy': [...goesOn, copy, ...goesOn, setBack, ...goesOn, setBack, ...goesOn],
    'and was started again before it met the server': [...goesOn, copy, ...goesOn, setBack, ...restart, ...deliver],
    'to a time before anything was in it': [copy, ...goesOn, setBack, ...goesOn],
    'after the server was': [...goesOn, copy, ...goesOn, loseServer, ...goesOn, copy, ...goesOn, setBack, ...goesOn],
  };
  for (const [when, history] of Object.entries(histories))
    test(`${when} sends all of its own entries, in a new epoch that says why`, () => {
      assert.ok(live(history).events.includes('set-back'));
    });

  test('has no new epoch where the acknowledgement was lost and nothing else', () => {
    const unacknowledged = [append, ...deliver.slice(0, 3)];
    for (const end of ['kill', 'reopen', 'start-sending'] as const) {
      const { events } = live([...goesOn, ...unacknowledged, { type: end }, ...goesOn]);
      assert.deepEqual(
        events.filter((event) => event === 'set-back' || event === 'restored'),
        [],
      );
    }
  });

  test('leaves the numbers alone where it is the server that knows less, and says what is lost', () => {
    const { events } = live([...goesOn, copy, ...goesOn, loseServer, ...goesOn]);
    assert.ok(events.includes('restored'));
    assert.ok(!events.includes('set-back'));
  });
});

describe('a crash at every operation of a busy life', () => {
  const busy: readonly Action[] = [
    { type: 'append', sizes: [100, 100_000, 100_000, 200_000], droppable: true },
    { type: 'append', sizes: [100, 200_000, 200_000, 200_000], droppable: false },
    { type: 'start-sending' },
    { type: 'read', lane: 'backlog', count: 3 },
    { type: 'acknowledge', share: 1 },
    { type: 'append', sizes: [200_000, 200_000, 200_000, 200_000, 200_000], droppable: true },
    { type: 'read', lane: 'live', count: 100 },
    { type: 'acknowledge', share: 0.5 },
    { type: 'append', sizes: [200_000, 200_000, 200_000, 200_000, 200_000], droppable: true },
    { type: 'note' },
    { type: 'append', sizes: [200_000, 200_000, 100, 200_000, 200_000], droppable: false },
    { type: 'append', sizes: [200_000, 200_000, 200_000, 200_000, 200_000], droppable: true },
    { type: 'read', lane: 'backlog', count: 100 },
    { type: 'acknowledge', share: 1 },
    { type: 'reopen' },
    { type: 'append', sizes: [100], droppable: false },
  ];
  const operations = live(busy).operations;

  test('the life is long enough to be worth it', () => {
    assert.ok(operations > 60, `only ${operations} operations`);
  });

  for (const power of [true, false]) {
    test(`loses nothing when the ${power ? 'power' : 'process'} goes`, () => {
      for (let at = 0; at < operations; at++) {
        for (const seed of power ? [1, 2] : [1]) live([{ type: 'crash-after', operations: at, power, seed }, ...busy]);
      }
    });
  }

  for (const code of ['ENOSPC', 'EIO'] as const) {
    test(`loses nothing when that operation fails with ${code}, and then the power goes`, () => {
      for (let at = 0; at < operations; at++) {
        live([{ type: 'fail', after: at, times: 1 + (at % 3), code }, ...busy, { type: 'power-cut', seed: at }]);
      }
    });
  }
});
