import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ServerEvent } from '../../core/event.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { EventFeed, type EventFilter } from './event-feed.ts';

interface World {
  readonly clock: FakeClock;
  readonly feed: EventFeed;
  readonly publish: (event: ServerEvent) => void;
  readonly written: string[];
}

function world(epoch = 'a'): World {
  const clock = new FakeClock();
  const listeners = new Set<(event: ServerEvent) => void>();
  const written: string[] = [];
  const feed = new EventFeed({
    clock,
    epoch,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    write(event, id) {
      written.push(id);
      return JSON.stringify(event);
    },
  });
  const publish = (event: ServerEvent): void => {
    for (const listener of listeners) listener(event);
  };
  return { clock, feed, publish, written };
}

function gap(agentId: string, missing: number): ServerEvent {
  return { type: 'gap', agentId, cause: 'overflow', missing };
}

function result(monitorId: string, message = 'fine'): ServerEvent {
  const times = { scheduledAt: 0, startedAt: 0, durationMs: 1 };
  const outcome = { status: 'up', metrics: {}, detail: {}, message } as const;
  return {
    type: 'result',
    agentId: 'x',
    isLate: false,
    result: { kind: 'result', taskId: 't', monitorId, ...times, ...outcome },
  };
}

/** All that a watcher of this filter gets after a number. */
function read({ feed }: World, after: number, filter: EventFilter = {}): readonly ServerEvent[] {
  const events: ServerEvent[] = [];
  for (let next = feed.next(after, filter); next; next = feed.next(next.n, filter))
    events.push(JSON.parse(new TextDecoder().decode(next.bytes)) as ServerEvent);
  return events;
}

describe('the feed of events', () => {
  test('SI8: whoever comes back with an id gets what it missed, in order, also of both kinds', () => {
    const all = world();
    const leave = all.feed.watch(() => {});
    all.publish(gap('x', 1));
    const id = all.feed.id(all.feed.newest);
    leave();
    all.publish(result('m'));
    all.publish(gap('x', 2));
    const after = all.feed.numberIn(id) ?? NaN;
    assert.ok(all.feed.reachesBackTo(after, {}));
    assert.deepEqual(read(all, after), [result('m'), gap('x', 2)]);
  });

  test('SI8: an id of another run of the server, of the future, or of nobody is unknown', () => {
    const { feed, publish } = world('mine');
    feed.watch(() => {});
    publish(gap('x', 1));
    for (const id of ['', 'x', '-', 'mine', 'mine-', 'mine--1', 'mine-1.5', 'mine-3', 'mine-1e9', 'other-1', 'mine-1 '])
      assert.equal(feed.numberIn(id), undefined, id);
    assert.equal(feed.numberIn('mine-2'), 2);
  });

  test('SI8: results that push each other out do not push out what is rare', () => {
    const all = world();
    all.feed.watch(() => {});
    const after = all.feed.newest;
    all.publish(gap('x', 1));
    for (let count = 0; count < 100; count++) all.publish(result('m', 'x'.repeat(100_000)));
    assert.equal(all.feed.reachesBackTo(after, {}), false);
    assert.equal(all.feed.reachesBackTo(after, { kinds: new Set(['result']) }), false);
    const rare: EventFilter = { kinds: new Set(['gap', 'state']) };
    assert.ok(all.feed.reachesBackTo(after, rare));
    assert.deepEqual(read(all, after, rare), [gap('x', 1)]);
    // 8 MiB of results are kept, less than one.
    const kept = read(all, after, { kinds: new Set(['result']) }).length;
    assert.ok(kept > 70 && kept < 84, `${kept}`);
  });

  test('SI8: a filter chooses by kind, agent and monitor', () => {
    const all = world();
    all.feed.watch(() => {});
    const after = all.feed.newest;
    const events = [gap('x', 1), gap('y', 2), result('m'), result('n')];
    for (const event of events) all.publish(event);
    assert.deepEqual(read(all, after, { agentId: 'y' }), [gap('y', 2)]);
    assert.deepEqual(read(all, after, { monitorId: 'n' }), [result('n')]);
    assert.deepEqual(read(all, after, { kinds: new Set(['gap']), agentId: 'x' }), [gap('x', 1)]);
    assert.deepEqual(read(all, after, { monitorId: 'm', agentId: 'y' }), []);
    assert.deepEqual(read(all, after), events);
  });

  test('SI8: nothing is written while nobody watches, and two minutes after the last it is forgotten', async () => {
    const { clock, feed, publish, written } = world();
    publish(gap('x', 1));
    assert.deepEqual(written, []);
    const leave = feed.watch(() => {});
    const before = feed.newest;
    leave();
    await clock.advance(119_000);
    publish(gap('x', 2));
    assert.equal(written.length, 1);
    await clock.advance(1000);
    publish(gap('x', 3));
    assert.equal(written.length, 1);
    feed.watch(() => {});
    assert.equal(feed.reachesBackTo(before, {}), false, 'what happened meanwhile is not known');
    assert.ok(feed.reachesBackTo(feed.newest, {}));
  });
});
