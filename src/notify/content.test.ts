import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { problem, recovery } from '../testing/messages.ts';
import { byteSize, cutText, fittedText, messageContent, sizeOfText, utf16Size, visible } from './content.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: fc.constantFrom('a', '\u00e4', '\u{1f600}', '<', '\u202e', '\n', '\0'), maxLength: 300 }),
);

describe('a text that is cut', () => {
  for (const [name, sizeOf] of [
    ['UTF-16 units', utf16Size],
    ['bytes', byteSize],
  ] as const)
    test(`fits into its limit of ${name}, and no character is broken`, () => {
      fc.assert(
        fc.property(anyText, fc.nat(400), (text, limit) => {
          const wellFormed = text.toWellFormed();
          const cut = cutText(wellFormed, limit, sizeOf);
          assert.ok(sizeOfText(cut, sizeOf) <= limit);
          assert.ok(cut.isWellFormed());
          if (sizeOfText(wellFormed, sizeOf) <= limit) assert.equal(cut, wellFormed);
        }),
      );
    });

  test('says so, and where the rest is', () => {
    assert.equal(cutText('x'.repeat(300), 200).slice(-40), 'xx… (cut, full text behind the link)'.padStart(40, 'x'));
    assert.equal(cutText('x'.repeat(300), 10), 'xxxxxxxxx…');
    assert.equal(cutText('x', 0), '');
  });

  test('keeps its links whole', () => {
    const content = messageContent(problem({ facts: [{ label: 'a', text: 'x'.repeat(4000) }] }), {
      zone: 'UTC',
      isShort: false,
    });
    const text = fittedText(content, 500);
    assert.ok(text.length <= 500);
    assert.ok(
      text.endsWith('\nDetails: https://watch.example/incidents/1\nAcknowledge: https://watch.example/ack/abc'),
      text,
    );
  });
});

describe('a text from outside', () => {
  test('is one line without control and direction characters, and bounded', () => {
    fc.assert(
      fc.property(anyText, fc.nat(200), (text, limit) => {
        const shown = visible(text, limit);
        assert.ok(shown.length <= limit && shown.isWellFormed());
        assert.doesNotMatch(shown, /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u);
      }),
    );
  });

  test('shows what would act as �', () => assert.equal(visible('a\r\n\u202eb\u001b[31m', 50), 'a���b�[31m'));

  test('of 100 MB costs no more than its beginning', () => {
    assert.equal(visible('x'.repeat(100_000_000), 100).length, 100);
  });
});

function linesOf(zone: string): readonly string[] {
  return messageContent(recovery(), { zone, isShort: false }).lines.map(({ label, text }) => `${label}: ${text}`);
}

describe('the content of a message', () => {
  test('has times in the zone of the reader and in UTC', () => {
    assert.deepEqual(linesOf('UTC').slice(0, 2), [
      'Since: 2026-11-28 02:13 UTC',
      'Until: 2026-11-28 02:25 UTC, 12 min',
    ]);
    assert.equal(linesOf('Asia/Kathmandu')[0], 'Since: 2026-11-28 07:58 +05:45 (02:13 UTC)');
  });

  test('tells nothing twice that a fact says as well', () => {
    const facts = [
      { label: 'Since', text: '2026-11-28T02:13:00.000Z' },
      { label: 'Target', text: '192.0.2.1:443' },
    ];
    const { lines } = messageContent(problem({ facts }), { zone: 'UTC', isShort: false });
    assert.deepEqual(
      lines.map(({ label }) => label),
      ['Since', 'Verdict', 'Target'],
    );
  });

  test('says how long it was as people do', () => {
    const lengths = [40_000, 119_000, 120_000, 3_600_000, 11_100_000, 90_000_000].map((lengthMs) => {
      const { lines } = messageContent(problem({ since: 0, until: lengthMs }), { zone: 'UTC', isShort: false });
      return lines[1]?.text.split(', ')[1];
    });
    assert.deepEqual(lengths, ['40 s', '119 s', '2 min', '1 h', '3 h 5 min', '1 d 1 h']);
  });

  test('has only links that open a page', () => {
    for (const link of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'x', '//h.example'])
      assert.deepEqual(messageContent(problem({ link, ackLink: link }), { zone: 'UTC', isShort: false }).links, []);
  });

  test('is the title and the links in its short form', () => {
    const { title, lines, links } = messageContent(problem(), { zone: 'UTC', isShort: true });
    assert.deepEqual([title, lines, links.length], [problem().headline, [], 2]);
  });
});
