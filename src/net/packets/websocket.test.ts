import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { closePayload, closeStatusOf, encodeFrame, FrameError, readFrame } from './websocket.ts';

const hello = Buffer.from('Hello');
const mask = Buffer.from('37fa213d', 'hex');

describe('frames of RFC 6455 section 5.7', () => {
  test('a masked text message is written as the standard shows it', () => {
    assert.equal(encodeFrame('text', hello, mask).toString('hex'), '818537fa213d7f9f4d5158');
  });

  const table: readonly (readonly [what: string, hex: string, expected: object])[] = [
    ['an unmasked text message', '810548656c6c6f', { opcode: 'text', final: true, payload: hello }],
    ['a first fragment', '010348656c', { opcode: 'text', final: false, payload: Buffer.from('Hel') }],
    ['a last fragment', '80026c6f', { opcode: 'continuation', final: true, payload: Buffer.from('lo') }],
    ['a ping', '890548656c6c6f', { opcode: 'ping', final: true, payload: hello }],
    ['an empty pong', '8a00', { opcode: 'pong', final: true, payload: Buffer.alloc(0) }],
  ];
  for (const [what, hex, expected] of table) {
    test(`${what} is read`, () => {
      const bytes = Buffer.from(hex, 'hex');
      assert.deepEqual(readFrame(Buffer.concat([bytes, hello]), 1000), { frame: expected, length: bytes.length });
    });
  }

  test('until all of a frame is there, none is', () => {
    const bytes = Buffer.from('810548656c6c6f', 'hex');
    for (let length = 0; length < bytes.length; length++)
      assert.equal(readFrame(bytes.subarray(0, length), 1000), undefined, `${length} bytes`);
  });

  test('256 bytes and 64 KiB of binary data are read', () => {
    for (const [head, size] of [
      ['827e0100', 256],
      ['827f0000000000010000', 65_536],
    ] as const) {
      const read = readFrame(Buffer.concat([Buffer.from(head, 'hex'), Buffer.alloc(size)]), 65_536);
      assert.equal(read?.frame.payload.length, size);
    }
  });
});

describe('what a server may not send', () => {
  const table: readonly (readonly [what: string, hex: string, message: RegExp])[] = [
    ['a reserved bit', 'c10548656c6c6f', /reserved bits, got 0xc1/],
    ['a mask', '818537fa213d7f9f4d5158', /without a mask/],
    ['opcode 3', '8300', /got opcode 3/],
    ['opcode 11', '8b00', /got opcode 11/],
    ['a ping in fragments', '0900', /whole ping frame/],
    ['a ping of 126 bytes', '897e007e', /whole ping frame of at most 125 bytes, got 126/],
    ['a length of 125 in two bytes', '827e007d', /shortest form, got 125 in 2 bytes/],
    ['a length of 65,535 in eight bytes', '827f000000000000ffff', /shortest form, got 65535 in 8 bytes/],
    ['1,001 bytes where 1,000 are allowed', '827e03e9', /at most 1000 bytes, got 1001/],
    ['2^63 bytes', '827f8000000000000000', /at most 1000 bytes/],
  ];
  for (const [what, hex, message] of table) {
    test(`${what} is refused at the frame's head`, () => {
      assert.throws(() => readFrame(Buffer.from(hex, 'hex'), 1000), { name: 'FrameError', message });
    });
  }

  test('any bytes are a frame, not all of one, or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          const read = readFrame(Buffer.from(bytes), 20);
          if (read) assert.ok(read.length >= 2 && read.length <= bytes.length);
        } catch (error) {
          assert.ok(error instanceof FrameError);
        }
      }),
    );
  });
});

test('a message of each length is read as it was written, and not before its last byte', () => {
  for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 70_000]) {
    const payload = Buffer.alloc(length, 'x');
    // Without a mask, as a server writes it: a mask of zeros changes nothing.
    const masked = encodeFrame('binary', payload, Buffer.alloc(4));
    const head = masked.subarray(0, masked.length - length - 4);
    head[1] = (head[1] ?? 0) & 0x7f;
    const bytes = Buffer.concat([head, payload]);
    assert.equal(readFrame(bytes.subarray(0, -1), 100_000), undefined);
    assert.deepEqual(readFrame(bytes, 100_000), {
      frame: { opcode: 'binary', final: true, payload },
      length: bytes.length,
    });
  }
});

test('a Close frame says why', () => {
  assert.equal(closePayload(1000).toString('hex'), '03e8');
  assert.deepEqual(closeStatusOf(Buffer.from('03e9627965', 'hex')), { code: 1001, reason: 'bye' });
  assert.deepEqual(closeStatusOf(Buffer.alloc(0)), { code: undefined, reason: '' });
});
