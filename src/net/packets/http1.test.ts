import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { framingOf, Http1Error } from './http1-framing.ts';
import { encodeRequest } from './http1-request.ts';
import { ResponseParser } from './http1-response.ts';

const limits = { method: 'GET', maxBodyBytes: 1000 };

interface Read {
  readonly status: number | undefined;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** Feeds the pieces, then the end of the connection. */
function read(pieces: readonly (string | Buffer)[], method = 'GET'): Read {
  const parser = new ResponseParser({ ...limits, method });
  const isComplete = pieces.some((piece) => parser.push(Buffer.from(piece)));
  if (!isComplete) parser.end();
  return {
    status: parser.head?.status,
    headers: [...(parser.head?.headers ?? [])],
    body: parser.body.bytes().toString(),
  };
}

test('a request is encoded with its length and is the last on its connection', () => {
  const request = { method: 'POST', target: '/a', headers: { host: 'h' }, body: 'ü' };
  assert.equal(
    encodeRequest(request),
    'POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nConnection: close\r\n\r\nü',
  );
  assert.equal(encodeRequest({ method: 'CONNECT', target: 'h:443', headers: {} }), 'CONNECT h:443 HTTP/1.1\r\n\r\n');
});

test('a version is 1.0 or 1.1, and Transfer-Encoding is strange in the older one alone (RFC 9112 section 6.1)', () => {
  for (const [version, noted] of [
    ['1.0', ['Transfer-Encoding came over HTTP/1.0 (RFC 9112 section 6.1).']],
    ['1.1', []],
  ] as const) {
    const parser = new ResponseParser(limits);
    parser.push(Buffer.from(`HTTP/${version} 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`));
    assert.equal(parser.head?.version, version);
    assert.deepEqual([...parser.oddities], noted);
  }
});

test('what is missing of a response that ends is said', () => {
  for (const [text, message] of [
    ['', 'before it answered'],
    ['HTTP/1.1 200', 'in the middle of the header'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello', 'after 5 of 9 bytes of the body'],
    [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe',
      'after 2 bytes of a chunked body without its last chunk',
    ],
  ] as const) {
    const parser = new ResponseParser(limits);
    parser.push(Buffer.from(text));
    assert.throws(() => parser.end(), { name: 'Http1Error', message });
  }
});

test('a value may follow its colon at once, and a name may be missing', () => {
  const { headers } = read(['HTTP/1.1 200 OK\r\nX:y\r\n: z\r\nContent-Length: 0\r\n\r\n']);
  assert.deepEqual(headers, [
    ['x', 'y'],
    ['', 'z'],
    ['content-length', '0'],
  ]);
});

test('a folded line goes on with the field before it (RFC 9112 section 5.2)', () => {
  const { headers } = read(['HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\t3\r\n 4\r\nContent-Length: 0\r\n\r\n']);
  assert.deepEqual(headers.slice(0, 2), [
    ['a', '1'],
    ['b', '2 3 4'],
  ]);
});

test('eight interim responses are read over, and no more', () => {
  const interim = 'HTTP/1.1 103 Early Hints\r\n\r\n';
  const final = 'HTTP/1.1 204 No Content\r\n\r\n';
  assert.equal(read([interim.repeat(8) + final]).status, 204);
  assert.throws(() => read([interim.repeat(9) + final]), { name: 'Http1Error', message: /at most 8 interim/ });
});

test('names of headers are written as curl writes them, for devices that look for them so', () => {
  const headers = { host: 'h', 'user-agent': 'u', 'x-api-key': 'k', 'sec-websocket-key': 'w', te: 't' };
  assert.equal(
    encodeRequest({ method: 'GET', target: '/', headers }),
    'GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: u\r\nX-Api-Key: k\r\nSec-WebSocket-Key: w\r\nTe: t\r\nConnection: close\r\n\r\n',
  );
});

test('CB4: a request whose method means a body says its length also where there is none', () => {
  for (const [method, says] of [
    ['POST', true],
    ['PUT', true],
    ['PATCH', true],
    ['GET', false],
    ['HEAD', false],
    ['DELETE', false],
    ['OPTIONS', false],
  ] as const)
    assert.equal(/Content-Length: 0\r\n/.test(encodeRequest({ method, target: '/', headers: {} })), says, method);
});

function oddities(head: string): readonly string[] {
  const parser = new ResponseParser(limits);
  parser.push(Buffer.from(`${head}\r\nContent-Length: 0\r\n\r\n`));
  return [...parser.oddities];
}

function statusLineOf(length: number): string {
  return `HTTP/2 200 ${'a'.repeat(length - 11)}`;
}

test('an answer that keeps the standard has no oddities, and a status line that does not is cut for the message', () => {
  for (const head of ['HTTP/1.1 200 OK', 'HTTP/1.0 200 OK', 'HTTP/1.1 404 ']) assert.deepEqual(oddities(head), []);
  assert.deepEqual(oddities(statusLineOf(80)), [`The status line is "${statusLineOf(80)}".`]);
  assert.deepEqual(oddities(statusLineOf(81)), [`The status line is "${statusLineOf(80)}…".`]);
});

const responses = {
  length: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: 1\r\nx:\t2 \r\n\r\nhello',
  chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nhel\r\n2 \r\nlo\r\n0\r\nTrailer: x\r\n\r\n',
  'until close': 'HTTP/1.0 200 OK\r\n\r\nhello',
  'after interim responses':
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello',
};

test('a response reads the same however it is cut into pieces', () => {
  for (const response of Object.values(responses)) {
    const whole = read([response]);
    assert.equal(whole.body, 'hello');
    fc.assert(
      fc.property(fc.array(fc.nat(response.length), { maxLength: 20 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), response.length];
        const pieces = at.slice(1).map((end, index) => response.slice(at[index], end));
        assert.deepEqual(read(pieces), whole);
      }),
    );
  }
});

test('a field that comes several times is one list', () => {
  assert.deepEqual(read([responses.length]).headers, [
    ['content-length', '5'],
    ['x', '1, 2'],
  ]);
});

test('MU32: fields of an interim response are none of the final one', () => {
  const { headers } = read(['HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']);
  assert.deepEqual(headers, [['content-length', '0']]);
});

test('CK6: the bytes of a header are those of its block, whatever follows it', () => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const parser = new ResponseParser(limits);
  parser.push(Buffer.from(`${head}2\r\nok\r\n0\r\nTrailer: x\r\n\r\n`));
  assert.equal(parser.headerBytes, head.length);
});

