import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NamedAgent, Room } from '../../core/room.ts';
import type { SensorPlan } from '../../core/sensor-plan.ts';
import type { Session } from '../../core/session.ts';
import { eventually } from '../../testing/eventually.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { seatsOf, SessionBook } from './session-book.ts';

const hourMs = 3_600_000;
const exam = {
  name: 'exam',
  by: 'Physics',
  otherDevices: 'alarm',
  otherPeers: 'notice',
  sensors: [{ sensor: 'usb', options: {} }],
} as const;
const lab: Room = { id: 'lab', name: 'lab 101', seats: ['101-*'], places: { '101-2': 'door' }, policies: [exam] };

/** A store that keeps sessions as a database does: as text. */
class KeptSessions {
  readonly rows = new Map<string, string>();
  isFull = false;

  async sessions(): Promise<readonly Session[]> {
    return [...this.rows.values()].map((row) => JSON.parse(row) as Session);
  }

  async saveSession(session: Session): Promise<void> {
    if (this.isFull) throw new Error('the disk is full');
    this.rows.set(session.id, JSON.stringify(session));
  }
}

interface Stand {
  readonly book: SessionBook;
  readonly clock: FakeClock;
  readonly agents: NamedAgent[];
  readonly told: string[];
  readonly said: string[];
  plans: readonly SensorPlan[];
}

let ids = 0;

async function standOn(store: KeptSessions, clock = new FakeClock()): Promise<Stand> {
  const agents = ['101-10', '101-2', 'office'].map((name) => ({ id: `id of ${name}`, name }));
  const stand: Omit<Stand, 'book'> = { clock, agents, told: [], said: [], plans: [] };
  const book = new SessionBook({
    sessions: () => store.sessions(),
    saveSession: (session) => store.saveSession(session),
    clock,
    agents: () => agents,
    order: (plans) => (stand.plans = plans),
    onChange: ({ room }, change) => stand.told.push(`${room} ${change}`),
    newId: () => `session ${++ids}`,
    say: (text) => stand.said.push(text),
  });
  await book.load();
  return Object.assign(stand, { book });
}

const order = (clock: FakeClock, fields = {}) => ({ until: clock.now() + 2 * hourMs, by: 'Ada', ...fields });

