import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../core/failure.ts';
import type { Outcome } from '../../core/outcome.ts';
import { systemClock } from '../../core/clock.ts';
import { EgressPolicy } from '../../net/dial/egress.ts';
import { createNetwork } from '../../net/network.ts';
import { Resolver } from '../../net/resolve.ts';
import { testContext } from '../../testing/context.ts';
import { dnsServer, record, replyTo, silent, zone, type Answer } from '../../testing/dns-server.ts';
import { stand, type Stand } from '../../testing/stand.ts';
import { closedUdpPort } from '../../testing/udp-server.ts';
import { checkContract } from '../check.contract.ts';
import { dns } from './dns.ts';

const hosts = zone([
  'example.test 300 A 192.0.2.1',
  'example.test 60 A 192.0.2.2',
  'example.test 300 MX 10 mail.example.test',
  'example.test 300 AAAA 2001:db8::1',
  'example.test 300 TXT "v=spf1 " "-all"',
  'www.example.test 300 CNAME example.test',
  '1.2.0.192.in-addr.arpa 300 PTR example.test',
]);

const beforeEdns: Answer = (query, by) => (query.edns ? replyTo(query, { rcode: 1, questions: [] }) : hosts(query, by));

checkContract(dns, { answering: () => standOf(hosts), silent: () => standOf(silent) });

async function standOf(answer: Answer): Promise<Stand> {
  const server = await dnsServer(answer);
  return stand({ name: 'example.test', server: `127.0.0.1:${server.port}` }, () => server[Symbol.asyncDispose]());
}

async function ask(answer: Answer, options: object = {}): Promise<Outcome> {
  await using server = await dnsServer(answer);
  return await check({ server: `127.0.0.1:${server.port}`, wait: '8s', ...options });
}

function check(options: object, context = testContext()): Promise<Outcome> {
  return dns.run(dns.options.parse({ name: 'example.test', ...options }), context);
}

describe('what is asked', () => {
  test('A2: the record type is A unless another is said, in any case', async () => {
    assert.equal((await ask(hosts)).message, 'A: 192.0.2.1, 192.0.2.2');
    assert.equal((await ask(hosts, { record: 'mx' })).message, 'MX: 10 mail.example.test');
    assert.equal((await ask(hosts, { record: 'TYPE28' })).message, 'AAAA: 2001:db8::1');
  });

  test('an address is looked up in reverse', async () => {
    assert.equal((await ask(hosts, { name: '192.0.2.1', record: 'PTR' })).message, 'PTR: example.test');
  });

  test('a name in letters beyond ASCII is asked in its ASCII form', async () => {
    await using server = await dnsServer(hosts);
    await check({ name: 'bücher.test', server: `127.0.0.1:${server.port}` });
    assert.equal(server.queries[0]?.questions[0]?.name, 'xn--bcher-kva.test');
  });

  test('recursion is desired, and DNSSEC is not, unless the options say otherwise', async () => {
    await using server = await dnsServer(hosts);
    await check({ server: `127.0.0.1:${server.port}` });
    await check({ server: `127.0.0.1:${server.port}`, recursion: false, dnssec: true });
    const [first, second] = server.queries;
    assert.deepEqual([first?.flags, first?.edns?.dnssec], [['rd'], false]);
    assert.deepEqual([second?.flags, second?.edns?.dnssec], [[], true]);
  });

  test('a server from before EDNS is asked again without it, unless the answer has to be validated', async () => {
    assert.equal((await ask(beforeEdns)).message, 'A: 192.0.2.1, 192.0.2.2');
    assert.match((await ask(beforeEdns, { dnssec: true })).message, /got FORMERR/);
  });

  test("without a server the system's first one is asked", async () => {
    await using server = await dnsServer(hosts);
    const resolver = new Resolver({ clock: systemClock, servers: [server] });
    const net = createNetwork({ clock: systemClock, resolver, policy: new EgressPolicy() });
    const outcome = await check({}, testContext({ net }));
    assert.equal(outcome.detail['server'], `127.0.0.1:${server.port}`);
  });

  test('a server that the egress policy denies is not asked', async () => {
    const outcome = await check({ server: '169.254.1.1' });
    assert.deepEqual([outcome.status, outcome.reason], ['unknown', 'denied']);
  });
});

