import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decode as witnessDecode, encode as witnessEncode, type StringAnswer } from 'dns-packet';
import { decodeMessage } from './decode.ts';
import { encodeMessage, type DnsMessage, type DnsRecord } from './message.ts';
import { DnsFormatError } from './reader.ts';

const empty: DnsMessage = {
  id: 0,
  flags: [],
  opcode: 0,
  rcode: 0,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
};

function roundTrip(record: DnsRecord): DnsRecord | undefined {
  return decodeMessage(encodeMessage({ ...empty, answers: [record] })).answers[0];
}

describe('every record type comes back as it was written', () => {
  const table: readonly (readonly [type: string, data: string])[] = [
    ['A', '192.0.2.1'],
    ['AAAA', '2001:db8::1:0:0:1'],
    ['AAAA', '::'],
    ['AAAA', '1::'],
    ['NS', 'ns.example.test'],
    ['CNAME', '.'],
    ['PTR', 'with\\.dot.with\\032space.\\255.example.test'],
    ['SOA', 'ns.example.test hostmaster.example.test 2026112101 7200 3600 1209600 300'],
    ['MX', '10 mail.example.test'],
    ['TXT', '"v=spf1 -all"'],
    ['TXT', '"a \\"quoted\\" word" "\\000\\255\\\\" ""'],
    ['HINFO', '"PDP-11" "UNIX"'],
    ['RP', 'who.example.test text.example.test'],
    ['SRV', '10 60 5060 sip.example.test'],
    ['NAPTR', '100 10 "S" "SIP+D2U" "!^.*$!sip:a@example.test!" _sip._udp.example.test'],
    ['DNAME', 'other.test'],
    ['DS', '60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118'],
    ['DNSKEY', '256 3 5 AQPSKmynfzW4kyBv015MUG2DeIQ3'],
    ['RRSIG', 'A 5 3 86400 20260322173103 20260220173103 2642 example.test oJB1W6WNGv+ldvQ3WDG0MQkg5IEhjRip8WTr'],
    ['NSEC', 'host.example.test A MX RRSIG NSEC TYPE1234'],
    ['NSEC3', '1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR NS SOA MX RRSIG DNSKEY NSEC3PARAM'],
    ['NSEC3PARAM', '1 0 0 -'],
    ['TLSA', '3 1 1 0B9FA5A59EED715C26C1020C711B4F6EC42D58B0015E14337A39DAD301C5AFC3'],
    ['SMIMEA', '3 0 0 00'],
    ['SSHFP', '4 2 A87F1B687AC0E57D2A081A2F2826723342D90B76'],
    ['CDS', '0 0 0 00'],
    ['CDNSKEY', '0 3 0 AA=='],
    ['OPENPGPKEY', 'AQID'],
    ['CSYNC', '66 3 A NS AAAA'],
    ['ZONEMD', '2018031500 1 1 FEBE3D4CE2EC2FFA4BA99D46CD69D6D29711E55217057BEE'],
    [
      'SVCB',
      '16 foo.example.test mandatory=alpn,ipv4hint alpn="h2,h3-19,a\\\\,b" port=53 ipv4hint=192.0.2.1,192.0.2.2',
    ],
    ['HTTPS', '1 . no-default-alpn ech=AEj+DQ== ipv6hint=2001:db8::1 dohpath="/q{?dns}" key667="hello\\210"'],
    ['HTTPS', '0 example.test'],
    ['SPF', '"v=spf1"'],
    ['URI', '10 1 "https://example.test/"'],
    ['CAA', '128 issue "ca.example.test; policy=ev"'],
    // Types that the dig of test/peers does not know, or that its server does not load.
    ['SIG', 'A 5 3 86400 20260322173103 20260220173103 2642 example.test oJB1W6WNGv+ldvQ3WDG0MQkg5IEhjRip8WTr'],
    ['DSYNC', 'CDS NOTIFY 5359 cds-scanner.example.test'],
    ['DSYNC', 'CSYNC 200 5359 scanner.example.test'],
    ['HHIT', 'AQIDBA=='],
    ['BRID', 'AQIDBA=='],
    ['WALLET', '"ETH" "0x01"'],
    ['CLA', '"TYPE-A"'],
    ['APL', ''],
    ['APL', '!1:192.168.38.0/28 !2:ff00::/8 1:0.0.0.0/0'],
    ['LOC', '52 22 23.456 N 4 53 59.999 E -2.00m 0.10m 10000m 10m'],
    ['WKS', '192.0.2.1 6 0 7 8 25 65535'],
    ['APL', '1:1.1.1.1/32 2:101:101:101:101:101:101:101:101/128'],
    ['WKS', '192.0.2.1 17'],
    ['IPSECKEY', '10 1 0 192.0.2.38'],
    ['LOC', '90 0 0.000 S 180 0 0.000 W -100000.00m 0.01m 90000000m 9m'],
    ['NULL', '\\# 2 00FF'],
    ['TYPE65280', '\\# 3 ABCDEF'],
    ['TYPE65280', '\\# 0'],
  ];
  for (const [type, data] of table) {
    test(`${type} ${data}`, () => {
      const record = { name: 'example.test', type, ttlSeconds: 300, data };
      assert.deepEqual(roundTrip(record), record);
    });
  }
});

