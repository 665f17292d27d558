import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Room } from '../../core/room.ts';
import type { Session } from '../../core/session.ts';
import type { StorePlace } from './store.contract.ts';

const start = Date.UTC(2026, 11, 2, 8);
const exam = { name: 'exam', by: 'Physics', otherDevices: 'alarm', otherPeers: 'notice', sensors: [] } as const;

function roomCalled(id: string, name: string): Room {
  return { id, name, seats: ['101-*'], places: { '101-1': 'door' }, policies: [exam] };
}

function sessionAt(id: string, startedAt: number): Session {
  const course = { startedAt, startedBy: 'Ada', until: startedAt + 1000 };
  const seats = [{ agentId: 'agent-1', name: '101-1', place: 'door', isExpected: true }];
  return { id, roomId: 'lab', room: 'lab 101', policy: exam, seats, patterns: ['101-*'], ...course };
}

/** What every store keeps of rooms and sessions. Called from the test of each. */
export function roomsContract(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`the ${name} store keeps rooms and sessions`, () => {
    test('rooms of one origin take the place of those before, and a room keeps its id under another name', async () => {
      await using place = await makePlace();
      {
        await using store = await place.open();
        await store.setRooms('api', [roomCalled('made', 'attic')]);
        await store.setRooms('file', [roomCalled('lab', 'lab 101'), roomCalled('gone', 'cellar')]);
        await store.setRooms('file', [roomCalled('lab', 'lab one')]);
      }
      await using again = await place.open();
      assert.deepEqual(await again.rooms(), [
        { origin: 'file', room: roomCalled('lab', 'lab one') },
        { origin: 'api', room: roomCalled('made', 'attic') },
      ]);
    });

    test('a session is replaced by what became of it, and the newest come first', async () => {
      await using place = await makePlace();
      const [first, second] = [sessionAt('s1', start), sessionAt('s2', start + 5000)];
      const ended = { ...first, endedAt: start + 900, endedBy: 'Grace' };
      {
        await using store = await place.open();
        for (const session of [first, second, ended]) await store.saveSession(session);
      }
      await using again = await place.open();
      assert.deepEqual(await again.sessions(9), [second, ended]);
      assert.deepEqual(await again.sessions(1), [second]);
    });

    test('a session goes when the last of its records may go', async () => {
      await using place = await makePlace();
      await using store = await place.open();
      for (const session of [sessionAt('s1', start), sessionAt('s2', start + 5000)]) await store.saveSession(session);
      const times = { decidedAt: start, resultsBefore: 0, hoursBefore: 0, daysBefore: 0 };
      await store.retain({ ...times, recordsBefore: { usb: start + 2000, traffic: start + 9000 } });
      assert.deepEqual(
        (await store.sessions(9)).map(({ id }) => id),
        ['s2'],
      );
    });

    test('notices are asked for by session as well', async () => {
      await using place = await makePlace();
      await using store = await place.open();
      const notice = { sensor: undefined, kind: 'seat-left', severity: 'alarm', at: start } as const;
      await store.addNotice({ ...notice, agentId: 'agent-1', text: 'one', sessionId: 's1' });
      await store.addNotice({ ...notice, agentId: 'agent-2', text: 'two' });
      await store.addNotice({ ...notice, agentId: '', text: 'three', sessionId: 's2' });
      const textsOf = async (query: object) => (await store.notices({ limit: 9, ...query })).map(({ text }) => text);
      assert.deepEqual(await textsOf({ sessionIds: ['s1', 's2'] }), ['three', 'one']);
      assert.deepEqual(await textsOf({ agentIds: ['agent-2'], sessionIds: ['s2'] }), ['three', 'two']);
      assert.deepEqual(await textsOf({ sessionIds: [] }), []);
    });
  });
}
