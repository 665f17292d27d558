import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isSameName, unseenMistake } from './names.ts';

describe('AT14: names', () => {
  for (const [what, character] of [
    ['zero width space', '\u200b'],
    ['zero width joiner', '\u200d'],
    ['word joiner', '\u2060'],
    ['byte order mark', '\ufeff'],
    ['soft hyphen', '\u00ad'],
    ['right-to-left override', '\u202e'],
    ['right-to-left isolate', '\u2067'],
    ['left-to-right mark', '\u200e'],
    ['no-break space', '\u00a0'],
    ['em space', '\u2003'],
    ['ideographic space', '\u3000'],
    ['line separator', '\u2028'],
    ['line feed', '\n'],
    ['escape', '\u001b'],
    ['C1 control', '\u009b'],
    ['tag character', '\u{e0041}'],
    ['private use', '\ue000'],
    ['lone surrogate', '\ud800'],
  ] as const)
    test(`a ${what} in a name is refused by its number`, () => {
      const code = character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
      assert.match(unseenMistake(`we${character}b`) ?? '', new RegExp(`got one with U\\+${code}$`));
    });

  for (const name of ['web', 'Büro 3', '監視', 'שרת', 'صنعاء', '😀', "l'atelier", 'a_b-c.d/e:f'])
    test(`${name} is a name`, () => assert.equal(unseenMistake(name), undefined));

  for (const name of ['.', '..'])
    test(`${name} is no name: no address can hold it`, () =>
      assert.match(unseenMistake(name) ?? '', /an address can hold/));

  test('names that look alike are the same', () => {
    for (const [one, other] of [
      ['web', 'WEB'],
      ['web', 'ｗｅｂ'],
      ['a b', 'a  b'],
      ['caf\u00e9', 'cafe\u0301'],
      ['straße', 'STRASSE'],
      ['ﬁle', 'file'],
      ['door', 'd\u043e\u043er'],
      ['COPE', '\u0421\u041e\u0420\u0415'],
      ['seat', '\u0455\u0435\u0430\u0442'],
      ['tau', '\u03c4\u03b1u'],
      ['TAX', '\u03a4\u0391\u03a7'],
    ] as const)
      assert.ok(isSameName(one, other), `${one} ${other}`);
    assert.ok(!isSameName('web1', 'web2'));
    assert.ok(!isSameName('склад', 'склад 2'));
    assert.ok(!isSameName('почта', 'порта'));
  });
});