describe('text that is not what a record holds is refused, with what was expected', () => {
  const table: readonly (readonly [type: string, data: string, message: RegExp])[] = [
    ['A', '1.2.3', /an IPv4 address, got "1\.2\.3"/],
    ['AAAA', '1.2.3.4', /an IPv6 address/],
    ['MX', '65536 a.test', /from 0 to 65535/],
    ['MX', '10', /2 parts/],
    ['NS', 'a..b', /a domain name/],
    ['NS', `${'a.'.repeat(127)}b`, /a domain name/],
    ['TXT', `"${'a'.repeat(256)}"`, /at most 255 bytes/],
    ['TXT', '"\\999"', /escapes/],
    ['DS', '1 1 1 ABC', /hexadecimal/],
    ['DNSKEY', '1 1 1 !', /Base64/],
    ['NSEC', 'a.test NOTYPE', /a record type/],
    ['RRSIG', 'A 1 1 1 2026 2026 1 a.test AA==', /YYYYMMDDHHmmSS/],
    ['NSEC3', '1 0 0 - ZZZ A', /Base 32/],
    ['CAA', '0 is-sue "ca.test"', /letters and digits/],
    ['SVCB', '1 . sport=1', /a service parameter/],
    ['SVCB', '1 . no-default-alpn=1', /no value/],
    ['LOC', '90 0 0.001 N 0 E 0m', /degrees, minutes, seconds and N or S/],
    ['LOC', '1 60 N 0 E 0m', /degrees, minutes, seconds/],
    ['LOC', '1 N 0 0m', /degrees, minutes, seconds and E or W/],
    ['LOC', '1 N 1 E', /a length from -100000 to 42849672\.95 metres, got ""/],
    ['LOC', '1 N 1 E -100001m', /a length from/],
    ['LOC', '1 N 1 E 0m 90000000.01m', /a length from 0 to 90000000/],
    ['LOC', '1 N 1 E 0m 1m 1m 1m 1m', /at most three lengths/],
    ['CERT', 'PKIS 1 8 AA==', /a number from 0 to 65535/],
    ['CERT', '1 1 256 AA==', /a number from 0 to 255/],
    ['APL', '1:192.0.2.0/33', /an address prefix/],
    ['APL', '2:192.0.2.0/8', /an address prefix/],
    ['APL', '3:00/1', /an address prefix/],
    ['WKS', '192.0.2.1 6 65536', /from 0 to 65535/],
    ['IPSECKEY', '10 4 2 a.test AA==', /a gateway of type 4/],
    ['IPSECKEY', '10 0 2 192.0.2.1 AA==', /a dot for no gateway/],
    ['AMTRELAY', '10 2 0 .', /from 0 to 1/],
    ['HIP', '2 ABC AA==', /hexadecimal/],
    ['HIP', '2 ABCD', /a public key/],
    ['HIP', '2', /a tag of 1 to 255 bytes/],
    ['HIP', `2 ${'AB'.repeat(256)} AA==`, /a tag of 1 to 255 bytes/],
    ['NS', 'a\\256.test', /a domain name/],
    ['EUI48', '00-00-5e-00-53', /6 bytes in hexadecimal/],
    ['EUI64', '00:00:5e:ef:10:00:00:2a', /8 bytes in hexadecimal/],
    ['L64', '10 1:2:3', /four groups/],
    ['NID', '10 1:2:3:12345', /four groups/],
    ['NSAP', '47', /behind 0x/],
    ['NSAP', '0x4', /hexadecimal/],
    ['TYPE65280', 'abc', /LENGTH HEX/],
    ['TYPE65280', '\\# 3 AB', /the length does not fit/],
  ];
  for (const [type, data, message] of table) {
    test(`${type} ${data.slice(0, 60)}`, () => {
      const record = { name: 'example.test', type, ttlSeconds: 1, data };
      assert.throws(() => roundTrip(record), { name: 'DnsFormatError', message });
    });
  }
});