describe('what came', () => {
  test('an answer is measured and shown with its types and times', async () => {
    const outcome = await ask(hosts, { name: 'www.example.test' });
    const { latencyMs, metrics, detail } = outcome;
    assert.equal(metrics['answers'], 2);
    assert.equal(metrics['minTtlSeconds'], 60);
    assert.equal(metrics['tries'], 1);
    assert.ok((metrics['responseBytes'] ?? 0) > 50);
    assert.equal(latencyMs, metrics['queryMs']);
    assert.deepEqual([detail['rcode'], detail['protocol'], detail['truncated']], ['NOERROR', 'udp', false]);
    const first = { name: 'www.example.test', type: 'CNAME', ttlSeconds: 300, data: 'example.test' };
    assert.deepEqual((detail['answers'] as object[])[0], first);
  });

  test('an answer that does not fit into a datagram is asked for again by TCP', async () => {
    const outcome = await ask((query, by) =>
      by === 'udp' ? replyTo(query, { flags: ['qr', 'tc'] }) : hosts(query, by),
    );
    assert.equal(outcome.message, 'A: 192.0.2.1, 192.0.2.2');
    assert.deepEqual([outcome.detail['protocol'], outcome.detail['truncated']], ['tcp', true]);
  });

  test('TCP by choice asks no datagram', async () => {
    const outcome = await ask((query, by) => (by === 'tcp' ? hosts(query, by) : undefined), { protocol: 'tcp' });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.deepEqual([outcome.detail['protocol'], outcome.detail['truncated']], ['tcp', false]);
  });

  test('a lost datagram is tried again', async () => {
    let asked = 0;
    const outcome = await ask((query, by) => (++asked === 1 ? undefined : hosts(query, by)), { edns: false });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.equal(outcome.metrics['tries'], 2);
  });

  test('a long answer is shown in part', async () => {
    const many = Array.from({ length: 20 }, (_, index) => `example.test 60 A 192.0.2.${index}`);
    const outcome = await ask(zone(many));
    assert.match(outcome.message, /^A: 192\.0\.2\.0, .*192\.0\.2\.7 and 12 more$/);
  });
});