describe('a session', () => {
  test('has the seats of the room watched from its start to its end, and no others', async () => {
    const stand = await standOn(new KeptSessions());
    const { book, clock } = stand;
    assert.deepEqual(stand.plans, []);
    const { id, until } = await book.start(lab, order(clock));
    const agentIds = ['id of 101-2', 'id of 101-10'];
    const { by, sensors } = exam;
    assert.deepEqual(stand.plans, [{ agentIds, by, purpose: 'exam in lab 101', until, sensors }]);
    assert.equal(book.of('id of 101-2', clock.now())?.id, id);
    assert.equal(book.of('id of office', clock.now()), undefined);
    const ended = await book.end(id, 'Grace');
    assert.deepEqual([ended.endedBy, stand.plans, stand.told], ['Grace', [], ['lab 101 started', 'lab 101 ended']]);
    assert.equal(book.of('id of 101-2', clock.now())?.id, id, 'what arrives later belongs to it still');
  });

  test('ends by itself at the agreed time, and until then outlives the server', async () => {
    const store = new KeptSessions();
    const first = await standOn(store);
    const { until } = await first.book.start(lab, order(first.clock));
    first.book.stop();
    const second = await standOn(store, first.clock);
    assert.equal(second.plans.length, 1);
    await first.clock.advance(2 * hourMs);
    for (let turn = 0; turn < 100 && second.plans.length > 0; turn++) await new Promise(setImmediate);
    assert.deepEqual([second.plans, second.book.sessions[0]?.endedAt], [[], until]);
    assert.equal(second.book.sessions[0]?.endedBy, undefined);
    second.book.stop();
  });

  test('that should have ended while the server was down has ended then', async () => {
    const store = new KeptSessions();
    const first = await standOn(store);
    const { until } = await first.book.start(lab, order(first.clock));
    first.book.stop();
    await first.clock.advance(5 * hourMs);
    const second = await standOn(store, first.clock);
    assert.deepEqual([second.plans, second.book.sessions[0]?.endedAt], [[], until]);
  });

  test('is not in force if it cannot be kept', async () => {
    const store = new KeptSessions();
    const stand = await standOn(store);
    store.isFull = true;
    await assert.rejects(stand.book.start(lab, order(stand.clock)), /the disk is full/);
    assert.deepEqual([stand.plans, stand.told, stand.book.open], [[], [], []]);
  });

  test('takes an agent that joins later or gets a fitting name, and keeps one that gets another', async () => {
    const stand = await standOn(new KeptSessions());
    await stand.book.start({ ...lab, expected: ['101-2', '101-3'] }, order(stand.clock));
    const late = { id: 'id of late', name: '101-3' };
    stand.book.noteAgent({ id: 'id of other', name: 'office-2' });
    stand.book.noteAgent({ id: 'id of 101-2', name: 'renamed' });
    stand.book.noteAgent(late);
    for (let turn = 0; turn < 100 && stand.told.length < 2; turn++) await new Promise(setImmediate);
    assert.deepEqual(stand.told, ['lab 101 started', 'lab 101 seat-joined']);
    assert.deepEqual(stand.plans[0]?.agentIds?.toSorted(), ['id of 101-10', 'id of 101-2', 'id of late']);
    const seat = stand.book.open[0]?.seats.find(({ name }) => name === '101-3');
    assert.deepEqual(seat, { agentId: 'id of late', name: '101-3', isExpected: true });
    stand.book.stop();
  });

  for (const [what, room, fields, message] of [
    ['an end that has passed', lab, { until: -1 }, /expected an end in the future/],
    ['an end that is far', lab, { until: 1e15 }, /expected an end within 7d/],
    ['a policy that there is not', lab, { policy: 'party' }, /has no policy "party"; it has exam/],
    [
      'no policy of several',
      { ...lab, policies: [exam, { ...exam, name: 'practice' }] },
      {},
      /say which with --policy: exam, practice/,
    ],
  ] as const)
    test(`is refused with ${what}`, async () => {
      const { book, clock } = await standOn(new KeptSessions());
      await assert.rejects(book.start(room, order(clock, fields)), message);
    });

  test('is one at a time for a room, and for a machine', async () => {
    const { book, clock } = await standOn(new KeptSessions());
    await book.start(lab, order(clock));
    await assert.rejects(book.start(lab, order(clock)), /there is a session in "lab 101" already/);
    const other = { ...lab, id: 'other', name: 'lab 102', seats: ['101-2'] };
    await assert.rejects(book.start(other, order(clock)), /101-2 is a seat of "lab 102" and of "lab 101"/);
    book.stop();
  });
});

test('a seat that is named by its place alone waits for its agent, which takes that place', async () => {
  const stand = await standOn(new KeptSessions());
  const room = { ...lab, places: { '101-2': 'door', '101-7': 'window', elsewhere: 'attic' } };
  await stand.book.start(room, order(stand.clock));
  const seat = () => stand.book.open[0]?.seats.find(({ place }) => place === 'window');
  assert.deepEqual(seat(), { name: '101-7', place: 'window', isExpected: true });
  assert.equal(stand.book.open[0]?.seats.length, 3);
  stand.book.noteAgent({ id: 'id of late', name: '101-7' });
  await eventually('it is a seat', () => stand.told.includes('lab 101 seat-joined'));
  assert.deepEqual(seat(), { agentId: 'id of late', name: '101-7', place: 'window', isExpected: true });
  stand.book.stop();
});

test('the seats of a room are agents that fit and names that nobody has yet, in the order of people', () => {
  const room = { ...lab, seats: ['101-*', 'spare', 'id of office'], expected: ['101-*'] };
  const agents = ['101-10', '101-2', 'office', 'attic'].map((name) => ({ id: `id of ${name}`, name }));
  assert.deepEqual(seatsOf(room, agents), [
    { agentId: 'id of 101-2', name: '101-2', place: 'door', isExpected: true },
    { agentId: 'id of 101-10', name: '101-10', isExpected: true },
    { agentId: 'id of office', name: 'office', isExpected: false },
    { name: 'spare', isExpected: false },
  ]);
});
