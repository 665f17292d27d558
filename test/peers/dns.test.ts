import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { dns } from '../../src/checks/dns/dns.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { reverseName } from '../../src/net/dns/reverse-name.ts';
import { Resolver } from '../../src/net/resolve.ts';
import { testCertificates } from '../../src/testing/certificates.ts';
import { testContext } from '../../src/testing/context.ts';
import { startBind9, type Bind9 } from './bind9.ts';
import { missing } from './daemon.ts';
import { startDnsmasq, type Dnsmasq } from './dnsmasq.ts';

const run = promisify(execFile);

describe('bind9', { skip: missing('named', 'dnssec-signzone', 'dig') }, () => {
  let bind9: Bind9;
  before(async () => {
    bind9 = await startBind9();
  });
  after(() => bind9[Symbol.asyncDispose]());

  function check(options: object): Promise<Outcome> {
    const server = `127.0.0.1:${bind9.authoritative.port}`;
    return dns.run(dns.options.parse({ server, ...options }), testContext());
  }

  // oxfmt-ignore
  const types = [
    'A', 'AAAA', 'MX', 'TXT', 'HINFO', 'RP', 'SRV', 'NAPTR', 'DNAME', 'DS', 'SSHFP', 'TLSA', 'SMIMEA',
    'OPENPGPKEY', 'CSYNC', 'ZONEMD', 'SVCB', 'HTTPS', 'CAA', 'URI', 'NSEC3PARAM', 'DNSKEY', 'SOA', 'NS',
    'LOC', 'CERT', 'AFSDB', 'APL', 'DHCID', 'HIP', 'EUI48', 'EUI64', 'IPSECKEY', 'KX', 'X25', 'ISDN', 'RT', 'PX',
    'GPOS', 'NID', 'L32', 'L64', 'LP', 'MB', 'MG', 'MR', 'MINFO', 'NSAP', 'NSAP-PTR', 'WKS', 'KEY', 'RKEY', 'DLV',
    'TA', 'NINFO', 'AVC', 'SINK', 'TALINK', 'AMTRELAY', 'DOA', 'EID', 'NIMLOC', 'RESINFO',
  ];
  const atApex = new Set(['NSEC3PARAM', 'DNSKEY', 'SOA', 'NS']);
  const names = [
    ...types.map((type) => [atApex.has(type) ? 'example.test' : `${type.toLowerCase()}.example.test`, type] as const),
    ['alias.example.test', 'CNAME'],
    ['alias.example.test', 'A'],
    ['any.thing.wild.example.test', 'A'],
    ['with\\.dot.example.test', 'TXT'],
    ['odd.example.test', 'TYPE65280'],
    ['a.example.test', 'RRSIG'],
  ] as const;
  for (const [name, type] of names) {
    test(`${name} ${type} is answered as dig shows it`, async () => {
      const outcome = await check({ name, record: type });
      assert.equal(outcome.status, 'up', outcome.message);
      assert.deepEqual(answersOf(outcome), await dig(name, type, bind9.authoritative.port));
      assert.deepEqual(outcome.detail['flags'], ['qr', 'aa', 'rd']);
    });
  }

  for (const type of types) {
    test(`CK5: the ${type} answers that dig shows can be expected`, async () => {
      const name = atApex.has(type) ? 'example.test' : `${type.toLowerCase()}.example.test`;
      const shown = await dig(name, type, bind9.authoritative.port);
      const answers = shown.map((line) => line.slice(`${name} ${type} `.length));
      const outcome = await check({ name, record: type, expect: { answers, match: 'exact' } });
      assert.equal(outcome.status, 'up', outcome.message);
    });
  }

  test('NXDOMAIN is down unless it is expected', async () => {
    const outcome = await check({ name: 'none.example.test' });
    assert.equal(outcome.reason, 'name-not-found');
    const expected = await check({
      name: 'none.example.test',
      dnssec: false,
      expect: { rcode: 'NXDOMAIN', flags: ['aa'] },
    });
    assert.equal(expected.status, 'up', expected.message);
    const authorities = expected.detail['authorities'] as readonly { readonly type: string }[];
    assert.deepEqual(
      authorities.map(({ type }) => type),
      ['SOA'],
    );
  });

  test('an answer of 100 addresses comes by TCP after a truncated datagram', async () => {
    const outcome = await check({ name: 'big.example.test' });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.equal(outcome.metrics['answers'], 100);
    assert.deepEqual([outcome.detail['protocol'], outcome.detail['truncated']], ['tcp', true]);
  });

  for (const [protocol, portName] of [
    ['tcp', 'port'],
    ['tls', 'tlsPort'],
    ['https', 'httpsPort'],
  ] as const) {
    test(`the same answer comes by ${protocol}`, async () => {
      const { ca } = await testCertificates();
      const server = `localhost:${bind9.authoritative[portName]}`;
      const outcome = await check({ name: 'big.example.test', protocol, server, tls: { ca: ca.certificate } });
      assert.equal(outcome.status, 'up', outcome.message);
      assert.equal(outcome.metrics['answers'], 100);
      assert.equal(outcome.detail['protocol'], protocol);
    });
  }

  for (const [protocol, portName] of [
    ['tls', 'tlsPort'],
    ['https', 'httpsPort'],
  ] as const) {
    test(`a certificate that is not trusted is refused by ${protocol}, unless verification is off`, async () => {
      const server = `localhost:${bind9.authoritative[portName]}`;
      const refused = await check({ name: 'a.example.test', protocol, server });
      assert.equal(refused.reason, 'tls-untrusted', refused.message);
      const accepted = await check({ name: 'a.example.test', protocol, server, tls: { verify: false } });
      assert.equal(accepted.status, 'up', accepted.message);
    });

    test(`a certificate for another name is refused by ${protocol}`, async () => {
      const { ca } = await testCertificates();
      const server = `localhost:${bind9.authoritative[portName]}`;
      const tls = { ca: ca.certificate, serverName: 'wrong.test' };
      const outcome = await check({ name: 'a.example.test', protocol, server, tls });
      assert.equal(outcome.reason, 'tls-wrong-name', outcome.message);
    });
  }

  test('another path than the one for DNS is a protocol failure that names the status', async () => {
    const { ca } = await testCertificates();
    const server = `localhost:${bind9.authoritative.httpsPort}`;
    const options = { name: 'a.example.test', protocol: 'https', path: '/other', retries: 0 };
    const outcome = await check({ ...options, server, tls: { ca: ca.certificate } });
    assert.equal(outcome.reason, 'protocol');
    assert.match(outcome.message, /Expected 200 from 127\.0\.0\.1:\d+ by HTTPS, got 404/);
  });

  test('a validating resolver sets AD for the signed zone, and the authoritative server does not', async () => {
    const server = `127.0.0.1:${bind9.resolver.port}`;
    const validated = await check({ name: 'a.example.test', server, dnssec: true });
    assert.equal(validated.status, 'up', validated.message);
    assert.equal(validated.metrics['answers'], 2);
    const plain = await check({ name: 'a.example.test', dnssec: true });
    assert.equal(plain.reason, 'assertion');
    assert.match(plain.message, /Expected the flag ad/);
  });

  test('the resolver of all checks finds addresses, aliases and what is not there', async () => {
    const address = { ip: '127.0.0.1', family: 4 } as const;
    const resolver = new Resolver({ clock: systemClock, servers: [{ address, port: bind9.resolver.port }] });
    const signal = AbortSignal.timeout(10_000);
    assert.match((await resolver.resolve('aaaa.example.test', { signal })).ip, /^2001:db8:/);
    assert.match((await resolver.resolve('alias.example.test', { signal })).ip, /^192\.0\.2\.[12]$/);
    assert.match((await resolver.resolve('big.example.test', { signal })).ip, /^10\.0\./);
    await assert.rejects(resolver.resolve('none.example.test', { signal }), { reason: 'name-not-found' });
    await assert.rejects(resolver.resolve('elsewhere.invalid', { signal }), { name: 'Failure' });
  });
});