describe('what was expected', () => {
  const expectations: readonly (readonly [object, RegExp | 'up'])[] = [
    [{ expect: { answers: ['192.0.2.2'] } }, 'up'],
    [
      { expect: { answers: ['192.0.2.1', '192.0.2.3'] } },
      /Expected 192\.0\.2\.1, 192\.0\.2\.3 .*got 192\.0\.2\.1, 192\.0\.2\.2/,
    ],
    [{ expect: { answers: ['192.0.2.1', '192.0.2.3'], match: 'any' } }, 'up'],
    [{ expect: { answers: ['192.0.2.3'], match: 'any' } }, /Expected any of 192\.0\.2\.3/],
    [{ expect: { answers: ['192.0.2.1'], match: 'exact' } }, /Expected exactly 192\.0\.2\.1/],
    [{ expect: { answers: ['192.0.2.2', '192.0.2.1'], match: 'exact' } }, 'up'],
    [{ record: 'MX', expect: { answers: ['10 Mail.Example.test.'] } }, 'up'],
    [{ record: 'AAAA', expect: { answers: ['2001:DB8:0:0::1'] } }, 'up'],
    [{ record: 'TXT', expect: { answers: ['v=spf1 -all'] } }, 'up'],
    [{ record: 'TXT', expect: { answers: ['"v=spf1 -all"'] } }, 'up'],
    [{ record: 'TXT', expect: { answers: ['v=spf1 ~all'] } }, /Expected v=spf1 ~all/],
    [{ record: 'SRV', expect: { match: 'exact' } }, 'up'],
    [{ expect: { match: 'exact' } }, /Expected exactly no answer/],
    [{ name: 'none.test', expect: { rcode: 'NXDOMAIN' } }, 'up'],
    [{ expect: { rcode: 'NXDOMAIN' } }, /Expected NXDOMAIN for example\.test A, got NOERROR/],
    [{ expect: { flags: ['ra'] } }, 'up'],
    [{ expect: { flags: ['aa'] } }, /Expected the flag aa in the answer, got qr rd ra/],
    [{ dnssec: true }, /Expected the flag ad \(validated with DNSSEC\)/],
    [{ expect: { minTtl: '1m' } }, 'up'],
    [{ expect: { minTtl: '61s' } }, /Expected answers valid for 61s or more, 192\.0\.2\.2 is for 60 s/],
  ];
  for (const [options, expected] of expectations) {
    test(`${JSON.stringify(options)} is ${expected === 'up' ? 'up' : 'down, and says why'}`, async () => {
      const outcome = await ask(hosts, options);
      if (expected === 'up') return assert.equal(outcome.status, 'up', outcome.message);
      assert.deepEqual([outcome.status, outcome.reason, outcome.source], ['down', 'assertion', 'target']);
      assert.match(outcome.message, expected);
    });
  }

  test('a name that is not there is down, and says so', async () => {
    const outcome = await ask(hosts, { name: 'none.test' });
    assert.deepEqual([outcome.status, outcome.reason, outcome.source], ['down', 'name-not-found', 'target']);
    assert.match(outcome.message, /got NXDOMAIN/);
  });

  test('a name without such a record is down, and says so', async () => {
    const outcome = await ask(hosts, { record: 'SRV' });
    assert.equal(outcome.reason, 'name-not-found');
    assert.match(outcome.message, /records for example\.test SRV, got none/);
  });

  test('a slow answer is degraded', async () => {
    await using server = await dnsServer(hosts);
    const slow = { ...systemClock, monotonic: () => performance.now() * 1000 };
    const options = { server: `127.0.0.1:${server.port}`, degraded: { latency: '1ms' } };
    const outcome = await check(options, testContext({ clock: slow }));
    assert.deepEqual([outcome.status, outcome.reason], ['degraded', 'threshold']);
    assert.match(outcome.message, /^The answer took \d+\.\d+ ms \(degraded from 1ms\)\.$/);
  });

  test('the flag of a validated answer satisfies DNSSEC', async () => {
    const answers = [record('example.test 60 A 192.0.2.1')];
    const outcome = await ask((query) => replyTo(query, { answers, flags: ['qr', 'ad'] }), { dnssec: true });
    assert.equal(outcome.status, 'up', outcome.message);
  });
});

describe('a server that is not well', () => {
  for (const [rcode, name] of [
    [2, 'SERVFAIL'],
    [5, 'REFUSED'],
  ] as const) {
    test(`${name} is down, for the server is the target`, async () => {
      const outcome = await ask((query) => replyTo(query, { rcode }));
      assert.deepEqual([outcome.status, outcome.reason, outcome.source], ['down', 'assertion', 'target']);
      assert.match(outcome.message, new RegExp(`got ${name}`));
    });
  }

  test('silence is a timeout after all tries, and says whom it asked', async () => {
    const outcome = await ask(silent, { retries: 2, wait: '50ms' });
    assert.deepEqual([outcome.status, outcome.reason, outcome.source], ['down', 'timeout', 'target']);
    assert.match(outcome.message, /^Waiting for an answer from 127\.0\.0\.1:\d+ by UDP: No answer within 50ms\.$/);
    assert.equal(outcome.metrics['tries'], 3);
  });

  test("the run's deadline says what was waited for", async () => {
    const run = new AbortController();
    await using server = await dnsServer(() => {
      run.abort(new DOMException('Not done in time.', 'TimeoutError'));
      return undefined;
    });
    const outcome = await check({ server: `127.0.0.1:${server.port}` }, testContext({ signal: run.signal }));
    assert.deepEqual([outcome.reason, outcome.source], ['timeout', 'target']);
    assert.match(outcome.message, /^Waiting for an answer from 127/);
  });

  for (const protocol of ['udp', 'tcp']) {
    test(`nothing that listens by ${protocol} is refused`, async () => {
      const outcome = await check({ server: `127.0.0.1:${await closedUdpPort()}`, protocol });
      assert.deepEqual([outcome.status, outcome.reason], ['down', 'refused']);
    });
  }

  test('a server name that cannot be resolved is said to be the resolver, not the server', async () => {
    await using broken = await dnsServer((query) => replyTo(query, { rcode: 2 }));
    const resolver = new Resolver({ clock: systemClock, servers: [broken] });
    const net = createNetwork({ clock: systemClock, resolver, policy: new EgressPolicy() });
    const outcome = await check({ server: 'ns.example.test' }, testContext({ net }));
    assert.deepEqual([outcome.status, outcome.reason, outcome.source], ['unknown', 'resolver-failed', 'resolver']);
  });
});

