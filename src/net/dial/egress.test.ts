import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, test } from 'node:test';
import { AppError } from '../../core/errors.ts';
import { Failure } from '../../core/failure.ts';
import { EgressPolicy } from './egress.ts';

function isPermitted(policy: EgressPolicy, ip: string, port?: number): boolean {
  try {
    const family = isIP(ip) === 4 ? 4 : 6;
    policy.permit({ ip, family }, port);
    return true;
  } catch (error) {
    assert.ok(error instanceof Failure, `${ip}: ${String(error)}`);
    assert.equal(error.reason, 'denied');
    return false;
  }
}

const byDefault = new EgressPolicy();

const neverV4 = `0.0.0.0 0.0.0.2 0.255.255.255 169.254.0.0 169.254.0.1 169.254.169.253 169.254.169.254 169.254.170.2
  169.254.255.255 100.100.100.200 168.63.129.16 192.0.0.192 224.0.0.0 224.0.0.1 224.0.0.251 232.1.2.3 239.255.255.250
  239.255.255.255 240.0.0.0 240.0.0.1 250.1.2.3 254.255.255.255 255.0.0.0 255.255.255.254 255.255.255.255`.split(/\s+/);

const openV4 = `1.0.0.0 1.1.1.1 8.8.8.8 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.199 100.100.100.201 127.0.0.1
  127.255.255.255 168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.16.0.1 172.31.255.255 192.0.0.191
  192.0.2.1 192.168.0.1 198.18.0.1 203.0.113.9 223.255.255.255`.split(/\s+/);

const neverV6 = `:: 0:0:0:0:0:0:0:0 fe80:: fe80::1 fe80::1%lo fe80::1%1 FE80::1 fe80:0:0:0:0:0:0:1 febf:ffff::1 fec0::1
  feff::1 fd00:ec2::254 fd00:0ec2:0000::0254 fd00:ec2::23 fd20:ce::254 ff00:: ff02::1 ff02::1%eth0 ff02::fb ff05::2 ff0e::1
  ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 100:: 100::ffff:1 64:ff9b:1:: 64:ff9b:1::8.8.8.8 64:ff9b:1:ffff::1`.split(
  /\s+/,
);

const openV6 = `::1 2001:db8::1 2606:4700:4700::1111 2001:4860:4860::8888 fc00::1 fd00::1 fd00:ec2::255 fd00:ec3::254
  fd00:db8::1%eth0 101::1 64:ff9c::1 2003::1 2001:1::1 3fff::1`.split(/\s+/);

function groups(ip: string, inverted = false): string {
  const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map((byte) => (inverted ? 255 - Number(byte) : Number(byte)));
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/** Every way to write or to carry an IPv4 address in an IPv6 one. */
const forms: Readonly<Record<string, (ip: string) => string>> = {
  mapped: (ip) => `::ffff:${ip}`,
  'mapped, in hexadecimal': (ip) => `::ffff:${groups(ip)}`,
  'mapped, in full': (ip) => `0:0:0:0:0:FFFF:${groups(ip)}`,
  compatible: (ip) => `0:0:0:0:0:0:${groups(ip)}`,
  translated: (ip) => `::ffff:0:${ip}`,
  NAT64: (ip) => `64:ff9b::${ip}`,
  'NAT64, in hexadecimal': (ip) => `0064:ff9b:0:0:0:0:${groups(ip)}`,
  '6to4': (ip) => `2002:${groups(ip)}::1`,
  'Teredo server': (ip) => `2001:0:${groups(ip)}:0:0:f7f7:f7f7`,
  'Teredo client': (ip) => `2001::808:808:0:0:${groups(ip, true)}`,
  ISATAP: (ip) => `2001:db8::5efe:${ip}`,
  'ISATAP, unique': (ip) => `2001:db8::200:5efe:${ip}`,
};

describe('by default', () => {
  test('more than 300 addresses are judged here', () => {
    const written = 1 + Object.keys(forms).length;
    assert.ok((neverV4.length + openV4.length) * written + neverV6.length + openV6.length > 300);
  });

  for (const ip of [...neverV4, ...neverV6]) test(`${ip} is denied`, () => assert.ok(!isPermitted(byDefault, ip, 80)));
  for (const ip of [...openV4, ...openV6]) test(`${ip} is permitted`, () => assert.ok(isPermitted(byDefault, ip, 80)));

  for (const [name, form] of Object.entries(forms)) {
    describe(`an IPv4 address that is ${name} is judged as itself`, () => {
      for (const ip of neverV4) test(form(ip), () => assert.ok(!isPermitted(byDefault, form(ip))));
      for (const ip of openV4) test(form(ip), () => assert.ok(isPermitted(byDefault, form(ip))));
    });
  }
});

describe('allow and deny', () => {
  const policy = new EgressPolicy({
    allow: ['169.254.0.0/16', '[fe80::/10]:22', '10.1.2.3'],
    deny: ['169.254.169.254', '10.0.0.0/8', '192.0.2.0/24:5432', '[2001:db8::/32]:25', 'fd00::/8'],
  });
  const table = [
    ['169.254.1.1', 80, true],
    ['169.254.169.254', 80, false],
    ['::ffff:169.254.169.254', 80, false],
    ['::ffff:169.254.1.1', 80, true],
    ['fe80::1', 22, true],
    ['fe80::1%eth0', 22, true],
    ['fe80::1', 80, false],
    ['fe80::1', undefined, false],
    ['10.1.2.3', 80, false],
    ['2002:a01:203::', 80, false],
    ['192.0.2.9', 5432, false],
    ['64:ff9b::192.0.2.9', 5432, false],
    ['192.0.2.9', 80, true],
    ['192.0.2.9', undefined, true],
    ['2001:db8::1', 25, false],
    ['2001:db8::1', 26, true],
    ['fd12::1', 80, false],
    ['192.0.3.1', 80, true],
  ] as const;
  for (const [ip, port, expected] of table) {
    test(`${ip} port ${port} is ${expected ? 'permitted' : 'denied'}`, () => {
      assert.equal(isPermitted(policy, ip, port), expected);
    });
  }

  test('a range of one family says nothing of the other', () => {
    assert.ok(isPermitted(new EgressPolicy({ deny: ['::/0'] }), '192.0.2.1'));
    assert.ok(isPermitted(new EgressPolicy({ deny: ['0.0.0.0/0'] }), '2001:db8::1'));
  });

  for (const range of [
    '',
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '10.0.0.0/8:0',
    '10.0.0.0/8:65536',
    '10.0.0.0/8:x',
    'fd00::/129',
    '[fd00::/8',
    'fe80::1%eth0',
    '0x7f.1',
    '127.1',
    'example.org',
  ]) {
    test(`${JSON.stringify(range)} is no range, and the message says which list it is in`, () => {
      assert.throws(
        () => new EgressPolicy({ deny: ['10.0.0.0/8', range] }),
        (error) => {
          assert.ok(error instanceof AppError);
          assert.equal(error.code, 'invalid-config');
          assert.ok(error.message.startsWith('egress.deny: expected a range like 10.0.0.0/8'), error.message);
          assert.ok(error.message.endsWith(`got ${JSON.stringify(range)}.`), error.message);
          return true;
        },
      );
    });
  }
});

test('our own ports are denied on every address of this machine, and nowhere else', () => {
  const policy = new EgressPolicy({ ownPorts: () => [7411] });
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
  for (const ip of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '64:ff9b::127.0.0.1', ...own]) {
    assert.ok(!isPermitted(policy, ip, 7411), ip);
  }
  assert.ok(isPermitted(policy, '127.0.0.1', 7412));
  assert.ok(isPermitted(policy, '192.0.2.1', 7411));
  assert.ok(isPermitted(new EgressPolicy({ ownPorts: () => [7411], allow: ['127.0.0.1:7411'] }), '127.0.0.1', 7411));
});

