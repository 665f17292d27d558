import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestWord } from './nearest.ts';

const words = ['http', 'https', 'icmp', 'dns', 'interval', 'timeout'];
const cases: readonly (readonly [string, string | undefined])[] = [
  ['htpp', 'http'],
  ['hhtp', 'http'],
  ['HTTP', 'http'],
  ['dsn', 'dns'],
  ['intervall', 'interval'],
  ['tiemuot', 'timeout'],
  ['smtp', undefined],
  ['', undefined],
];

for (const [typed, meant] of cases) {
  test(`"${typed}" ${meant ? `is probably ${meant}` : 'is close to no word'}`, () =>
    assert.equal(nearestWord(typed, words), meant));
}