test('flags, codes and EDNS come back, the rcode with its upper bits', () => {
  const edns = { udpSize: 1232, dnssec: true };
  const message: DnsMessage = { ...empty, id: 65_535, flags: ['qr', 'aa', 'ad'], opcode: 2, rcode: 16, edns };
  const again = decodeMessage(encodeMessage(message));
  if (!message.flaws) assert.deepEqual(again, message);
});

describe('bytes that break the rules are refused', () => {
  const header = '123481800001000000000000';
  const table: readonly (readonly [what: string, hex: string, message: RegExp])[] = [
    ['nothing', '', /expected 2 bytes/],
    ['a header cut short', '123481800001', /expected 2 bytes/],
    ['a question that is missing', header, /runs past/],
    ['a name that points to itself', `${header}c00c00010001`, /points on/],
    ['a name that points forward', `${header}c00e00010001`, /points on/],
    ['two pointers that point to each other', `${header}0161c00ec00c00010001`, /points on/],
    ['a pointer cut in half', `${header}c0`, /runs past/],
    ['a label of a reserved type', `${header}4061`, /unknown type/],
    ['a label that runs past the end', `${header}3f6161`, /runs past/],
    ['a name of more than 255 bytes', `${header}${`3f${'61'.repeat(63)}`.repeat(4)}0000010001`, /longer than 255/],
  ];
  for (const [what, hex, message] of table) {
    test(what, () => {
      assert.throws(() => decodeMessage(Buffer.from(hex, 'hex')), { name: 'DnsFormatError', message });
    });
  }
});

/** The header of an answer without a question. */
function withCounts(answers: number, authorities: number, additionals: number): string {
  const counts = [0, answers, authorities, additionals].map((count) => count.toString(16).padStart(4, '0'));
  return `12348180${counts.join('')}`;
}

function withAnswers(count: number, hex: string): string {
  return withCounts(count, 0, 0) + hex;
}