test('a denied address is unknown, the fault of nobody but this agent, and is named', () => {
  assert.throws(
    () => byDefault.permit({ ip: 'fe80::1', family: 6 }, 80),
    (error) => {
      assert.ok(error instanceof Failure);
      const { status, source, message, detail } = error.toOutcome();
      assert.deepEqual(
        { status, source, detail },
        { status: 'unknown', source: 'agent', detail: { address: 'fe80::1' } },
      );
      assert.match(message, /^The egress policy of this agent does not allow \[fe80::1\]:80\. /);
      return true;
    },
  );
});

test('MU30: an address with a zone is denied as the one without it', () => {
  const policy = new EgressPolicy({ deny: ['fd12::/16'] });
  for (const ip of ['fe80::1%eth0', 'fe80::1%2', 'ff02::1%eth0', 'fd12::1%eth0', '::ffff:169.254.169.254%eth0'])
    assert.throws(() => policy.permit({ ip, family: 6 }), { reason: 'denied' }, ip);
});

/** Whether a name may be asked for through this proxy. */
function isOpenThrough(policy: EgressPolicy, ip: string): boolean {
  try {
    policy.permitName('inside.example', { address: { ip, family: isIP(ip) === 4 ? 4 : 6 }, port: 3128 });
    return true;
  } catch (error) {
    assert.ok(error instanceof Failure && error.reason === 'denied');
    assert.match(error.message, /egress\.proxies\.$/);
    return false;
  }
}

describe('AT9: names behind a proxy', () => {
  for (const [what, rules, isOpen] of [
    ['nothing is said', {}, true],
    ['something is denied', { deny: ['10.0.0.0/8'] }, false],
    ['something is allowed', { allow: ['169.254.1.1'] }, false],
    ['no proxy is trusted', { proxies: [] }, false],
    ['this proxy is trusted', { proxies: ['192.0.2.5:3128'] }, true],
    ['its range is trusted', { proxies: ['192.0.2.0/24'], deny: ['10.0.0.0/8'] }, true],
    ['another port of it is trusted', { proxies: ['192.0.2.5:8080'] }, false],
    ['another proxy is trusted', { proxies: ['192.0.2.6'] }, false],
  ] as const)
    test(`may be asked for where ${what}: ${isOpen}`, () =>
      assert.equal(isOpenThrough(new EgressPolicy(rules), '192.0.2.5'), isOpen));

  test('the address of a proxy counts however it is written', () => {
    const policy = new EgressPolicy({ proxies: ['192.0.2.5', '[2001:db8::5]:3128'] });
    assert.ok(isOpenThrough(policy, '::ffff:192.0.2.5'));
    assert.ok(isOpenThrough(policy, '2001:db8:0::5'));
    assert.ok(!isOpenThrough(policy, '2001:db8::6'));
  });

  test('a range that is none is told by its section', () => {
    assert.throws(() => new EgressPolicy({ proxies: ['proxy.example'] }), /egress\.proxies: expected a range/);
  });
});
