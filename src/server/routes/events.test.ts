import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { ServerEvent } from '../../core/event.ts';
import { systemClock as clock } from '../../core/clock.ts';
import { eventually } from '../../testing/eventually.ts';
import { listenTcp } from '../host/listen.ts';
import { createApp } from './app.ts';
import { Audit } from './audit.ts';
import { EventFeed } from '../live/event-feed.ts';
import { eventText } from './event-text.ts';
import { eventsRoutes, type EventsPorts } from './events.ts';

/** A server that runs nothing. */
const nothing: Omit<EventsPorts, 'feed'> = {
  wanted: () => [],
  agents: () => [],
  assertMonitor: () => {},
  latest: () => undefined,
  stateOf: () => ({ state: 'unknown', since: undefined }),
  monitorId: (name) => name,
};

const request = 'GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n';

test('FC35: a hundred watchers that never read are cut off, cost no memory worth naming, and one that reads misses nothing', async (t) => {
  let publish: ((event: ServerEvent) => void) | undefined;
  let subscriptions = 0;
  const subscribe = (listener: (event: ServerEvent) => void): (() => void) => {
    publish = listener;
    subscriptions++;
    return () => subscriptions--;
  };
  const feed = new EventFeed({ clock, epoch: 'x', subscribe, write: (event, id) => eventText(event.type, event, id) });
  t.after(() => feed.stop());
  const routes = eventsRoutes({ ...nothing, feed });
  const app = createApp({
    routes,
    callers: undefined,
    version: '1',
    audit: new Audit({ clock, say: () => {}, addressOf: () => '' }),
    onInternalError: (error) => assert.fail(String(error)),
  });
  const listener = await listenTcp(app, { host: '127.0.0.1', port: 0 });
  t.after(() => listener.close());
  const connections = promisify(listener.server.getConnections.bind(listener.server));
  const open = async () => {
    const socket = connect(listener.port, '127.0.0.1').on('error', () => {});
    t.after(() => socket.destroy());
    socket.write(request);
    await once(socket, 'readable');
    return socket;
  };

  const stalled = await Promise.all(Array.from({ length: 100 }, open));
  const reader = await open();
  assert.equal(subscriptions, 1, 'each event is written once for all');
  let seen = 0;
  reader.setEncoding('utf8').on('data', (text: string) => (seen += text.split('event: gap').length - 1));

  const before = process.memoryUsage().rss;
  const agentId = 'a'.repeat(1000);
  let peak = 0;
  for (let told = 0; told < 20_000; told++) {
    publish?.({ type: 'gap', agentId, cause: 'overflow', missing: told });
    if (told % 50 > 0) continue;
    await new Promise((resolve) => setImmediate(resolve));
    peak = Math.max(peak, process.memoryUsage().rss - before);
  }
  await eventually('the reader has all', () => seen === 20_000);
  await eventually('the others are cut off', async () => (await connections()) === 1);
  assert.ok(stalled.every((socket) => socket.bytesRead < 10 * 2 ** 20));
  // A hundred times four megabytes, if each had a copy of its own.
  assert.ok(peak < 250 * 2 ** 20, `${Math.round(peak / 2 ** 20)} MiB more`);
  t.diagnostic(`${Math.round(peak / 2 ** 20)} MiB more at the most`);
});