describe('CN4: a flaw behind the questions is noted, and what is good is kept', () => {
  const good = '0000010001000000050004c0000201';
  const record = (type: string, data: string): string =>
    `00${type}00010000003c${(data.length / 2).toString(16).padStart(4, '0')}${data}${good}`;
  const table: readonly (readonly [what: string, hex: string, kept: number, flaw: RegExp])[] = [
    ['an answer that is missing though counted', withAnswers(2, good), 1, /^record 2 of 2 cannot be read: .*runs past/],
    ['an address of three bytes', withAnswers(2, `00000100010000003c0003010203${good}`), 1, /expected 4 bytes/],
    [
      'an address of five bytes',
      withAnswers(2, `00000100010000003c00050102030405${good}`),
      1,
      /a part of 5 bytes that are 1 more than are needed/,
    ],
    ['data that runs past the end', withAnswers(2, `${good}00000100010000003cffff01020304`), 1, /expected 65535 bytes/],
    ['a name in data that runs past the data', withAnswers(2, `00000200010000003c00020161${good}`), 1, /runs past/],
    ['an owner that points to itself', withAnswers(2, `${good}c01b00010001000000050004c0000201`), 1, /points on/],
    ['text after the end', withAnswers(1, `${good}ff`), 1, /^1 bytes after the end/],
    ['an empty hash', withAnswers(2, `00003200010000003c00060100000a0000${good}`), 1, /hashed name/],
    ['a type bitmap out of order', withAnswers(2, `00002f00010000003c000700010140000140${good}`), 1, /type bitmap/],
    [
      'service parameters out of order',
      withAnswers(2, `00004000010000003c000d00010000030002003500020000${good}`),
      1,
      /out of order/,
    ],
    [
      'a location of version 1',
      withAnswers(2, record('001d', `01${'12161380000000'.padEnd(30, '0')}`)),
      1,
      /version 1/,
    ],
    ['a location beyond the pole', withAnswers(2, record('001d', '00121613ffffffff8000000000989680')), 1, /90 degrees/],
    [
      'a location of a size of 10',
      withAnswers(2, record('001d', '00a21613800000008000000000989680')),
      1,
      /10 × 10\^2 cm/,
    ],
    ['a prefix of five bytes', withAnswers(2, record('002a', '000108050102030405')), 1, /family 1 with 8 bits in 5/],
    ['a prefix of an unknown family', withAnswers(2, record('002a', '00030801ff')), 1, /family 3/],
    ['a prefix that is cut off', withAnswers(2, record('002a', '000108ff')), 1, /expected 127 bytes/],
    ['ports beyond the last', withAnswers(2, record('000b', `c000020106${'00'.repeat(8192)}01`)), 1, /port beyond/],
    ['a gateway of an unknown type', withAnswers(2, record('002d', '0a0902')), 1, /gateway of type 9/],
    ['an NSAP address of no bytes', withAnswers(2, record('0016', '')), 1, /address of no bytes/],
    ['a host identity without a key', withAnswers(2, record('0037', '01020000ff')), 1, /without tag or key/],
    ['a host identity that is cut off', withAnswers(2, record('0037', '100200ff00')), 1, /expected 16 bytes/],
    [
      'a record of the authority section',
      `${withCounts(1, 1, 0)}${good}00000100010000003c0003010203`,
      1,
      /the A record of \.: expected 4 bytes/,
    ],
    ['two OPT records', `${withCounts(1, 0, 2)}${good}${'0000290200000000000000'.repeat(2)}`, 1, /second OPT/],
    [
      'an OPT record with half an option',
      `${withCounts(1, 0, 1)}${good}0000290200000000000003000a00`,
      1,
      /options of EDNS/,
    ],
    [
      'an OPT record of a name',
      `${withCounts(1, 0, 1)}${good}01610000290200000000000000`,
      1,
      /second OPT record, or one that is not of the root/,
    ],
  ];
  for (const [what, hex, kept, flaw] of table) {
    test(what, () => {
      const { answers, flaws = [] } = decodeMessage(Buffer.from(hex, 'hex'));
      assert.equal(answers.filter((record) => record.data === '192.0.2.1').length, kept);
      assert.equal(answers.filter((record) => record.flaw === undefined).length, kept);
      assert.match(flaws[0]?.text ?? '', flaw);
    });
  }

  test('a record whose data cannot be read has its bytes', () => {
    const [record] = decodeMessage(Buffer.from(withAnswers(1, '00000100010000003c0003010203'), 'hex')).answers;
    assert.equal(record?.data, '\\# 3 010203');
  });

  test('after 20 flaws the rest is not read', () => {
    const hex = withAnswers(4096, '00000100010000003c000101'.repeat(4096));
    assert.equal(decodeMessage(Buffer.from(hex, 'hex')).flaws?.length, 20);
  });
});

function readAgain(bytes: Uint8Array): void {
  let message: DnsMessage;
  try {
    message = decodeMessage(bytes);
  } catch (error) {
    return assert.ok(error instanceof DnsFormatError, String(error));
  }
  const again = decodeMessage(encodeMessage(message));
  if (!message.flaws) assert.deepEqual(again, message);
}

function label(length: number): string {
  return `${length.toString(16).padStart(2, '0')}${'61'.repeat(length)}`;
}

