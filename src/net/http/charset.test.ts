import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { textOf } from './charset.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const text = (content: Buffer, type?: string): string =>
  textOf(content, new Map(type === undefined ? [] : [['content-type', type]]));

describe('CB7: the charset of a body', () => {
  // Bytes, Content-Type, text: as the WHATWG Encoding Standard's indexes have them.
  const table: readonly (readonly [string, Buffer, string | undefined, string])[] = [
    ['a byte order mark wins over Content-Type', bytes('ef bb bf c3 bc'), 'text/plain; charset=latin1', 'ü'],
    ['UTF-16 by its mark, big end first', bytes('fe ff 00 61'), 'text/html', 'a'],
    ['UTF-16 by its mark, little end first', bytes('ff fe 61 00'), undefined, 'a'],
    ['UTF-16 by its label alone', bytes('61 00'), 'text/html; charset=utf-16', 'a'],
    ['Latin-1 is windows-1252', bytes('fc 80'), 'text/plain;charset=ISO-8859-1', 'ü€'],
    ['a label in quotes and capitals', bytes('fc'), 'text/plain; x=y ; CHARSET="Latin1"', 'ü'],
    ['a label in single quotes, as some servers write', bytes('fc'), "text/plain; charset='latin1'", 'ü'],
    ['Shift_JIS', bytes('83 65'), 'text/html; charset=Shift_JIS', 'テ'],
    ['GB2312 is GBK', bytes('d6 d0'), 'text/html; charset=gb2312', '中'],
    ['EUC-KR', bytes('c7 d1'), 'text/html; charset=euc-kr', '한'],
    ['Big5', bytes('a4 a4'), 'text/html; charset=big5', '中'],
    ['KOI8-R', bytes('d1'), 'text/html; charset=koi8-r', 'я'],
    ['a label that is none leaves UTF-8', bytes('c3 bc'), 'text/plain; charset=nonsense', 'ü'],
    ['a label that is empty leaves UTF-8', bytes('c3 bc'), 'text/plain; charset=', 'ü'],
    ['JSON is UTF-8 whatever is said', bytes('22 c3 bc 22'), 'application/json; charset=latin1', '"ü"'],
    ['so is a type that ends in +json', bytes('c3 bc'), 'application/problem+json; charset=latin1', 'ü'],
    [
      'HTML says it in a meta element',
      Buffer.from('<meta charset=latin1>\xfc', 'latin1'),
      'text/html',
      '<meta charset=latin1>ü',
    ],
    [
      'Content-Type wins over the meta element',
      Buffer.from('<meta charset=latin1>ü'),
      'text/html; charset=utf-8',
      '<meta charset=latin1>ü',
    ],
    [
      'a meta element in a comment says nothing',
      Buffer.from('<!--<meta charset=latin1>-->ü'),
      'text/html',
      '<!--<meta charset=latin1>-->ü',
    ],
    [
      'a meta element in plain text says nothing',
      Buffer.from('<meta charset=latin1>ü'),
      'text/plain',
      '<meta charset=latin1>ü',
    ],
    [
      'a meta element that says UTF-16 means UTF-8',
      Buffer.from('<meta charset="utf-16">ü'),
      'text/html',
      '<meta charset="utf-16">ü',
    ],
    [
      'XML says it in its declaration',
      Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?>\xfc', 'latin1'),
      'text/xml',
      '<?xml version="1.0" encoding="ISO-8859-1"?>ü',
    ],
    ['nothing said is UTF-8', bytes('c3 bc'), undefined, 'ü'],
    ['bytes that are no UTF-8 are shown as such', bytes('fc 61'), 'text/plain', '\ufffda'],
    ['nothing at all is an empty text', Buffer.alloc(0), undefined, ''],
  ];
  for (const [name, content, type, expected] of table) test(name, () => assert.equal(text(content, type), expected));

  test('beyond the first 1,024 bytes a meta element is not looked for (HTML section 13.2.3.2)', () => {
    const page = Buffer.from(`${' '.repeat(1024)}<meta charset=latin1>\xfc`, 'latin1');
    assert.ok(text(page, 'text/html').endsWith('\ufffd'));
  });
});
