import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { dump } from 'js-yaml';
import { ConfigDocument } from './document.ts';

/** The data of a text that has no mistake. */
function dataOf(text: string): unknown {
  const document = new ConfigDocument(text);
  assert.deepEqual(document.mistakes, []);
  return document.read();
}

describe('data', () => {
  // JSON has no -0, and deeper data than the reader takes is another matter.
  const data = fc.jsonValue({ maxDepth: 6 }).map((value): unknown => JSON.parse(JSON.stringify(value)));

  test('any, written as JSON, is read as it was', () => {
    fc.assert(fc.property(data, (value) => assert.deepEqual(dataOf(JSON.stringify(value, null, 2)), value)));
  });

  test('any, written as YAML, is read as it was', () => {
    fc.assert(fc.property(data, (value) => assert.deepEqual(dataOf(dump(value)), value)));
  });

  test('any, written with aliases, is read as it was', () => {
    fc.assert(fc.property(data, (value) => assert.deepEqual(dataOf(dump([value, [value]])), [value, [value]])));
  });

  test('any text is read or has a mistake inside of it, and nothing crashes', () => {
    const pieces = fc.constantFrom(
      ...Array.from('[]{}:-?,&*!|>\'"%@`#~ \n\t\r'),
      '- ',
      ': ',
      '\n  ',
      '&a ',
      '*a',
      '---\n',
      'a',
      '1',
    );
    const text = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (written) => {
        const lines = written.split('\n');
        for (const { line, column } of new ConfigDocument(written).mistakes) {
          const length = lines[line - 1]?.length;
          assert.ok(length !== undefined && column >= 1 && column <= length + 1, `${line}:${column}`);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('plain values', () => {
  const values: readonly (readonly [string, unknown])[] = [
    ['~', null],
    ['', null],
    ['true', true],
    ['8080', 8080],
    ['0x1f', 31],
    ['1.5e3', 1500],
    ['10s', '10s'],
    ['on', 'on'],
    ['192.0.2.1', '192.0.2.1'],
    ['2026-10-01', '2026-10-01'],
    ["'8080'", '8080'],
    ['"a\\tb"', 'a\tb'],
    ['|\n  two\n  lines', 'two\nlines\n'],
    ['>-\n  one\n  line', 'one line'],
  ];
  for (const [text, value] of values) {
    test(`${JSON.stringify(text)} is ${JSON.stringify(value)}`, () => {
      assert.deepEqual(dataOf(`key: ${text}\n`), { key: value });
    });
  }

  test('a key is the text that was written', () => {
    assert.deepEqual(
      dataOf('{ 1.10: a, 0x1: b, ~: c, __proto__: d }'),
      JSON.parse('{"1.10":"a","0x1":"b","~":"c","__proto__":"d"}'),
    );
  });
});

describe('places', () => {
  const text = `first: &shared
  list: [1, {"deep": 'quoted'}]
  empty:
second: *shared
# a comment
third: |
  block
`;
  const places = [
    [[], 'value', 1, 1],
    [['first'], 'key', 1, 1],
    [['first', 'list'], 'value', 2, 9],
    [['first', 'list', 0], 'value', 2, 10],
    [['first', 'list', 1, 'deep'], 'key', 2, 14],
    [['first', 'list', 1, 'deep'], 'value', 2, 22],
    [['first', 'empty'], 'value', 3, 3],
    [['first', 'none', 'inside'], 'value', 2, 3],
    [['second'], 'value', 4, 9],
    [['second', 'list', 0], 'value', 2, 10],
    [['third'], 'value', 7, 3],
  ] as const;
  for (const [path, at, line, column] of places) {
    test(`the ${at} of ${path.join('.') || 'the document'} stands at ${line}:${column}`, () => {
      for (const lineBreak of ['\n', '\r\n']) {
        const document = new ConfigDocument(text.replaceAll('\n', lineBreak));
        document.report(path, 'wrong', at);
        const [mistake] = document.mistakes;
        assert.deepEqual([mistake?.line, mistake?.column], [line, column]);
      }
    });
  }
});

test('one value may be shared ten thousand times', () => {
  const data = dataOf(`[&all { a: 1, b: [2, 3] }, ${'*all, '.repeat(9_999)}]`);
  assert.ok(Array.isArray(data) && data.length === 10_000 && data[0] === data[9_999]);
});

test('what is deep by its aliases is as deep as when it is written out', () => {
  const lines = Array.from({ length: 32 }, (_, level) => `- &a${level + 1} [*a${level}]\n`);
  const mistakesOf = (aliases: number) =>
    new ConfigDocument(`- &a0 [end]\n${lines.slice(0, aliases).join('')}`).mistakes;
  assert.deepEqual(mistakesOf(30), []);
  assert.match(mistakesOf(31)[0]?.message ?? '', /^expected at most 32 levels/);
});