test('a name of 255 bytes is read through a pointer, one of 256 is not (RFC 1035 section 2.3.4)', () => {
  // The owner of the first record has 1 + 3 × 64 bytes; the second record has a label before a pointer to it.
  const long = `${label(63).repeat(3)}00`;
  const pointed = (length: number): string => `${label(length)}c00c`;
  const data = '000100010000003c0004c0000201';
  const named = (length: number) =>
    decodeMessage(Buffer.from(withAnswers(2, `${long}${data}${pointed(length)}${data}`), 'hex'));
  assert.equal(named(61).answers[1]?.name.length, 61 + 1 + 3 * 64 - 1);
  assert.deepEqual(named(61).flaws, undefined);
  assert.match(named(62).flaws?.[0]?.text ?? '', /longer than 255 bytes/);
});

test('a name is read through 127 pointers, and not through more: it has at most 127 labels', () => {
  const data = '000100010000003c0004c0000201';
  const headerBytes = 12;
  const firstBytes = 3 + data.length / 2;
  const others = Array.from({ length: 128 }, (_, index) => {
    const previous = index === 0 ? headerBytes : headerBytes + firstBytes + (index - 1) * 16;
    return `${(0xc000 + previous).toString(16)}${data}`;
  });
  const { answers, flaws } = decodeMessage(Buffer.from(withAnswers(129, `016100${data}${others.join('')}`), 'hex'));
  assert.equal(answers.length, 128);
  assert.equal(answers.at(-1)?.name, 'a');
  assert.match(flaws?.[0]?.text ?? '', /record 129 of 129 cannot be read: a name has more than 127 pointers/);
});

test('service parameters are written in the order of their keys, as they must be read (RFC 9460 section 2.2)', () => {
  const written = { name: 'example.test', type: 'SVCB', ttlSeconds: 1, data: '1 . port=53 key9=x alpn="h2"' };
  assert.equal(roundTrip(written)?.data, '1 . alpn="h2" port=53 key9="x"');
});

describe('properties', () => {
  const label = fc.stringMatching(/^[a-z\d_-]{1,20}$/);
  const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'));

  test('any bytes are decoded or refused with a DnsFormatError, and what was decoded can be written and read again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => readAgain(bytes)),
      { numRuns: 20_000 },
    );
  });

  test('a good message with a few bytes changed does no worse', () => {
    const good = encodeMessage({
      ...empty,
      questions: [{ name: 'example.test', type: 'A' }],
      answers: [
        { name: 'example.test', type: 'SVCB', ttlSeconds: 1, data: '1 . alpn="h2" port=1' },
        { name: 'example.test', type: 'NSEC', ttlSeconds: 1, data: 'a.test A MX' },
        { name: 'example.test', type: 'TXT', ttlSeconds: 1, data: '"a" "b"' },
        { name: 'example.test', type: 'SOA', ttlSeconds: 1, data: 'a.test b.test 1 2 3 4 5' },
      ],
      edns: { udpSize: 512, dnssec: true },
    });
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        readAgain(bytes);
      }),
      { numRuns: 20_000 },
    );
  });

  test('what dns-packet writes, we read, and the other way round', () => {
    fc.assert(
      fc.property(name, fc.nat(65_535), fc.ipV4(), (owner, id, address) => {
        const answers: StringAnswer[] = [{ name: owner, type: 'A', ttl: 60, data: address }];
        const theirs = witnessEncode({ type: 'response', id, questions: [{ name: owner, type: 'A' }], answers });
        const ours = decodeMessage(theirs);
        assert.deepEqual(ours.answers, [{ name: owner, type: 'A', ttlSeconds: 60, data: address }]);
        const again = witnessDecode(encodeMessage(ours));
        assert.equal(again.id, id);
        assert.deepEqual(
          again.questions?.map((question) => question.name),
          [owner],
        );
        assert.deepEqual(
          again.answers?.map((answer) => (answer as StringAnswer).data),
          [address],
        );
      }),
    );
  });
});

/** The OPT record of a message: root, type, size, upper rcode, version, flags, length. */
function optOf(dnssec: boolean): string {
  const headerBytes = 12;
  return encodeMessage({ ...empty, edns: { udpSize: 1232, dnssec } }).toString('hex', headerBytes);
}

test('the flags of EDNS are zero but for the one that asks for DNSSEC (RFC 6891 section 6.1.4)', () => {
  assert.equal(optOf(false), '00002904d0000000000000');
  assert.equal(optOf(true), '00002904d0000080000000');
});
