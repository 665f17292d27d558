import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileAssertion } from './json-assertion.ts';
import { parseJson } from './json-document.ts';

const document = parseJson(
  '{"status":"ok","queue":7,"jobs":[{"name":"a","ok":true},{"name":"b","ok":false}],"none":null}',
);

test('an assertion is what RFC 9535 allows in a filter, on the whole document', () => {
  const cases: Readonly<Record<string, boolean>> = {
    '$.status == "ok"': true,
    "$.status == 'ok'": true,
    '$.queue < 7': false,
    '$.queue <= 7 && $.queue > 0': true,
    '!$.error': true,
    '$.error || $.status != "ok"': false,
    '$.none == null': true,
    '$.missing == null': false,
    '$.missing != null': false,
    '$.missing != "down"': false,
    '"down" != $.missing': false,
    '$.status != "down" && $.missing != "down"': false,
    '$.status != "down"': true,
    '!$.missing || $.missing != "down"': true,
    'length($.jobs) == 2': true,
    'count($.jobs[?@.ok == true]) == 1': true,
    '$.jobs[0].name == $.jobs[1].name': false,
    'match($.status, "o.")': true,
    'match($.status, "o")': false,
    'search($.status, "k$")': true,
    'count($..name) == 2': true,
  };
  for (const [text, holds] of Object.entries(cases)) assert.equal(compileAssertion(text).holds(document), holds, text);
});

const found = (text: string): string => compileAssertion(text).found(document);

test('MU14: each assertion has the whole budget of matching, however many came before', () => {
  const texts = parseJson(JSON.stringify({ text: 'a'.repeat(200_000) }));
  const assertion = compileAssertion('search($.text, "b")');
  for (let run = 0; run < 50; run++) assert.equal(assertion.holds(texts), false);
});

test('what the document holds where the comparison looks is put in words', () => {
  assert.equal(found('$.status == "down"'), '"ok"');
  assert.equal(found('$.missing == 1'), 'nothing');
  assert.equal(found('$.jobs == 1'), 'an array of 2');
  assert.equal(found('$.jobs[0] == 1'), 'an object');
  assert.equal(found('count($.jobs[*]) > 5'), '2');
});

test('an expression that could take more than linear time, or is more than one, is refused', () => {
  for (const text of [
    'count($..a..b) > 1',
    '$.a[?@..b]',
    '$.a[?$.b[*]]',
    '$.a == 1], $[?true == true',
    '$.a ==',
    '',
    'search($.a, "(")',
    'match($.a, $.b)',
  ])
    assert.throws(() => compileAssertion(text), text);
});

test('a pattern made to explode ends, also in search()', () => {
  const text = JSON.stringify({ text: `${'a'.repeat(50_000)}!` });
  assert.equal(compileAssertion('search($.text, "^(a+)+$")').holds(parseJson(text)), false);
  const costly = compileAssertion('search($.text, "(?:a?){200}[^a]$")');
  assert.throws(() => costly.holds(parseJson(text)), /too long together/);
});
