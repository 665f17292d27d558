import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClientAddresses } from './client-address.ts';

const addresses = new ClientAddresses(['10.0.0.0/8', '192.0.2.5', 'fd00::/8']);

function clientOf(remoteAddress: string, forwarded?: string): string {
  // Only these are looked at.
  const socket = { remoteAddress } as Parameters<ClientAddresses['of']>[0]['socket'];
  return addresses.of({ socket, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } });
}

describe('SF12: where a request came from', () => {
  for (const [what, remote, forwarded, client] of [
    ['a client without a proxy', '198.51.100.7', undefined, '198.51.100.7'],
    ['a client that writes the header itself', '198.51.100.7', '203.0.113.9', '198.51.100.7'],
    ['a proxy of ours', '10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['a proxy that is seen as IPv4-mapped', '::ffff:10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['a client that put another before itself', '10.0.0.1', '203.0.113.9, 198.51.100.7', '198.51.100.7'],
    ['two proxies of ours', '10.0.0.1', '203.0.113.9, 198.51.100.7, 192.0.2.5', '198.51.100.7'],
    ['a proxy whose client is a proxy of ours, and no more', '10.0.0.1', '10.0.0.2', '10.0.0.2'],
    ['a proxy that says nothing', '10.0.0.1', undefined, '10.0.0.1'],
    ['a proxy that says nonsense', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['a proxy that says control characters', '10.0.0.1', '\u001b[2J', '10.0.0.1'],
    ['a proxy that adds the port', '10.0.0.1', '198.51.100.7:4711', '198.51.100.7'],
    ['IPv6', 'fd00::1', '2001:db8::7', '2001:db8::7'],
    ['IPv6 with a port', 'fd00::1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['an endless list', '10.0.0.1', `${'10.1.1.1,'.repeat(5000)}10.0.0.9`, '10.1.1.1'],
  ] as const)
    test(`${what} is ${client}`, () => assert.equal(clientOf(remote, forwarded), client));
});
