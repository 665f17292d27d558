import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printable, printableBytes } from './printable.ts';

const cases: readonly (readonly [bytes: string, text: string])[] = [
  ['53616e4469736b', 'SanDisk'],
  ['c3a9e282acf09f9280', 'é€💀'],
  ['1b5b324a', String.raw`\x1b[2J`],
  ['61ff62', String.raw`a\xffb`],
  ['e282', String.raw`\xe2\x82`],
  ['c080', String.raw`\xc0\x80`],
  ['eda080', String.raw`\xed\xa0\x80`],
  ['f4908080', String.raw`\xf4\x90\x80\x80`],
  ['0a09', String.raw`\n\t`],
  ['e280ae', String.raw`\u202e`],
  ['d89c', String.raw`\u61c`],
  ['61e2808b62', String.raw`a\u200bb`],
  ['61c2ad', String.raw`a\xad`],
  ['61e2808d', String.raw`a\u200d`],
  ['f3a08181', String.raw`\u{e0041}`],
  ['e385a4', String.raw`\u3164`],
  ['f09f91a9e2808df09f94ac', '👩‍🔬'],
];

for (const [bytes, text] of cases)
  test(`the bytes ${bytes} are shown as ${text}`, () => assert.equal(printableBytes(Buffer.from(bytes, 'hex')), text));

test('valid UTF-8 is shown as the text it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
      assert.equal(printableBytes(Buffer.from(text), 1000), printable(text));
    }),
  );
});

test('any bytes become printable text of limited length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1000 }), (bytes) => {
      const text = printableBytes(bytes, 100);
      assert.ok(text.length <= 100 && text.isWellFormed());
      assert.doesNotMatch(text, /\p{Cc}/u);
    }),
  );
});