describe('dnsmasq', { skip: missing('dnsmasq', 'dig') }, () => {
  let dnsmasq: Dnsmasq;
  before(async () => {
    dnsmasq = await startDnsmasq();
  });
  after(() => dnsmasq[Symbol.asyncDispose]());

  for (const [name, type] of [
    ['host.dnsmasq.test', 'A'],
    ['host.dnsmasq.test', 'AAAA'],
    ['alias.dnsmasq.test', 'A'],
    ['dnsmasq.test', 'MX'],
    ['dnsmasq.test', 'TXT'],
    ['_sip._udp.dnsmasq.test', 'SRV'],
    ['dnsmasq.test', 'CAA'],
    ['dnsmasq.test', 'NAPTR'],
    ['192.0.2.1', 'PTR'],
  ] as const) {
    for (const protocol of ['udp', 'tcp']) {
      test(`${name} ${type} by ${protocol} is answered as dig shows it`, async () => {
        const options = { name, record: type, protocol, server: `127.0.0.1:${dnsmasq.port}` };
        const outcome = await dns.run(dns.options.parse(options), testContext());
        assert.equal(outcome.status, 'up', outcome.message);
        const asked = type === 'PTR' ? reverseName(name) : name;
        assert.deepEqual(answersOf(outcome), await dig(asked, type, dnsmasq.port));
      });
    }
  }

  test('a name it does not know is NXDOMAIN', async () => {
    const options = { name: 'none.dnsmasq.test', server: `127.0.0.1:${dnsmasq.port}`, expect: { rcode: 'NXDOMAIN' } };
    const outcome = await dns.run(dns.options.parse(options), testContext());
    assert.equal(outcome.status, 'up', outcome.message);
  });
});

function answersOf({ detail }: Outcome): readonly string[] {
  // The check's own shape of it.
  const answers = detail['answers'] as readonly { name: string; type: string; data: string }[];
  return answers.map(({ name, type, data }) => `${name} ${type} ${data}`).toSorted();
}

/** What dig prints, with names without their final dot. */
async function dig(name: string, type: string, port: number): Promise<readonly string[]> {
  const wanted = ['+noall', '+answer', '+nottlid', '+nosplit', '+noclass', '+onesoa'];
  const { stdout } = await run('dig', ['@127.0.0.1', '-p', String(port), name, type, ...wanted]);
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith(';'));
  return lines.map((line) => line.replaceAll(/\s+/g, ' ').replaceAll(/(?<=[^\\" ])\.(?= |$)/g, '')).toSorted();
}
