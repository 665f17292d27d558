import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hexBytes, showBytes } from './bytes.ts';

test('hexadecimal bytes are taken as people write them', () => {
  for (const text of ['00FF10', '00 ff 10', '00:ff:10', '00ff\n10']) assert.equal(hexBytes(3).parse(text), '00ff10');
  assert.equal(hexBytes(3).parse(''), '');
  for (const text of ['0', '0x00', 'zz', '00ff10aa']) assert.ok(!hexBytes(3).safeParse(text).success, text);
});

test('bytes are shown as text where they are text, else in hexadecimal, on one line and not too long', () => {
  const table = [
    [Buffer.from('220 ready\r\n250 ok\r\n'), '220 ready 250 ok'],
    [Buffer.from('Grüße 👋'), 'Grüße 👋'],
    [Buffer.from('220 Grüße', 'latin1'), '220 Grüße'],
    [Buffer.from('220 Grüße\0', 'latin1'), '323230204772fcdf6500'],
    [Buffer.from('aäöü', 'latin1'), '61e4f6fc'],
    [Buffer.from('\u001B[2J'), '1b5b324a'],
    [Buffer.from([0xff, 0xfe]), 'fffe'],
    [Buffer.from('\u202Eevil'), 'e280ae6576696c'],
    [Buffer.alloc(0), ''],
    [Buffer.from('x'.repeat(50)), `${'x'.repeat(20)}…`],
  ] as const;
  for (const [bytes, expected] of table) assert.equal(showBytes(bytes, 20), expected);
});
