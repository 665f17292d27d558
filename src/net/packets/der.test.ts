import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DerError, derTag, isTrue, oidText, readDer, smallInteger, timeMs } from './der.ts';

const value = (hex: string) => readDer(Buffer.from(hex, 'hex'));

test('a small number has one to four bytes; another is none', () => {
  for (const [hex, number] of [
    ['0200', undefined],
    ['020105', 5],
    ['0201ff', -1],
    ['02047fffffff', 0x7fff_ffff],
    ['02050100000000', undefined],
  ] as const)
    assert.equal(smallInteger(value(hex)), number, hex);
});

test('an object identifier is read by its numbers (X.690 section 8.19)', () => {
  // As `openssl asn1parse` shows them.
  for (const [hex, text] of [
    ['0603551d11', '2.5.29.17'],
    ['06092a864886f70d01010a', '1.2.840.113549.1.1.10'],
    ['06032b6570', '1.3.101.112'],
    ['060388370a', '2.999.10'],
  ] as const)
    assert.equal(oidText(value(hex)), text, hex);
  assert.throws(() => oidText(value('0600')), DerError);
  assert.throws(() => oidText(value('020105')), DerError);
});

test('a length is read in each of its forms, and one that is none is refused (X.690 section 8.1.3)', () => {
  for (const [head, size] of [
    ['047f', 0x7f],
    ['048180', 0x80],
    ['0481ff', 0xff],
    ['04820100', 0x100],
    ['0484000000ff', 0xff],
  ] as const) {
    const contents = Buffer.alloc(size, 7);
    assert.deepEqual(readDer(Buffer.concat([Buffer.from(head, 'hex'), contents])).contents, contents, head);
  }
  for (const [hex, message] of [
    ['0480', /length of 0 bytes at byte 1/],
    ['04850000000000', /length of 5 bytes/],
    ['0482ff', /the length at byte 1 is cut off/],
    ['040201', /expected 2 bytes from byte 2 on, got 1/],
    ['048101', /expected 1 bytes from byte 3 on, got 0/],
    ['1f0100', /tag number above 30 at byte 0/],
    ['04', /the bytes end at byte 1/],
  ] as const)
    assert.throws(() => value(hex), { name: 'DerError', message });
});

function time(tag: number, text: string): number {
  return timeMs({ tag, contents: Buffer.from(text), bytes: Buffer.alloc(0) });
}

test('times are read by their kind (RFC 5280 section 4.1.2.5)', () => {
  assert.equal(time(derTag.utcTime, '491231235959Z'), Date.UTC(2049, 11, 31, 23, 59, 59));
  assert.equal(time(derTag.utcTime, '500101000000Z'), Date.UTC(1950, 0, 1));
  assert.equal(time(derTag.generalizedTime, '20500101000000Z'), Date.UTC(2050, 0, 1));
  for (const [tag, text] of [
    [derTag.utcTime, '20500101000000Z'],
    [derTag.generalizedTime, '500101000000Z'],
    [derTag.utcTime, '501301000000Z'],
    [derTag.utcTime, '5001010000Z'],
  ] as const)
    assert.ok(Number.isNaN(time(tag, text)), text);
});

test('a boolean that is left out is false', () => {
  assert.equal(isTrue(undefined), false);
  assert.equal(isTrue(value('010100')), false);
  assert.equal(isTrue(value('0101ff')), true);
});
