import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { describe, test } from 'node:test';
import { systemClock, type Clock } from '../../core/clock.ts';
import type { Address, QueryOptions, QueryProtocol } from '../../core/network.ts';
import { enterOwnNetwork, silentAddress } from '../../testing/netlab.ts';
import { Queries } from '../queries.ts';
import { EchoSocket } from './echo-socket.ts';

const skip = await enterOwnNetwork();
const address: Address = { ip: silentAddress, family: 4 };
const options: QueryOptions = { size: 32, signal: AbortSignal.timeout(60_000), onAnswer: () => {} };

/** Sockets that this process holds open, Node's own or not. */
function openSockets(): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // The descriptor by which the folder is read.
      return '';
    }
  });
  return links.filter((link) => link.startsWith('socket:')).length;
}

describe('sockets for queries', { skip }, () => {
  test('ICMP channels of a family share one, and the last to close closes it', () => {
    const before = openSockets();
    const queries = new Queries(systemClock);
    const first = queries.open({ protocol: 'icmp', address }, options);
    const second = queries.open({ protocol: 'icmp', address }, options);
    const other = queries.open({ protocol: 'icmp', address: { ip: '::1', family: 6 } }, options);
    assert.equal(openSockets() - before, 2);
    for (const channel of [first, other]) channel[Symbol.dispose]();
    assert.equal(openSockets() - before, 1);
    second.send(0);
    for (const channel of [second, second, first]) channel[Symbol.dispose]();
    assert.equal(openSockets(), before);
  });

  test('after ten seconds a new channel gets a new one, with a new identifier', () => {
    const before = openSockets();
    let nowMs = 0;
    const clock: Clock = { ...systemClock, monotonic: () => nowMs };
    const queries = new Queries(clock);
    const early = queries.open({ protocol: 'icmp', address }, options);
    nowMs = 9_999;
    const inTime = queries.open({ protocol: 'icmp', address }, options);
    assert.equal(openSockets() - before, 1);
    nowMs = 10_000;
    const late = queries.open({ protocol: 'icmp', address }, options);
    assert.equal(openSockets() - before, 2);
    for (const channel of [early, inTime, late]) channel[Symbol.dispose]();
    assert.equal(openSockets(), before);
  });

  test('no two sockets have the same identifier, in this process or another', () => {
    const sockets = Array.from({ length: 800 }, () => new EchoSocket(4));
    assert.equal(new Set(sockets.map(({ identifier }) => identifier)).size, sockets.length);
    for (const socket of sockets) socket.close();
  });

  for (const protocol of ['udp', 'tcp'] as const satisfies QueryProtocol[]) {
    test(`a ${protocol} channel closes what it opened, answered or not`, () => {
      const before = openSockets();
      const channel = new Queries(systemClock).open({ protocol, address, port: 9 }, options);
      for (let sequence = 0; sequence < 5; sequence++) channel.send(sequence, 1 + sequence);
      // TCP: one for each handshake, and one that hears resets.
      assert.equal(openSockets() - before, protocol === 'udp' ? 1 : 6);
      channel[Symbol.dispose]();
      channel[Symbol.dispose]();
      assert.equal(openSockets(), before);
      channel.send(9);
      assert.equal(openSockets(), before);
    });
  }

  test('more echoes than there are sequence numbers are sent all the same', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const total = 66_000;
    let sent = 0;
    let answered = 0;
    const send = (): void => {
      if (sent < total) channel.send(sent++);
    };
    const onAnswer: QueryOptions['onAnswer'] = ({ kind }) => {
      assert.equal(kind, 'reply');
      if (++answered === total) resolve();
      send();
    };
    const loopback = { ip: '127.0.0.1', family: 4 } as const;
    using channel = new Queries(systemClock).open({ protocol: 'icmp', address: loopback }, { ...options, onAnswer });
    for (let packet = 0; packet < 64; packet++) send();
    await promise;
  });
});
