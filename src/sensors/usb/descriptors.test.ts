import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readUsbInterfaces } from './descriptors.ts';

/** A device, a configuration, a disk with two endpoints, a keyboard with its HID descriptor and one endpoint. */
const composite = Buffer.from(
  [
    '120100020000004081076755000101020301',
    '09023900020100803c',
    '090400000208065000',
    '07058102000200',
    '07050202000200',
    '090401000103010100',
    '092111010001223f00',
    '0705830308000a',
  ].join(''),
  'hex',
);

test('E2: the descriptors of a device name its interfaces', () => {
  assert.deepEqual(readUsbInterfaces(composite), ['080650', '030101']);
});

test('alternate settings of one kind count once, those of another kind are seen', () => {
  const settings = ['090400000008065000', '090400010208066200', '090400020208065000'].join('');
  assert.deepEqual(readUsbInterfaces(Buffer.from(settings, 'hex')), ['080650', '080662']);
});

test('two interfaces of one kind are two', () => {
  const keyboards = ['090400000103010100', '090401000103010100'].join('');
  assert.deepEqual(readUsbInterfaces(Buffer.from(keyboards, 'hex')), ['030101', '030101']);
});

test('descriptors cut at any length give what came before the cut', () => {
  for (let length = 0; length < composite.length; length++) {
    const found = readUsbInterfaces(composite.subarray(0, length));
    assert.deepEqual(found, ['080650', '030101'].slice(0, found.length), `at ${length}`);
  }
});

test('a descriptor without length ends the list, and does not hang it', () => {
  assert.deepEqual(readUsbInterfaces(Buffer.from('0004090400000108065000', 'hex')), []);
  assert.deepEqual(readUsbInterfaces(Buffer.from('0104090400000108065000', 'hex')), []);
});

test('any bytes give at most 64 interfaces of six digits', () => {
  const bytes = fc.uint8Array({ maxLength: 4096 });
  const descriptors = fc.array(fc.tuple(fc.constantFrom(2, 4, 9, 10), fc.constantFrom(4, 5), bytes), {
    maxLength: 200,
  });
  const built = descriptors.map((list) =>
    Buffer.concat(list.map(([length, type, rest]) => Buffer.from([length, type, ...rest.subarray(0, length - 2)]))),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        bytes.map((all) => Buffer.from(all)),
        built,
      ),
      (descriptors) => {
        const found = readUsbInterfaces(descriptors);
        assert.ok(found.length <= 64 && found.every((code) => /^[\da-f]{6}$/.test(code)));
      },
    ),
    { numRuns: 2000 },
  );
});
