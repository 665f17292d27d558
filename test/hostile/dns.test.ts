import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { dns } from '../../src/checks/dns/dns.ts';
import type { Outcome, Reason } from '../../src/core/outcome.ts';
import { decodeMessage } from '../../src/net/packets/dns/decode.ts';
import { encodeMessage, type DnsMessage } from '../../src/net/packets/dns/message.ts';
import { testContext } from '../../src/testing/context.ts';
import { dnsServer, framed, record, replyTo, silent, type Answer } from '../../src/testing/dns-server.ts';
import { timed } from '../../src/testing/lateness.ts';
import { tcpServer } from '../../src/testing/tcp-server.ts';

const waitMs = 200;
const graceMs = 250;
const maxExtraBytes = 32 * 1024 * 1024;

/** One try against a server: it must end in time and in little memory, as an outcome with a reason. */
async function check(port: number, options: object = {}): Promise<Outcome> {
  const beforeBytes = process.memoryUsage().rss;
  const parsed = dns.options.parse({
    name: 'example.test',
    server: `127.0.0.1:${port}`,
    wait: `${waitMs}ms`,
    retries: 0,
    ...options,
  });
  const { value: outcome, lateMs } = await timed(() => dns.run(parsed, testContext()), waitMs);
  assert.ok(lateMs <= graceMs, `it ended ${lateMs.toFixed(0)} ms late`);
  const extraBytes = process.memoryUsage().rss - beforeBytes;
  assert.ok(extraBytes <= maxExtraBytes, `it took ${extraBytes} bytes`);
  return outcome;
}

const good = (query: DnsMessage): Buffer =>
  encodeMessage(replyTo(query, { answers: [record('example.test 60 A 192.0.2.1')] }));

/** A header with these counts, then these bytes. */
function message({ id }: DnsMessage, counts: readonly number[], hex: string): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x8180, 2);
  for (const [index, count] of counts.entries()) header.writeUInt16BE(count, 4 + index * 2);
  return Buffer.concat([header, Buffer.from(hex, 'hex')]);
}

/** The question: example.test, A, internet. */
const asked = '07 6578616d706c65 04 74657374 00 0001 0001'.replaceAll(' ', '');

