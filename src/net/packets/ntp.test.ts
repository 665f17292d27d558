import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeNtp, encodeNtp, encodeNtpRequest, msToTimestamp, showReferenceId, timestampToMs } from './ntp.ts';

const timestamp = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const short = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((value) => (value / 65_536) * 1000);

test('a packet survives the way to bytes and back', () => {
  const packet = fc.record({
    leap: fc.integer({ min: 0, max: 3 }),
    version: fc.integer({ min: 0, max: 7 }),
    mode: fc.integer({ min: 0, max: 7 }),
    stratum: fc.integer({ min: 0, max: 255 }),
    poll: fc.integer({ min: -128, max: 127 }),
    precision: fc.integer({ min: -128, max: 127 }),
    rootDelayMs: short,
    rootDispersionMs: short,
    referenceId: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
    reference: timestamp,
    origin: timestamp,
    receive: timestamp,
    transmit: timestamp,
  });
  fc.assert(fc.property(packet, (packet) => assert.deepEqual({ ...decodeNtp(encodeNtp(packet)) }, { ...packet })));
});

test('any bytes are a packet or too short, never an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.equal(decodeNtp(Buffer.from(bytes)) === undefined, bytes.length < 48);
    }),
  );
});

test('a request says that it is a version 4 client, and nothing else but its number', () => {
  const bytes = encodeNtpRequest(0x0102030405060708n);
  assert.equal(bytes.toString('hex'), `23${'00'.repeat(39)}0102030405060708`);
});

/** A little less than half of 2³² seconds. */
const halfEraMs = 2 ** 31 * 999;

describe('a timestamp', () => {
  test('is milliseconds since 1970 to the microsecond, in the era nearest to our own time', () => {
    const time = fc.double({ min: 0, max: Date.UTC(2200, 0, 1), noNaN: true });
    const skew = fc.double({ min: -halfEraMs, max: halfEraMs, noNaN: true });
    fc.assert(
      fc.property(time, skew, (time, skew) => {
        assert.ok(Math.abs(timestampToMs(msToTimestamp(time), time + skew) - time) < 0.002);
      }),
    );
  });

  test('counts on past the end of the first era in 2036', () => {
    assert.equal(msToTimestamp(Date.UTC(2036, 1, 7, 6, 28, 15)), 0xffff_ffffn << 32n);
    assert.equal(msToTimestamp(Date.UTC(2036, 1, 7, 6, 28, 16)), 0n);
    assert.equal(timestampToMs(1n << 32n, Date.UTC(2026, 0, 1)), Date.UTC(2036, 1, 7, 6, 28, 17));
    assert.equal(timestampToMs(0x83aa_7e80n << 32n, 0), 0);
  });
});

test('a reference id is a name at strata 0 and 1, and an address above', () => {
  assert.equal(showReferenceId(Buffer.from('GPS\0'), 1), 'GPS');
  assert.equal(showReferenceId(Buffer.from([192, 0, 2, 7]), 2), '192.0.2.7');
  assert.equal(showReferenceId(Buffer.from([27, 91, 49, 109]), 0), '1b5b316d');
});
