import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:tls';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { describe, test } from 'node:test';
import { nextTurn, systemClock, type Clock } from '../../core/clock.ts';
import type { Outcome } from '../../core/outcome.ts';
import { decodeMessage } from '../../net/packets/dns/decode.ts';
import { encodeMessage, type DnsMessage } from '../../net/packets/dns/message.ts';
import { testCertificates } from '../../testing/certificates.ts';
import { testContext } from '../../testing/context.ts';
import { dnsServer, record, replyTo, type Answer } from '../../testing/dns-server.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { dns } from './dns.ts';

const answers = [record('example.test 60 A 192.0.2.1')];
const good: Answer = (query) => replyTo(query, { answers });

async function ask(answer: Answer, options: object = {}, clock?: Clock): Promise<Outcome> {
  await using server = await dnsServer(answer);
  return await check({ server: `127.0.0.1:${server.port}`, ...options }, clock);
}

/** No test waits for the end of its time, unless by a clock of its own. */
function check(options: object, clock: Clock = systemClock): Promise<Outcome> {
  const parsed = dns.options.parse({ name: 'example.test', wait: '8s', retries: 0, ...options });
  return dns.run(parsed, testContext({ clock }));
}

/** Closes the server and its connections at the end, also of a test that fails. */
async function listening(server: Server, host: string): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket)).listen(0, host);
  await once(server, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers well, but what a query with EDNS gets is `trouble`. */
function toEdns(trouble: (query: DnsMessage) => DnsMessage | undefined): Answer {
  return (query, by) => (query.edns ? trouble(query) : good(query, by));
}

/** An answer with these bytes missing at its end. */
function cut(bytes: number): Answer {
  return (query) =>
    encodeMessage(replyTo(query, { answers, authorities: [record('test 60 NS ns.test')] })).subarray(0, -bytes);
}

const reverse: Answer = (query) =>
  replyTo(query, {
    answers: query.questions.map(({ name }) => ({ name, type: 'PTR', ttlSeconds: 60, data: 'a.test' })),
  });

const chaos: Answer = (query) =>
  replyTo(query, { answers: query.questions.map((asked) => ({ ...asked, ttlSeconds: 0, data: '"9.20"' })) });

const internet: Answer = (query) => replyTo(query, { answers: [record('version.bind 0 TXT "9.20"')] });

describe('CN2: what is no answer to the question is dropped, and the answer behind it is taken', () => {
  const wrong: readonly (readonly [what: string, make: (query: DnsMessage) => DnsMessage | Buffer])[] = [
    ['another name', (query) => replyTo(query, { questions: [{ name: 'evil.test', type: 'A' }] })],
    ['another type', (query) => replyTo(query, { questions: [{ name: 'example.test', type: 'MX' }] })],
    ['another class', (query) => replyTo(query, { questions: [{ name: 'example.test', type: 'A', class: 'CH' }] })],
    ['the query itself', (query) => query],
    ['no question and no answer', (query) => replyTo(query, { questions: [] })],
    ['bytes that are no message', (query) => encodeMessage(query).subarray(0, 7)],
  ];
  for (const [what, make] of wrong) {
    for (const protocol of ['udp', 'tcp']) {
      test(`${what}, by ${protocol}`, async () => {
        const outcome = await ask((query) => [make(query), replyTo(query, { answers })], { protocol });
        assert.equal(outcome.status, 'up', outcome.message);
        assert.equal(outcome.detail['oddities'], undefined);
      });
    }
  }

  test('nothing behind it is a protocol failure that says what came', async () => {
    const clock = new FakeClock();
    let isAsked = false;
    const wrong: Answer = (query) => {
      isAsked = true;
      return replyTo(query, { questions: [{ name: 'evil.test', type: 'A' }] });
    };
    const asking = ask(wrong, { wait: '1s' }, clock);
    const run = new AbortController();
    void asking.finally(() => run.abort());
    while (!run.signal.aborted) {
      await nextTurn();
      if (isAsked) await clock.advance(10);
    }
    const outcome = await asking;
    assert.deepEqual([outcome.status, outcome.reason], ['down', 'protocol']);
    assert.match(outcome.message, /Expected an answer about example\.test A from .*, got one about evil\.test A/);
  });
});

describe('CN3: a server that fails at EDNS is asked again without it, within the same time', () => {
  for (const [rcode, name] of [
    [1, 'FORMERR'],
    [2, 'SERVFAIL'],
    [4, 'NOTIMP'],
    [16, 'BADVERS'],
  ] as const) {
    for (const protocol of ['udp', 'tcp']) {
      test(`${name} by ${protocol}`, async () => {
        const edns = { udpSize: 512, dnssec: false };
        const refuses = toEdns((query) => replyTo(query, { rcode, ...(rcode > 15 && { edns }) }));
        const outcome = await ask(refuses, { protocol });
        assert.equal(outcome.status, 'up', outcome.message);
        assert.equal(outcome.metrics['tries'], 1);
        assert.deepEqual(outcome.detail['oddities'], [
          `The server answered ${name} to a query with EDNS, and was answered without EDNS.`,
        ]);
        const strict = await ask(refuses, { protocol, strict: true });
        assert.deepEqual([strict.status, strict.reason], ['down', 'protocol']);
      });
    }
  }

  for (const protocol of ['udp', 'tcp']) {
    test(`silence by ${protocol}`, async () => {
      const clock = new FakeClock();
      const silent = toEdns(() => void clock.advance(150));
      const outcome = await ask(silent, { protocol, wait: '300ms' }, clock);
      assert.equal(outcome.status, 'up', outcome.message);
      assert.match(JSON.stringify(outcome.detail['oddities']), /did not answer a query with EDNS within 150ms/);
      assert.equal(outcome.metrics['queryMs'], 0, 'the time of the query that was answered');
    });
  }

  test('an answer to the first query still counts after half the time', async () => {
    const clock = new FakeClock();
    const askedAgain = Promise.withResolvers<undefined>();
    const late: Answer = async (query) => {
      if (!query.edns) {
        askedAgain.resolve(undefined);
        return undefined;
      }
      await clock.advance(200);
      await askedAgain.promise;
      return replyTo(query, { answers });
    };
    const outcome = await ask(late, { wait: '300ms' }, clock);
    assert.equal(outcome.status, 'up', outcome.message);
    assert.equal(outcome.metrics['queryMs'], 200);
    assert.equal(outcome.detail['oddities'], undefined);
  });

  test('strict, a lost datagram is tried again and is no oddity', async () => {
    const clock = new FakeClock();
    let asked = 0;
    const lossy: Answer = (query, by) => (++asked === 1 ? void clock.advance(100) : good(query, by));
    const outcome = await ask(lossy, { strict: true, retries: 1, wait: '100ms' }, clock);
    assert.equal(outcome.status, 'up', outcome.message);
    assert.equal(outcome.metrics['tries'], 2);
  });

  test('SERVFAIL to both stays SERVFAIL, with the reason that the first answer gives', async () => {
    const bogus = Buffer.concat([Buffer.of(0, 6), Buffer.from('no valid signature')]);
    const edns = { udpSize: 1232, dnssec: false, options: [{ code: 15, data: bogus }] };
    const outcome = await ask((query) => replyTo(query, { rcode: 2, ...(query.edns && { edns }) }));
    assert.deepEqual([outcome.status, outcome.reason], ['down', 'assertion']);
    assert.match(outcome.message, /got SERVFAIL \(DNSSEC Bogus: no valid signature\)\.$/);
  });

  test('an rcode that is expected, or DNSSEC that is wanted, is no reason to ask again', async () => {
    const server = toEdns((query) => replyTo(query, { rcode: 2 }));
    assert.equal((await ask(server, { expect: { rcode: 'SERVFAIL' } })).status, 'up');
    assert.match((await ask(server, { dnssec: true })).message, /got SERVFAIL/);
  });

  test('edns: false asks without EDNS from the start, and goes with no option that needs it', async () => {
    await using server = await dnsServer(good);
    assert.equal((await check({ server: `127.0.0.1:${server.port}`, edns: false })).status, 'up');
    assert.equal(server.queries[0]?.edns, undefined);
    const { error } = dns.options.safeParse({ name: 'a.test', edns: false, dnssec: true });
    assert.match(JSON.stringify(error?.issues), /expected edns with dnssec/);
  });
});

describe('CN4: an answer with a flaw elsewhere is kept, and the flaw is told', () => {
  const cases: readonly (readonly [what: string, parts: Partial<DnsMessage>, oddity: RegExp])[] = [
    ['the answer section', { answers: [...answers, record('example.test 60 A \\# 5 0102030405')] }, /answer section/],
    [
      'the authority section',
      { authorities: [record('x.test 60 CAA \\# 10 000769735f7375653b78')] },
      /authority section/,
    ],
    ['the additional section', { additionals: [record('x.test 60 A \\# 5 0102030405')] }, /additional section/],
    ['the question, which is left out', { questions: [] }, /does not repeat the question/],
    [
      'the question, which comes twice',
      { questions: [1, 2].map(() => ({ name: 'example.test', type: 'A' })) },
      /has 2 questions/,
    ],
  ];
  for (const [where, parts, oddity] of cases) {
    test(where, async () => {
      const outcome = await ask((query) => replyTo(query, { answers, ...parts }));
      assert.equal(outcome.status, 'up', outcome.message);
      assert.equal(outcome.metrics['answers'], 1);
      assert.match(JSON.stringify(outcome.detail['oddities']), oddity);
    });
  }

  test('exactly these answers are not those and one that cannot be read', async () => {
    const both = [...answers, record('example.test 60 A \\# 5 0102030405')];
    const expect = { answers: ['192.0.2.1'], match: 'exact' };
    const outcome = await ask((query) => replyTo(query, { answers: both }), { expect });
    assert.equal(outcome.reason, 'assertion', outcome.message);
  });

  test('a message that is cut off behind the answer is up, one that is cut off in it is not', async () => {
    assert.equal((await ask(cut(3))).status, 'up');
    assert.equal((await ask(cut(30))).reason, 'protocol');
  });
});

describe('CN5: answers are compared by their bytes, and only names without regard to case', () => {
  const cases: readonly (readonly [type: string, data: string, expected: string, isEqual: boolean])[] = [
    ['TXT', '"\\255"', '"\\254"', false],
    ['TXT', '"\\255"', '"\\255"', true],
    ['TXT', '"a" "b"', 'ab', true],
    ['TXT', '"Straße"', 'Straße', true],
    ['URI', '10 1 "https://example.test/A"', '10 1 "https://example.test/a"', false],
    ['CAA', '0 issue "CA.test"', '0 issue "ca.test"', false],
    ['CAA', '0 Issue "ca.test"', '0 issue "ca.test"', true],
    ['NAPTR', '1 1 "S" "SIP" "!a!B!" x.test', '1 1 "S" "SIP" "!a!b!" x.test', false],
    ['NAPTR', '1 1 "S" "SIP" "!a!B!" X.test', '1 1 "S" "SIP" "!a!B!" x.test', true],
    ['MX', '10 Mail.example.test', '10 mail.EXAMPLE.test.', true],
    ['HINFO', '"PDP" "unix"', '"pdp" "unix"', false],
    ['SVCB', '1 Svc.test alpn="H2"', '1 svc.test alpn="h2"', false],
    ['TLSA', '3 1 1 AB', '3 1 1 ab', true],
    ['OPENPGPKEY', 'AQID', 'aqid', false],
    ['A', '192.0.2.1', '\\# 4 C0000201', true],
    ['TYPE65280', '\\# 2 ABCD', '\\# 2 abcd', true],
  ];
  for (const [type, data, expected, isEqual] of cases) {
    test(`${type} ${data} is ${isEqual ? '' : 'not '}${expected}`, async () => {
      const one = record(`example.test 60 ${type} ${data}`);
      const outcome = await ask((query) => replyTo(query, { answers: [one] }), {
        record: type,
        expect: { answers: [expected] },
      });
      assert.equal(outcome.status, isEqual ? 'up' : 'down', outcome.message);
    });
  }

  test('answers of several types to ANY are compared each by its own', async () => {
    const several = [record('example.test 60 MX 10 Mail.test'), record('example.test 60 TXT "Text"')];
    const any = (answer: string) =>
      ask((query) => replyTo(query, { answers: several }), { record: 'ANY', expect: { answers: [answer] } });
    assert.equal((await any('10 mail.test')).status, 'up');
    assert.equal((await any('"Text"')).status, 'up');
    assert.equal((await any('"text"')).status, 'down');
  });
});

test('CN6: the name of an address is asked for, whatever address record stands there', async () => {
  for (const options of [{ name: '192.0.2.1' }, { name: '2001:db8::1', record: 'AAAA' }]) {
    const outcome = await ask(reverse, { ...options, expect: { answers: ['A.test'] } });
    assert.equal(outcome.message, 'PTR: a.test');
  }
  assert.match((await ask(good, { name: '192.0.2.1', record: 'TXT' })).message, /192\.0\.2\.1 TXT/);
});

test('CA2, CN7: an IPv6 server of DNS over HTTPS gets its address in brackets, with the port', async () => {
  const { good: pair, ca } = await testCertificates();
  const hosts: (string | undefined)[] = [];
  const listener = (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    hosts.push(request.headers.host ?? request.authority);
    const query = decodeMessage(Buffer.from(/dns=([\w-]+)/.exec(request.url ?? '')?.[1] ?? '', 'base64url'));
    response.setHeader('content-type', 'application/dns-message');
    response.end(encodeMessage(replyTo(query, { answers })));
  };
  for (const alpn of ['h2', 'http/1.1']) {
    const server = createSecureServer(
      { cert: pair.certificate, key: pair.key, allowHTTP1: true, ALPNProtocols: [alpn] },
      listener,
    );
    await using _closed = await listening(server, '::1');
    // A listening TCP server has an AddressInfo.
    const { port } = server.address() as AddressInfo;
    const outcome = await check({ server: `[::1]:${port}`, protocol: 'https', tls: { ca: ca.certificate } });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.equal(hosts.at(-1), `[::1]:${port}`, alpn);
    assert.ok((outcome.metrics['tlsMs'] ?? 0) > 0 && (outcome.metrics['certificateDaysLeft'] ?? 0) > 14);
    assert.match(JSON.stringify(outcome.detail['certificates']), /"role":"server".*"subject":"CN=localhost"/);
  }
});

test('CB8: a DNS server by TLS whose certificate ends soon is degraded', async () => {
  const { expiringSoon: pair, ca } = await testCertificates();
  const server = createTlsServer({ cert: pair.certificate, key: pair.key }, (socket) =>
    socket
      .on('error', () => {})
      .on('data', (bytes: Buffer) => {
        const reply = encodeMessage(replyTo(decodeMessage(bytes.subarray(2)), { answers }));
        socket.write(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 0xff]), reply]));
      }),
  );
  await using _closed = await listening(server, '127.0.0.1');
  // A listening TCP server has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  const askIt = (tls: object) =>
    check({ server: `127.0.0.1:${port}`, protocol: 'tls', tls: { ca: ca.certificate, ...tls } });
  const { status, message } = await askIt({});
  assert.equal(status, 'degraded');
  assert.match(
    message,
    /^Expected certificates with at least 14 days left, got 3\.\d days left on "CN=localhost" of 127/,
  );
  assert.equal((await askIt({ expiryDays: 1 })).status, 'up');
});