describe('a datagram that is no proper answer', () => {
  const table: readonly (readonly [what: string, answer: Answer, reason: Reason, message: RegExp])[] = [
    ['nothing at all', silent, 'timeout', /Waiting for an answer/],
    ['an empty datagram', () => Buffer.alloc(0), 'timeout', /Waiting for an answer/],
    ['one byte', () => Buffer.alloc(1), 'timeout', /Waiting for an answer/],
    ['another id', (query) => replyTo({ ...query, id: query.id ^ 1 }), 'timeout', /Waiting for an answer/],
    ['the id and nothing more', (query) => good(query).subarray(0, 2), 'protocol', /2 bytes that are none/],
    ['the query itself', (query) => encodeMessage(query), 'protocol', /got a message that is none/],
    ['another operation', (query) => replyTo({ ...query, opcode: 5 }), 'protocol', /opcode 5/],
    [
      'an answer to another name',
      (query) => replyTo(query, { questions: [{ name: 'evil.test', type: 'A' }] }),
      'protocol',
      /Expected an answer about example\.test A .* got one about evil\.test A/,
    ],
    [
      'an answer about another type',
      (query) => replyTo(query, { questions: [{ name: 'example.test', type: 'MX' }] }),
      'protocol',
      /got one about example\.test MX/,
    ],
    ['no question', (query) => replyTo(query, { questions: [] }), 'protocol', /got one about nothing/],
    ['the header cut short', (query) => good(query).subarray(0, 7), 'protocol', /7 bytes that are none/],
    [
      'the last byte missing',
      (query) => good(query).subarray(0, -1),
      'protocol',
      /none that can be read: record 1 of 1/,
    ],
    ['65,535 answers of which none is there', (query) => message(query, [1, 65_535], asked), 'protocol', /runs past/],
    ['a question that points to itself', (query) => message(query, [1], 'c00c00010001'), 'protocol', /points on/],
    [
      'pointers that point to each other',
      (query) => message(query, [1, 1], `${asked}c024c01e000100010000000000`),
      'protocol',
      /points on/,
    ],
    [
      'a name of 1,000 bytes',
      (query) => message(query, [1, 1], `${asked}${`3f${'61'.repeat(63)}`.repeat(16)}00`),
      'protocol',
      /longer than 255/,
    ],
    [
      'a chain of 200 pointers',
      (query) => message(query, [1, 1], `${asked}${chainOfPointers(200)}`),
      'protocol',
      /none that can be read/,
    ],
    [
      'an address with five bytes',
      (query) => message(query, [1, 1], `${asked}c00c0001000100000001000501020304ff`),
      'protocol',
      /1 more than are needed/,
    ],
    ['noise', (query) => noise(query, 512), 'protocol', /that are none/],
    ['noise of 65,000 bytes', (query) => noise(query, 65_000), 'protocol', /that are none/],
    [
      'an alias that is its own',
      (query) => replyTo(query, { answers: [record('example.test 1 CNAME example.test')] }),
      'name-not-found',
      /got none/,
    ],
  ];
  for (const [what, answer, reason, expected] of table) {
    test(`${what}: ${reason}`, async () => {
      await using server = await dnsServer(answer);
      const outcome = await check(server.port);
      assert.deepEqual([outcome.status, outcome.reason], ['down', reason], outcome.message);
      assert.match(outcome.message, expected);
    });
  }

  test('bytes after the end: up, and protocol if it is strict', async () => {
    await using server = await dnsServer((query) => Buffer.concat([good(query), Buffer.alloc(9)]));
    const outcome = await check(server.port);
    assert.equal(outcome.status, 'up', outcome.message);
    assert.deepEqual(outcome.detail['oddities'], ['It has 9 bytes after the end of the message.']);
    const strict = await check(server.port, { strict: true });
    assert.deepEqual([strict.status, strict.reason], ['down', 'protocol']);
  });

  test('an answer from another port is never heard: timeout', async () => {
    const other = createSocket('udp4');
    const server = createSocket('udp4').bind(0, '127.0.0.1');
    try {
      await new Promise((resolve) => server.once('listening', resolve));
      server.on('message', (datagram, from) => other.send(datagram, from.port, from.address));
      const outcome = await check(server.address().port);
      assert.equal(outcome.reason, 'timeout', outcome.message);
    } finally {
      other.close();
      server.close();
    }
  });
});

/** Each pointer leads to the one before it, the last is the owner of an answer. */
function chainOfPointers(count: number): string {
  const first = 12 + asked.length / 2;
  const pointers = Array.from({ length: count }, (_, index) => 0xc000 + (index === 0 ? 12 : first + (index - 1) * 2));
  return pointers.map((pointer) => pointer.toString(16)).join('');
}

/** A record whose data is a chain of labels, each with a pointer to the one before, then records whose owner is the last. */
function manyLongNames(query: DnsMessage): Buffer {
  const chainAt = 12 + asked.length / 2 + 11;
  const chain = Array.from({ length: 126 }, (_, index) =>
    // The first ends with the root and is a byte shorter than the others.
    index === 0 ? '012000' : `0120${(0xc000 + chainAt + (index === 1 ? 0 : index * 4 - 5)).toString(16)}`,
  );
  const data = chain.join('');
  const holder = `00ff00000100000000${(data.length / 2).toString(16).padStart(4, '0')}${data}`;
  const last = (0xc000 + chainAt + 125 * 4 - 1).toString(16);
  const owned = `${last}00010001000000000004c0000201`;
  return message(query, [1, 4001], `${asked}${holder}${owned.repeat(4000)}`);
}

/** The same at each run: a failure can be looked into. */
function noise({ id }: DnsMessage, length: number): Buffer {
  const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * index * 31 + index * 7) & 0xff));
  bytes.writeUInt16BE(id, 0);
  return bytes;
}

