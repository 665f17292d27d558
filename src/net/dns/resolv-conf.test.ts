import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResolvConf } from './resolv-conf.ts';

const defaults = {
  servers: [{ address: { ip: '127.0.0.1', family: 4 }, port: 53 }],
  search: [],
  ndots: 1,
  timeoutMs: 2000,
  attempts: 2,
  rotate: false,
  singleRequest: false,
  useTcp: false,
};

test('an empty file means the server of this machine', () => {
  assert.deepEqual(parseResolvConf(''), defaults);
});

test('servers, search domains and options are read; the last search line counts', () => {
  const text = `# made by hand
nameserver 192.0.2.1
nameserver fe80::1%eth0 ; the router
nameserver not-an-address
domain first.test
search Second.test third.test
options ndots:2 rotate timeout:1 attempts:4 edns0
`;
  assert.deepEqual(parseResolvConf(text), {
    servers: [
      { address: { ip: '192.0.2.1', family: 4 }, port: 53 },
      { address: { ip: 'fe80::1%eth0', family: 6 }, port: 53 },
    ],
    search: ['second.test', 'third.test'],
    ndots: 2,
    timeoutMs: 1000,
    attempts: 4,
    rotate: true,
    singleRequest: false,
    useTcp: false,
  });
});

test('what is beyond the limits of the C library is cut to them', () => {
  const servers = Array.from({ length: 9 }, (_, index) => `nameserver 192.0.2.${index}`).join('\n');
  const settings = parseResolvConf(`${servers}\noptions ndots:99 timeout:0 attempts:100`);
  const { ndots, timeoutMs, attempts } = settings;
  assert.deepEqual([settings.servers.length, ndots, timeoutMs, attempts], [3, 15, 1000, 5]);
});

test('CN1: the options that change how servers are asked are read', () => {
  const { rotate, singleRequest, useTcp } = parseResolvConf('options single-request use-vc\noptions rotate');
  assert.deepEqual([rotate, singleRequest, useTcp], [true, true, true]);
  assert.equal(parseResolvConf('options single-request-reopen').singleRequest, true);
});
