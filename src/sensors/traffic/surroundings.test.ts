import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolversIn, surroundings } from './surroundings.ts';

test('the interfaces of this machine are there with their counters, loopback is not', () => {
  for (const { index, name, addresses, sent, received } of surroundings.interfaces()) {
    assert.notEqual(name, 'lo');
    assert.ok(index > 1 && Number.isSafeInteger(sent) && Number.isSafeInteger(received), name);
    for (const { address, prefix } of addresses) assert.ok(prefix >= 0 && prefix <= 128, address);
  }
});

const resolved = 'nameserver 127.0.0.53\noptions edns0\n';

test('SG3: behind a resolver on this machine are those that it asks', () => {
  const cases: readonly (readonly [Readonly<Record<string, string>>, readonly string[]])[] = [
    [{ '/etc/resolv.conf': 'nameserver 10.20.0.1\nnameserver fd00::53\n' }, ['10.20.0.1', 'fd00::53']],
    [
      {
        '/etc/resolv.conf': resolved,
        '/run/systemd/resolve/resolv.conf': 'nameserver 10.20.0.1\nnameserver 10.20.0.2\n',
      },
      ['10.20.0.1', '10.20.0.2'],
    ],
    [{ '/etc/resolv.conf': 'nameserver ::1\n', '/run/dnsmasq/resolv.conf': 'nameserver 10.20.0.3\n' }, ['10.20.0.3']],
    // Nobody says whom the local resolver asks.
    [{ '/etc/resolv.conf': resolved }, []],
    [{ '/etc/resolv.conf': resolved, '/run/systemd/resolve/resolv.conf': 'nameserver 127.0.0.1\n' }, []],
    // What is not used is not read.
    [
      { '/etc/resolv.conf': 'nameserver 10.20.0.1\n', '/run/systemd/resolve/resolv.conf': 'nameserver 1.2.3.4\n' },
      ['10.20.0.1'],
    ],
    [{}, []],
  ];
  for (const [files, expected] of cases)
    assert.deepEqual(
      resolversIn((path) => files[path] ?? ''),
      expected,
    );
});