function onQuery(socket: Socket, answer: (query: DnsMessage) => Buffer): void {
  socket.once('data', (chunk: Buffer) => socket.write(answer(decodeMessage(chunk.subarray(2)))));
}

function flood(socket: Socket): void {
  const chunk = Buffer.alloc(65_536, 0x41);
  const push = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', push);
  push();
}

function drip(socket: Socket): void {
  const timer = setInterval(() => socket.write(Buffer.of(0x10)), 5);
  socket.once('close', () => clearInterval(timer));
}

describe('a stream that is no proper answer', () => {
  type Serve = Parameters<typeof tcpServer>[0];
  const table: readonly (readonly [what: string, serve: Serve, reason: Reason, message: RegExp])[] = [
    ['accepts and says nothing', () => {}, 'timeout', /Waiting for an answer from .* by TCP/],
    ['closes at once', (socket) => socket.end(), 'closed', /closed the connection after 0 bytes/],
    ['resets at once', (socket) => socket.resetAndDestroy(), 'reset', /reset/],
    ['says half of a length', (socket) => socket.end(Buffer.of(0)), 'closed', /after 1 bytes/],
    ['states more than it sends', (socket) => socket.end(Buffer.of(255, 255, 1, 2)), 'closed', /after 4 bytes/],
    ['states a length of zero', (socket) => socket.end(Buffer.of(0, 0)), 'protocol', /0 bytes that are none/],
    [
      'states less than it sends',
      (socket) => onQuery(socket, (query) => Buffer.concat([Buffer.of(0, 12), good(query)])),
      'protocol',
      /12 bytes that are none/,
    ],
    ['speaks HTTP', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), 'closed', /after 28 bytes/],
    ['sends without end', flood, 'protocol', /that are none/],
    ['sends a byte now and then without end', drip, 'timeout', /Waiting for an answer/],
    [
      'truncates even so',
      (socket) => onQuery(socket, (query) => framed(encodeMessage(replyTo(query, { flags: ['qr', 'tc'] })))),
      'protocol',
      /the answer is truncated/,
    ],
  ];
  for (const [what, serve, reason, expected] of table) {
    test(`a server that ${what}: ${reason}`, async () => {
      await using server = await tcpServer(serve);
      const outcome = await check(server.port, { protocol: 'tcp' });
      assert.deepEqual([outcome.status, outcome.reason], ['down', reason], outcome.message);
      assert.match(outcome.message, expected);
    });
  }

  test('an answer of 64 KiB with 4,000 addresses is read', async () => {
    await using server = await tcpServer((socket) =>
      onQuery(socket, (query) =>
        framed(message(query, [1, 4000], asked + 'c00c000100010000003c0004c0000201'.repeat(4000))),
      ),
    );
    const outcome = await check(server.port, { protocol: 'tcp' });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.equal(outcome.metrics['answers'], 4000);
    assert.equal((outcome.detail['answers'] as object[]).length, 100);
  });

  test('4,000 pointers to one name of 126 labels cost no more than their bytes', async () => {
    await using server = await tcpServer((socket) => onQuery(socket, (query) => framed(manyLongNames(query))));
    const outcome = await check(server.port, { protocol: 'tcp' });
    assert.equal(outcome.reason, 'name-not-found', outcome.message);
  });

  for (const protocol of ['tls', 'https']) {
    test(`a server that never shakes hands by ${protocol}: timeout`, async () => {
      await using server = await tcpServer();
      const outcome = await check(server.port, { protocol });
      assert.equal(outcome.reason, 'timeout', outcome.message);
    });

    test(`a server that speaks plain text where ${protocol} is expected: tls-handshake`, async () => {
      await using server = await tcpServer((socket) => socket.write('220 mail.example.test\r\n'));
      const outcome = await check(server.port, { protocol });
      assert.equal(outcome.reason, 'tls-handshake', outcome.message);
    });
  }
});