describe('CK5: what an answer says beside its records', () => {
  const extendedError = Buffer.concat([Buffer.of(0, 22), Buffer.from('all silent')]);
  const options = [
    { code: 3, data: Buffer.from('ns7.fra') },
    { code: 15, data: extendedError },
  ];
  const edns = { udpSize: 1232, dnssec: false, options };
  const full: Answer = (query) =>
    replyTo(query, {
      answers,
      authorities: [record('example.test 3600 NS ns1.example.test')],
      additionals: [record('ns1.example.test 60 A 192.0.2.53')],
      edns,
    });

  const expectations: readonly (readonly [expect: object, failure: RegExp | 'up'])[] = [
    [{ nsid: '^ns\\d+\\.fra$' }, 'up'],
    [{ nsid: 'lon$' }, /identifier like \/lon\$\/ \(NSID\), got "ns7\.fra"/],
    [{ extendedError: 22 }, 'up'],
    [{ extendedError: 6 }, /extended error 6 .* got \(No Reachable Authority: all silent\)/],
    [{ authority: ['^example\\.test \\d+ IN NS ns1\\.'] }, 'up'],
    [{ authority: ['IN NS ns2\\.'] }, /like \/IN NS ns2\\\.\/ in the authority section, got example\.test 3600 IN NS/],
    [{ additional: ['IN A 192\\.0\\.2\\.53$'] }, 'up'],
    [{ additional: ['IN AAAA'] }, /in the additional section, got ns1\.example\.test 60 IN A 192\.0\.2\.53/],
    [{ rcode: ['NXDOMAIN', 'NOERROR'] }, 'up'],
    [{ rcode: ['NXDOMAIN', 'REFUSED'] }, /Expected NXDOMAIN or REFUSED for example\.test A, got NOERROR/],
  ];
  for (const [expect, failure] of expectations) {
    test(JSON.stringify(expect), async () => {
      const outcome = await ask(full, { expect });
      if (failure === 'up') return assert.equal(outcome.status, 'up', outcome.message);
      assert.equal(outcome.reason, 'assertion');
      assert.match(outcome.message, failure);
    });
  }

  test('CK7, CH11: the sections and EDNS are in the detail', async () => {
    const { detail } = await ask(full, { nsid: true });
    const section = (name: string) => detail[name] as readonly { readonly data: string }[];
    assert.equal(section('authorities')[0]?.data, 'ns1.example.test');
    assert.equal(section('additionals')[0]?.data, '192.0.2.53');
    assert.deepEqual(detail['edns'], {
      version: 0,
      udpSize: 1232,
      dnssec: false,
      nsid: 'ns7.fra',
      extendedErrors: [{ code: 22, name: 'No Reachable Authority', text: 'all silent' }],
      options: [
        { name: 'NSID', hex: '6e73372e667261' },
        { name: 'EDE', hex: extendedError.toString('hex') },
      ],
    });
  });

  test('NSID is asked for only where it is wanted', async () => {
    await using server = await dnsServer(full);
    await check({ server: `127.0.0.1:${server.port}` });
    await check({ server: `127.0.0.1:${server.port}`, nsid: true });
    const codes = server.queries.map(({ edns: asked }) => asked?.options?.map(({ code }) => code));
    assert.deepEqual(codes, [undefined, [3]]);
  });

  test('the sections of one answer are bounded, and what is left out is counted', async () => {
    const many = Array.from({ length: 60 }, (_, index) =>
      record(`x${index}.test 60 TXT "${'a'.repeat(250)}" "${'b'.repeat(250)}"`),
    );
    const { detail } = await ask((query) => replyTo(query, { answers, additionals: many }), { protocol: 'tcp' });
    assert.ok(JSON.stringify(detail).length < 20_000);
    assert.equal((detail['additionals'] as object[]).length + Number(detail['recordsLeftOut']), 60);
  });

  test('class CH asks a server for its version, and answers of another class are none', async () => {
    const options = { name: 'version.bind', class: 'CH', record: 'TXT', expect: { answers: ['9.20'] } };
    assert.equal((await ask(chaos, options)).message, 'TXT: "9.20"');
    assert.equal((await ask(internet, options)).reason, 'name-not-found');
  });
});