function refuse(): Promise<never> {
  return Promise.reject(new Failure('refused', 'this is as far as the test goes'));
}

test('sections beside the answers, and EDNS, are only for a person who looks', async () => {
  const authorities = [record('example.test 60 NS ns.test')];
  await using server = await dnsServer((query) =>
    replyTo(query, { answers: [record('example.test 60 A 192.0.2.1')], authorities }),
  );
  const options = dns.options.parse({ name: 'example.test', server: `127.0.0.1:${server.port}` });
  const shown = await dns.run(options, testContext({ wantsFullDetail: true }));
  const kept = await dns.run(options, testContext({ wantsFullDetail: false }));
  assert.equal((shown.detail['authorities'] as object[]).length, 1);
  assert.equal(kept.detail['authorities'], undefined);
  assert.deepEqual(kept.detail['answers'], shown.detail['answers']);
});

test('each protocol has its usual port (RFC 1035, 7858 and 8484)', async () => {
  for (const [protocol, port] of [
    ['udp', 53],
    ['tcp', 53],
    ['tls', 853],
    ['https', 443],
  ] as const) {
    const { net, ...context } = testContext();
    const options = dns.options.parse({ name: 'example.test', server: '192.0.2.1', protocol, retries: 0 });
    const outcome = await dns.run(options, { ...context, net: { ...net, connect: refuse, exchangeDns: refuse } });
    assert.equal(outcome.detail['server'], `192.0.2.1:${port}`);
  }
});

test('options that cannot be are refused, each with what was expected', () => {
  const table = [
    [{ name: 'a..b' }, /expected a domain name/],
    [{ name: `${'a'.repeat(64)}.test` }, /expected a domain name/],
    [{ record: 'BOGUS' }, /expected a record type/],
    [{ record: 'TYPE65536' }, /expected a record type/],
    [{ record: 'OPT' }, /expected a record type/],
    [{ record: 'axfr' }, /expected a record type/],
    [{ record: 'TYPE250' }, /expected a record type/],
    [{ server: '1.2.3.4:0' }, /DNS server/],
    [{ server: '[::1' }, /DNS server/],
    [{ protocol: 'quic' }, /protocol/],
    [{ expect: { answers: ['300.1.1.1'] } }, /not the data of a record of type A: expected an IPv4 address/],
    [{ record: 'MX', expect: { answers: ['mail.test'] } }, /expected 2 parts in the data of a MX record/],
    [{ expect: { rcode: 'OK' } }, /rcode/],
    [{ expect: { colour: 'red' } }, /colour/],
    [{ retries: 11 }, /retries/],
  ] as const;
  for (const [options, message] of table) {
    const { error } = dns.options.safeParse({ name: 'example.test', ...options });
    assert.match(JSON.stringify(error?.issues), message);
  }
});
