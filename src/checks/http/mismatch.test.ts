import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../core/failure.ts';
import type { HttpResponse } from '../../net/http/http.ts';
import { bodyMismatch, headMismatch } from './mismatch.ts';
import { options, type HttpOptions } from './options.ts';

const optionsOf = (given: object): HttpOptions => options.parse({ url: 'http://127.0.0.1/', ...given });

function response(status: number, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return {
    version: '1.1',
    status,
    statusText: '',
    fields: [],
    headers: new Map(Object.entries(headers)),
    headerBytes: 0,
    body: Buffer.alloc(0),
    isCut: false,
    codings: [],
    oddities: [],
    firstByteMs: 0,
    transferMs: 0,
  };
}

test('MU15: a range of statuses holds both its ends, and nothing beyond', () => {
  const good = optionsOf({ status: ['200-299', '404'] });
  for (const status of [200, 204, 299, 404]) assert.equal(headMismatch(response(status), good), undefined, `${status}`);
  for (const status of [199, 300, 403, 405]) assert.ok(headMismatch(response(status), good), `${status}`);
});

describe('CK5: headers', () => {
  const table: readonly (readonly [object, Readonly<Record<string, string>>, RegExp | undefined])[] = [
    [{ responseHeaders: { server: 'ngi' } }, { server: 'nginx' }, undefined],
    [{ responseHeaders: { server: 'ngi' } }, {}, /^Expected a header server with "ngi", got none$/],
    [{ responseHeadersMatch: { age: '^\\d+$' } }, { age: '12' }, undefined],
    [{ responseHeadersMatch: { age: '^\\d+$' } }, { age: 'old' }, /a match of \^\\d\+\$ in the header age, got "old"/],
    [{ responseHeadersMatch: { Age: '^\\d+$' } }, {}, /^Expected a header age/],
    [{ responseHeadersNotMatch: { server: '\\d' } }, { server: 'nginx' }, undefined],
    [
      { responseHeadersNotMatch: { server: '\\d' } },
      { server: 'nginx/1.2' },
      /^Expected no match of \\d in the header/,
    ],
    [{ responseHeadersNotMatch: { server: '\\d' } }, {}, undefined],
  ];
  for (const [given, headers, expected] of table)
    test(`${JSON.stringify(given)} on ${JSON.stringify(headers)}`, () => {
      const mismatch = headMismatch(response(200, headers), optionsOf(given));
      if (expected) assert.match(mismatch ?? 'nothing', expected);
      else assert.equal(mismatch, undefined);
    });
});

test('CA1: patterns for headers are matched in bounded time, and a header that is too long for them is unknown', () => {
  const pattern = '(?:a?b?c?d?){0,40}x';
  const long = response(200, { 'x-long': 'ab'.repeat(32_000) });
  for (const option of ['responseHeadersMatch', 'responseHeadersNotMatch']) {
    const given = optionsOf({ [option]: { 'x-long': pattern } });
    const before = process.threadCpuUsage();
    assert.throws(
      () => headMismatch(long, given),
      (error) =>
        error instanceof Failure &&
        error.toOutcome().status === 'unknown' &&
        /first \d+ characters/.test(error.message),
    );
    const { user } = process.threadCpuUsage(before);
    assert.ok(user < 5_000_000, `it took ${user / 1e6} s of the processor, expected about half a second`);
  }
  assert.equal(headMismatch(long, optionsOf({ responseHeadersMatch: { 'x-long': '^ab' } })), undefined);
});

test('a document that cannot be searched for an assertion says so', () => {
  const text = JSON.stringify({ texts: Array.from({ length: 2000 }, () => 'a'.repeat(1000)) });
  const given = optionsOf({ jsonPath: [`count($.texts[?search(@, "${'(a|b)'.repeat(40)}c")]) > 1`] });
  assert.match(bodyMismatch({ text, isWhole: true }, given) ?? '', /got a document that cannot be searched: its texts/);
});

test('redirects are followed 0 to 20 times', () => {
  for (const maxRedirects of [0, 20]) assert.equal(optionsOf({ maxRedirects }).maxRedirects, maxRedirects);
  for (const maxRedirects of [-1, 21, 1.5]) assert.throws(() => optionsOf({ maxRedirects }), /from 0 to 20/);
});

describe('CB14: the body', () => {
  const part = { text: 'all is well so far', isWhole: false };
  const whole = { ...part, isWhole: true };
  const decided: readonly (readonly [object, RegExp | undefined])[] = [
    [{ contains: ['well'] }, undefined],
    [{ notContains: ['well'] }, /^Expected no "well" in the body/],
    [{ matches: ['w.ll'] }, undefined],
    [{ notMatches: ['w.ll'] }, /^Expected no match of w\.ll in the body, got "well"/],
  ];
  const undecided = [
    { contains: ['end'] },
    { notContains: ['end'] },
    { matches: ['end$'] },
    { notMatches: ['end$'] },
    { jsonPath: ['$.a == 1'] },
  ];
  for (const [given, expected] of decided)
    test(`${JSON.stringify(given)} is decided by what was read`, () => {
      for (const body of [part, whole]) {
        const mismatch = bodyMismatch(body, optionsOf(given));
        if (expected) assert.match(mismatch ?? 'nothing', expected);
        else assert.equal(mismatch, undefined);
      }
    });
  for (const given of undecided)
    test(`${JSON.stringify(given)} is unknown where there is more than was read`, () => {
      assert.throws(
        () => bodyMismatch(part, optionsOf(given)),
        (error) => error instanceof Failure && error.toOutcome().status === 'unknown' && error.reason === 'too-large',
      );
    });

  test('beyond the first 256 KiB a pattern is not looked for, and that is said', () => {
    const long = { text: `${'a'.repeat(300_000)}end`, isWhole: true };
    assert.throws(() => bodyMismatch(long, optionsOf({ matches: ['end'] })), /only its first 262144 characters/);
    assert.equal(bodyMismatch(long, optionsOf({ contains: ['end'] })), undefined);
  });
});
