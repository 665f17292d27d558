import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeMessage, type DnsMessage, type DnsRecord } from '../../net/packets/dns/message.ts';
import { readDnsNames } from './dns-names.ts';

function addressesIn(message: Buffer): unknown {
  return readDnsNames(message)?.addresses ?? [];
}

function record(name: string, type: string, data: string): DnsRecord {
  return { name, type, ttlSeconds: 60, data };
}

function answer(asked: string | undefined, answers: readonly DnsRecord[]): Buffer {
  const message: DnsMessage = {
    id: 1,
    flags: ['qr'],
    opcode: 0,
    rcode: 0,
    questions: asked === undefined ? [] : [{ name: asked, type: 'A' }],
    answers,
    authorities: [],
    additionals: [record('other.example', 'A', '192.0.2.99')],
    edns: { udpSize: 1232, dnssec: false },
  };
  return encodeMessage(message);
}

test('E3: an address has the name that was asked for, also behind aliases', () => {
  const message = answer('WWW.Example.org', [
    record('www.example.org', 'CNAME', 'cdn.example.net'),
    record('cdn.example.net', 'CNAME', 'edge.example.net'),
    record('edge.example.net', 'A', '192.0.2.7'),
    record('edge.example.net', 'AAAA', '2001:db8::7'),
  ]);
  assert.deepEqual(addressesIn(message), [
    { address: '192.0.2.7', name: 'www.example.org', ttlSeconds: 60 },
    { address: '2001:db8::7', name: 'www.example.org', ttlSeconds: 60 },
  ]);
});

test('what was not asked for names nobody, nor does a question', () => {
  assert.deepEqual(addressesIn(answer('www.example.org', [record('bank.example', 'A', '192.0.2.7')])), []);
  const question = answer('www.example.org', [record('www.example.org', 'A', '192.0.2.7')]);
  question.writeUInt16BE(0, 2);
  assert.deepEqual(addressesIn(question), []);
});

test('multicast DNS names its own records; its bit in the class is not an error', () => {
  const message = answer(undefined, [record('seat-17.local', 'A', '192.0.2.17')]);
  message.writeUInt16BE(0x8001, message.indexOf('local') + 'local'.length + 1 + 2);
  assert.deepEqual(addressesIn(message), [{ address: '192.0.2.17', name: 'seat-17.local', ttlSeconds: 60 }]);
});

test('aliases in a circle end, and name nobody', () => {
  const circle = [record('a.example', 'CNAME', 'b.example'), record('b.example', 'CNAME', 'a.example')];
  assert.deepEqual(addressesIn(answer('c.example', [...circle, record('a.example', 'A', '192.0.2.7')])), []);
});

test('any bytes, and a good answer with some of its bytes changed or cut off, are read without an error', () => {
  const good = answer('www.example.org', [
    record('www.example.org', 'CNAME', 'cdn.example.net'),
    record('cdn.example.net', 'A', '192.0.2.7'),
  ]);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      (bytes) => void readDnsNames(Buffer.from([0, 1, 0x80, 0, ...bytes])),
    ),
    { numRuns: 10_000 },
  );
  const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 4 }), fc.nat(good.length), (changes, length) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      readDnsNames(bytes.subarray(0, length));
    }),
    { numRuns: 10_000 },
  );
});
