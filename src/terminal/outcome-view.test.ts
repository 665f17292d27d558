import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Metric } from '../core/metrics.ts';
import { failed, up, type Outcome } from '../core/outcome.ts';
import { formatOutcome } from './outcome-view.ts';
import { plain } from './paint.ts';
import { statusWord } from './symbols.ts';
import { widthOf, wrap } from './text.ts';
import { columnsFor } from './width.ts';

const metrics: readonly Metric[] = [
  {
    name: 'resolveMs',
    unit: 'ms',
    meaning: 'looking the name up, with a meaning that does not fit beside it at eighty',
  },
  { name: 'certificateDaysLeft', unit: 'days', meaning: 'until the first certificate of the path expires' },
];

const names = Array.from({ length: 40 }, (_, index) => `www${index}.example.org`);
const outcome: Outcome = up('200 OK', {
  latencyMs: 12.34,
  metrics: { resolveMs: 1.25, certificateDaysLeft: 80 },
  detail: {
    url: `https://www.example.org/${'path/'.repeat(30)}`,
    tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', resumed: false },
    hops: [
      { hop: 1, addresses: ['192.0.2.1'], rttsMs: [0.5, null, 1.25] },
      { hop: 2, addresses: ['192.0.2.2', '192.0.2.3'], rttsMs: [5, 6, 7] },
    ],
    headers: { 'content-type': 'text/html', 'set-cookie': ['a=1', 'b=2'], evil: '\u001B[2J' },
    certificates: [
      { role: 'leaf', subject: 'CN=www.example.org', names, ocsp: { status: 'good', checkedAt: '2026-11-28' } },
      { role: 'root', subject: 'CN=Root' },
    ],
    reportedBy: null,
  },
});

function shown(
  columns: number,
  options: { readonly isVerbose?: boolean; readonly told?: ReadonlySet<string> } = {},
): string {
  return formatOutcome(outcome, { paint: plain, columns, metrics, isVerbose: false, ...options });
}

describe('CH11: evidence', () => {
  for (const columns of [40, 80, 120, 200]) {
    for (const isVerbose of [false, true]) {
      test(`at ${columns} columns${isVerbose ? ' with -v' : ''} fits, and nothing is cut`, () => {
        const text = shown(columns, { isVerbose });
        for (const line of text.split('\n')) assert.ok(widthOf(line) <= columns, `${widthOf(line)}: ${line}`);
        assert.ok(!text.includes('…'));
        assert.ok(text.replaceAll(/\s/g, '').includes('path/'.repeat(30)), text);
        if (isVerbose) for (const name of names) assert.ok(text.replaceAll(/\s/g, '').includes(name), name);
      });
    }
  }

  test('that fills a screen is shown on request, and what there is is said', () => {
    assert.match(shown(80), /\n {3}-v shows headers, certificates$/);
    assert.doesNotMatch(shown(80), /text\/html/);
    const all = shown(80, { isVerbose: true });
    assert.match(all, /content-type +text\/html/);
    assert.match(all, /set-cookie +a=1, b=2/);
    assert.match(all, /certificates +1 of 2\n +role +leaf\n +subject +CN=www\.example\.org\n/);
    assert.match(all, /\n +role root, subject CN=Root\n/);
    assert.doesNotMatch(all, /-v shows/);
  });

  test('has numbers with their units, words for names, and nothing that drives the terminal', () => {
    const text = shown(Infinity, { isVerbose: true });
    assert.match(text, /hops +hop 1, addresses 192\.0\.2\.1, rtts 0\.50 ms, -, 1\.25 ms\n/);
    assert.match(text, /reported by +-/);
    assert.match(text, /evil \\x1b\[2J/);
  });

  test('that was told while the run lasted is not told again', () => {
    const told = new Set([JSON.stringify({ hop: 1, addresses: ['192.0.2.1'], rttsMs: [0.5, null, 1.25] })]);
    assert.doesNotMatch(shown(80, { told }), /hop 1,/);
    assert.match(shown(80, { told }), /hops +hop 2,/);
  });

  test('begins with the verdict, and who is to blame', () => {
    const down = failed('refused', 'Connecting to 192.0.2.1:1: refused, nothing listens there (ECONNREFUSED).');
    const text = formatOutcome(down, { paint: plain, columns: 60, metrics, isVerbose: false });
    assert.equal(text.replaceAll(/\s+/g, ' '), `${statusWord('down')} ${down.message} [refused, target]`);
  });
});

describe('CH13: a terminal', () => {
  test('that does not know its width has 80 columns, and no terminal has no limit', () => {
    assert.equal(columnsFor({ isTTY: true, columns: 0 }), 80);
    assert.equal(columnsFor({ isTTY: true }), 80);
    assert.equal(columnsFor({ isTTY: true, columns: 132 }), 132);
    assert.equal(columnsFor({ columns: 80 }), Infinity);
  });

  test('whose locale has no such signs gets words alone', () => {
    assert.equal(statusWord('up', { LC_ALL: 'C', LANG: 'en_US.UTF-8' }), 'up');
    assert.equal(statusWord('down', { LANG: 'POSIX' }), 'down');
    assert.equal(statusWord('down', { LC_CTYPE: 'de_DE.ISO-8859-1', LANG: 'en_US.UTF-8' }), 'down');
    assert.equal(statusWord('up', { LC_ALL: 'C.UTF-8' }), '✔ up');
    assert.equal(statusWord('up', { LC_ALL: '', LANG: 'en_US.utf8' }), '✔ up');
    assert.equal(statusWord('up', {}), '✔ up');
  });
});

describe('a text that is wrapped', () => {
  test('breaks at blanks, and inside a word only where the word is longer than the line', () => {
    assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
    assert.deepEqual(wrap('a abcdefghij b', 4), ['a', 'abcd', 'efgh', 'ij b']);
    assert.deepEqual(wrap('日本語', 4), ['日本', '語']);
    assert.deepEqual(wrap('short', 80), ['short']);
    assert.deepEqual(wrap('', 80), ['']);
    assert.deepEqual(wrap('ab', 0), ['a', 'b']);
    assert.deepEqual(wrap('one two three four', 9, '  '), ['one two', '  three', '  four']);
  });

  test('is measured without its colours, which are never broken', () => {
    const red = '\u001B[31mone two\u001B[39m three';
    assert.equal(widthOf(red), 13);
    assert.deepEqual(wrap(red, 7), ['\u001B[31mone two\u001B[39m', 'three']);
    assert.deepEqual(wrap('\u001B[31mabcd\u001B[39m', 2), ['\u001B[31mab', 'cd\u001B[39m']);
  });
});
