import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeAddress, encodeAddress, isSameHost } from './address.ts';
import { realtimeNs } from './clock.ts';
import { SystemError } from './libc.ts';
import { closeSocket, getOption, openSocket, setOption, SOCK_DGRAM, socketOptions } from './socket.ts';

test('addresses survive the way to a socket address and back', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV6(), fc.nat(65_535), (ip4, ip6, port) => {
      const four = encodeAddress({ ip: ip4, family: 4, port });
      assert.equal(decodeAddress(four), ip4);
      const six = encodeAddress({ ip: ip6, family: 6, port });
      const spelled = decodeAddress(six) ?? '';
      assert.ok(isSameHost(six, encodeAddress({ ip: spelled, family: 6 })));
      assert.equal(isSameHost(four, six), false);
    }),
  );
});

test('an IPv6 address is spelled as the kernel does, and its zone becomes the scope', () => {
  assert.equal(decodeAddress(encodeAddress({ ip: '2001:DB8:0:0::1', family: 6 })), '2001:db8::1');
  assert.equal(encodeAddress({ ip: 'fe80::1%lo', family: 6 }).readUInt32LE(24), 1);
  assert.equal(encodeAddress({ ip: 'fe80::1%7', family: 6 }).readUInt32LE(24), 7);
});

test('what is no address is refused with its text', () => {
  assert.throws(() => encodeAddress({ ip: '10.0.0', family: 4 }), /expected an IPv4 address, got "10\.0\.0"/);
});

test('a failed system call is an error with the name of its errno', () => {
  const notOpen = 1_000_000;
  assert.throws(
    () => closeSocket(notOpen),
    (error: unknown) => error instanceof SystemError && error.code === 'EBADF' && error.message === 'close: EBADF',
  );
});

test('socket options are set and read back', () => {
  const fd = openSocket({ family: 4, kind: SOCK_DGRAM, protocol: 0 });
  setOption(fd, socketOptions.timestamps, 1);
  assert.equal(getOption(fd, socketOptions.timestamps), 1);
  assert.equal(getOption(fd, socketOptions.error), 0);
  closeSocket(fd);
});

/** The clock of packets, and between which milliseconds of the wall clock it was read. */
function reading(): { readonly fromMs: number; readonly ns: number; readonly toMs: number } {
  const fromMs = Date.now();
  const ns = realtimeNs();
  return { fromMs, ns, toMs: Date.now() + 1 };
}

test('the clock of packet timestamps runs with wall time', () => {
  const first = reading();
  while (Date.now() < first.toMs + 20);
  const second = reading();
  const elapsedMs = (second.ns - first.ns) / 1e6;
  assert.ok(second.fromMs - first.toMs <= elapsedMs && elapsedMs <= second.toMs - first.fromMs, `${elapsedMs} ms`);
});
