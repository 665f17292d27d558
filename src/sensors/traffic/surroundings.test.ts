import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatewaysOf, ipv6GatewaysOf, macIn, surroundings } from './surroundings.ts';

test('the default gateways are read of the routes, IPv4 and IPv6, and no other route is one', () => {
  const routes = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask
eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000
eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF
tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000
wlan0\t00000000\tFE01A8C0\t0003\t0\t0\t600\t00000000
wlan0\t0002000A\t0100A8C0\t0003\t0\t0\t0\t00FFFFFF
`;
  assert.deepEqual(gatewaysOf(routes), ['192.168.0.1', '192.168.1.254']);
  const none = '0'.repeat(32);
  const gateway = 'fe800000000000000000000000000001';
  const routes6 = `fe800000000000000000000000000000 40 ${none} 00 ${none} 00000100 00000001 00000000 00000001 eth0
${none} 00 ${none} 00 ${gateway} 00000400 00000003 00000000 00000003 eth0
${none} 00 ${none} 00 ${none} ffffffff 00000001 00000000 00200200 lo
`;
  assert.deepEqual(ipv6GatewaysOf(routes6), ['fe80::1']);
  for (const table of ['', 'x', '\t00000000\tZZ', 'a b c d e']) {
    assert.deepEqual(gatewaysOf(table), []);
    assert.deepEqual(ipv6GatewaysOf(table), []);
  }
});

test('a neighbour has a MAC address once it has answered', () => {
  const table = `IP address       HW type     Flags       HW address            Mask     Device
192.168.0.17     0x1         0x2         02:fc:00:00:00:05     *        eth0
192.168.0.18     0x1         0x0         00:00:00:00:00:00     *        eth0
`;
  assert.equal(macIn(table, '192.168.0.17'), '02:fc:00:00:00:05');
  assert.equal(macIn(table, '192.168.0.18'), undefined);
  assert.equal(macIn(table, '192.168.0.1'), undefined);
});

test('the interfaces of this machine are there with their counters, loopback is not', () => {
  for (const { index, name, addresses, sent, received } of surroundings.interfaces()) {
    assert.notEqual(name, 'lo');
    assert.ok(index > 1 && Number.isSafeInteger(sent) && Number.isSafeInteger(received), name);
    for (const { address, prefix } of addresses) assert.ok(prefix >= 0 && prefix <= 128, address);
  }
});
