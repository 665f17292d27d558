import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  ftpReply,
  imapGreeting,
  imapReply,
  pop3List,
  pop3Reply,
  ReplyError,
  smtpReply,
  type ReplyReader,
} from './replies.ts';

const readers: Readonly<Record<string, ReplyReader>> = {
  smtp: smtpReply,
  ftp: ftpReply,
  'imap greeting': imapGreeting,
  imap: imapReply('a1'),
  pop3: pop3Reply,
  'pop3 list': pop3List,
};

describe('CT2: a reply is read in every shape that its standard allows', () => {
  const table: readonly (readonly [reader: string, text: string, status: string, lines: readonly string[]])[] = [
    ['smtp', '220 mail ready\r\n', '220', ['mail ready']],
    ['smtp', '220\r\n', '220', ['']],
    ['smtp', '220 \r\n', '220', ['']],
    ['smtp', '250-mail\r\n250-PIPELINING\r\n250 HELP\r\n', '250', ['mail', 'PIPELINING', 'HELP']],
    ['smtp', '250-\r\n250-\r\n250\r\n', '250', ['', '', '']],
    ['smtp', '250-a\n250 b\n', '250', ['a', 'b']],
    ['smtp', '554 5.7.1 no\r\n', '554', ['5.7.1 no']],
    ['ftp', '220 ready\r\n', '220', ['ready']],
    [
      'ftp',
      '220-Welcome\r\n 221 not yet\r\nanything\r\n2200\r\n220 done\r\n',
      '220',
      ['Welcome', ' 221 not yet', 'anything', '2200', 'done'],
    ],
    ['ftp', '234\r\n', '234', ['']],
    ['imap greeting', '* OK ready\r\n', 'OK', ['ready']],
    ['imap greeting', '* ok\r\n', 'OK', ['']],
    ['imap greeting', '* Preauth hello\r\n', 'PREAUTH', ['hello']],
    ['imap greeting', '* BYE busy\r\n', 'BYE', ['busy']],
    ['imap', 'a1 OK begin\r\n', 'OK', ['begin']],
    ['imap', 'a1 ok\r\n', 'OK', ['']],
    ['imap', 'a1 No such thing\r\n', 'NO', ['such thing']],
    ['imap', '* CAPABILITY IMAP4rev1\r\n* BYE no\r\na1 OK done\r\n', 'OK', ['CAPABILITY IMAP4rev1', 'BYE no', 'done']],
    ['imap', '* LIST () "/" {7}\r\na1 OK\r\n tail\r\na1 OK real\r\n', 'OK', ['LIST () "/" {7} tail', 'real']],
    ['imap', '+ go on\r\n', '+', ['go on']],
    ['imap', '+\r\n', '+', ['']],
    ['pop3', '+OK ready\r\n', '+OK', ['ready']],
    ['pop3', '+OK\r\n', '+OK', ['']],
    ['pop3', '+ok ready\n', '+OK', ['ready']],
    ['pop3', '-ERR no\r\n', '-ERR', ['no']],
    ['pop3', '+ \r\n', '+', ['']],
    ['pop3 list', '+OK list\r\nSTLS\r\n..dot\r\n.\r\n', '+OK', ['STLS', '.dot']],
    ['pop3 list', '-ERR unknown\r\n', '-ERR', ['unknown']],
  ];
  for (const [reader, text, status, lines] of table) {
    test(`${reader}: ${JSON.stringify(text)}`, () => {
      const bytes = Buffer.from(text);
      // Behind it may stand what comes next.
      const all = Buffer.concat([bytes, Buffer.from('more')]);
      const atOnce = readers[reader]!()(all);
      assert.deepEqual([atOnce?.value.status, atOnce?.value.lines, atOnce?.end], [status, lines, bytes.length]);
      const read = readers[reader]!();
      for (let length = 0; length < bytes.length; length++) assert.equal(read(all.subarray(0, length)), undefined);
      assert.deepEqual(read(all.subarray(0, bytes.length)), atOnce, 'byte by byte');
    });
  }
});

test('what is no reply is refused at its first line', () => {
  const table: readonly (readonly [reader: string, text: string])[] = [
    ['smtp', 'SSH-2.0-OpenSSH\r\n'],
    ['smtp', '22 short\r\n'],
    ['smtp', '2200 long\r\n'],
    ['smtp', '220-first\r\nsecond\r\n'],
    ['ftp', 'hello\r\n'],
    ['imap greeting', '220 mail\r\n'],
    ['imap greeting', '* OKAY\r\n'],
    ['imap', 'b7 OK of another command\r\n'],
    ['imap', 'a1 MAYBE\r\n'],
    ['pop3', '+OKAY\r\n'],
    ['pop3', '220 mail\r\n'],
  ];
  for (const [reader, text] of table)
    assert.throws(() => readers[reader]!()(Buffer.from(text)), { name: 'ReplyError' }, `${reader} ${text}`);
});

test('any bytes are a reply, none, or the begin of one', () => {
  const line = fc.constantFrom('220', '220-', '* ', 'a1 ', '+OK', '{9}', '{999999999}', '\r\n', '\n', '.', '\xff');
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.string({ maxLength: 5 })), { maxLength: 30 }), (parts) => {
      const bytes = Buffer.from(parts.join(''), 'latin1');
      for (const reader of Object.values(readers)) {
        const atOnce = attempt(() => reader()(bytes));
        assert.ok(
          atOnce instanceof ReplyError || atOnce === undefined || (atOnce.end > 0 && atOnce.end <= bytes.length),
        );
        // In pieces, the same comes out.
        const read = reader();
        let inPieces: typeof atOnce;
        for (let length = 0; length <= bytes.length && inPieces === undefined; length += 3)
          inPieces = attempt(() => read(bytes.subarray(0, length)));
        inPieces ??= attempt(() => read(bytes));
        assert.deepEqual(inPieces, atOnce);
      }
    }),
  );
});

function attempt<Value>(work: () => Value): Value | ReplyError {
  try {
    return work();
  } catch (error) {
    assert.ok(error instanceof ReplyError, String(error));
    return error;
  }
}

test('a reply of 10,000 lines that comes byte by byte is read in time that grows with its length', () => {
  for (const [reader, line, last] of [
    ['smtp', '250-\r\n', '250 \r\n'],
    ['ftp', '220-\r\n', '220 \r\n'],
    ['imap', '* 1\r\n', 'a1 OK\r\n'],
    ['pop3 list', '+OK\r\n', '.\r\n'],
  ] as const) {
    const bytes = Buffer.from(line.repeat(10_000) + last);
    const read = readers[reader]!();
    let lines = 0;
    for (let length = 1; length < bytes.length; length++) lines += read(bytes.subarray(0, length)) ? 1 : 0;
    assert.equal(lines, 0);
    assert.equal(read(bytes)?.end, bytes.length);
  }
});
