import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../testing/fake-clock.ts';
import type { KeptNotice, NewNotice } from '../store/notices.ts';
import { NoticeStream } from './notice-stream.ts';

const notice: NewNotice = {
  agentId: 'id-1',
  sensor: 'usb',
  kind: 'usb-connected',
  severity: 'notice',
  text: 'a stick',
  at: 0,
};

function kept(id: number, count: number): KeptNotice {
  return { ...notice, id, count, lastAt: count, acknowledged: undefined };
}

class Stand {
  readonly clock = new FakeClock();
  readonly told: string[] = [];
  readonly said: string[] = [];
  isRefusing = false;
  readonly stream = new NoticeStream({
    clock: this.clock,
    store: {
      addNotice: () => (this.isRefusing ? Promise.reject(new Error('disk full')) : Promise.resolve(kept(7, 1))),
    },
    nameOf: () => 'seat-1',
    publish: (event) =>
      event.type === 'notice' && this.told.push(`${event.id} ${event.name}: ${event.text} ${event.count}`),
    say: (text) => this.said.push(text),
  });
}

test('SG9: a notice is told at once; one that comes again is told with its count, every ten seconds at most', async () => {
  const { stream, told, clock } = new Stand();
  stream.tell(kept(1, 1));
  for (let count = 2; count <= 60; count++) stream.tell(kept(1, count));
  stream.tell(kept(2, 1));
  assert.deepEqual(told, ['1 seat-1: a stick 1', '2 seat-1: a stick 1']);
  await clock.advance(9999);
  assert.equal(told.length, 2);
  await clock.advance(1);
  assert.deepEqual(told.slice(2), ['1 seat-1: a stick 60']);
  stream.tell(kept(1, 61));
  await clock.advance(10_000);
  assert.deepEqual(told.slice(3), ['1 seat-1: a stick 61']);
  assert.equal(clock.pending, 0);
});

test('a notice without a record is kept, then told; a store that refuses is a line for the operator', async () => {
  const stand = new Stand();
  stand.stream.add(notice);
  await stand.clock.advance(0);
  assert.deepEqual(stand.told, ['7 seat-1: a stick 1']);
  stand.isRefusing = true;
  stand.stream.add(notice);
  await stand.clock.advance(0);
  assert.deepEqual(stand.said, ['This notice cannot be kept (disk full): a stick.']);
});