test('a blank is taken from the ends of a value, and A0 is not: it ends many a character of UTF-8', () => {
  const { headers } = read([Buffer.from('HTTP/1.1 204 x\r\nX: \t voil\xc3\xa0 \t\r\n\r\n', 'latin1')]);
  assert.deepEqual(headers, [['x', 'voilà']]);
});

test('a response that has no body ends with its header', () => {
  for (const status of [204, 304]) assert.equal(read([`HTTP/1.1 ${status} x\r\nContent-Length: 5\r\n\r\n`]).body, '');
  assert.equal(read(['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'], 'HEAD').status, 200);
  assert.deepEqual(
    framingOf({ version: '1.1', status: 200, statusText: '', fields: [], headers: new Map() }, 'CONNECT'),
    {
      kind: 'none',
    },
  );
});

test('whatever comes, the parser throws nothing but its own error and keeps no more than its limits', () => {
  const fragment = fc.constantFrom(
    'HTTP/1.1 200 OK',
    '\r\n',
    '\r\n\r\n',
    'Content-Length: ',
    'Transfer-Encoding: chunked',
    '7',
    ':',
    'ff',
    '\n',
    '\0',
    ' ',
    '0',
  );
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fragment,
    fc.array(fragment).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 50 }), (pieces) => {
      const parser = new ResponseParser(limits);
      try {
        for (const bytes of pieces) if (parser.push(Buffer.from(bytes))) return;
        parser.end();
      } catch (error) {
        assert.ok(error instanceof Http1Error, String(error));
      }
      assert.ok(parser.body.length <= limits.maxBodyBytes);
    }),
    { numRuns: 3000 },
  );
});
