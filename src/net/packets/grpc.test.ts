import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeGrpcMessage, decodeHealthResponse, encodeHealthRequest, grpcCodes, GrpcError } from './grpc.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('a health request', () => {
  test('for the whole server is an empty message', () => {
    assert.equal(encodeHealthRequest('').toString('hex'), '0000000000');
  });

  test('names its service in field 1', () => {
    // protoc --encode gives 0a 07 65 63 68 6f 2e 45 76 for service: "echo.Ev".
    assert.deepEqual(encodeHealthRequest('echo.Ev'), bytes('00 00000009 0a07 6563686f2e4576'));
  });

  test('of 300 bytes has a length of two', () => {
    assert.deepEqual(encodeHealthRequest('x'.repeat(300)).subarray(0, 8), bytes('00 0000012f 0aac02'));
  });
});

describe('a health response', () => {
  const good: readonly (readonly [what: string, hex: string, status: string])[] = [
    ['SERVING', '00 00000002 0801', 'SERVING'],
    ['NOT_SERVING', '00 00000002 0802', 'NOT_SERVING'],
    ['nothing, which is 0', '00 00000000', 'UNKNOWN'],
    ['a status nobody knows', '00 00000002 0809', 'status 9'],
    [
      'fields of later versions around it',
      '00 00000019 120378797a 190102030405060708 0801 2501020304 a0069601',
      'SERVING',
    ],
    ['the last of two', '00 00000004 0802 0801', 'SERVING'],
  ];
  for (const [what, hex, status] of good) {
    test(`with ${what} is ${status}`, () => assert.equal(decodeHealthResponse(bytes(hex)), status));
  }

  const bad: readonly (readonly [what: string, hex: string, message: RegExp])[] = [
    ['no message', '', /expected a message, got 0 bytes/],
    ['compression', '01 00000002 0801', /without compression/],
    ['less than its length', '00 00000003 0801', /one message of 3 bytes, got 2/],
    ['a second message', '00 00000002 0801 00 00000000', /one message of 2 bytes, got 7/],
    ['a number without end', '00 00000003 08ffff', /whole number/],
    ['a field beyond the end', '00 00000002 1205', /whole field/],
    ['a group', '00 00000001 0b', /wire type 3/],
  ];
  for (const [what, hex, message] of bad) {
    test(`with ${what} is refused`, () =>
      assert.throws(() => decodeHealthResponse(bytes(hex)), { name: 'GrpcError', message }));
  }

  test('of any bytes is read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (message) => {
        const prefix = Buffer.alloc(5);
        prefix.writeUInt32BE(message.length, 1);
        try {
          assert.equal(typeof decodeHealthResponse(Buffer.concat([prefix, message])), 'string');
        } catch (error) {
          assert.ok(error instanceof GrpcError, String(error));
        }
      }),
    );
  });
});

test('the text of grpc-message is UTF-8 in percent-encoding, and what is none stays', () => {
  assert.equal(decodeGrpcMessage('no such %22service%22: gr%C3%BCn'), 'no such "service": grün');
  assert.equal(decodeGrpcMessage('100% of %zz'), '100% of %zz');
});

test('codes have the numbers of google.rpc.Code', () => {
  const table: readonly (readonly [number, (typeof grpcCodes)[number]])[] = [
    [0, 'OK'],
    [1, 'CANCELLED'],
    [2, 'UNKNOWN'],
    [3, 'INVALID_ARGUMENT'],
    [4, 'DEADLINE_EXCEEDED'],
    [5, 'NOT_FOUND'],
    [6, 'ALREADY_EXISTS'],
    [7, 'PERMISSION_DENIED'],
    [8, 'RESOURCE_EXHAUSTED'],
    [9, 'FAILED_PRECONDITION'],
    [10, 'ABORTED'],
    [11, 'OUT_OF_RANGE'],
    [12, 'UNIMPLEMENTED'],
    [13, 'INTERNAL'],
    [14, 'UNAVAILABLE'],
    [15, 'DATA_LOSS'],
    [16, 'UNAUTHENTICATED'],
  ];
  assert.equal(grpcCodes.length, table.length);
  for (const [number, name] of table) assert.equal(grpcCodes[number], name);
});
