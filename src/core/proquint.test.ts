import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proquints } from './proquint.ts';

// The examples of the proposal.
const cases: readonly (readonly [ip: string, words: string])[] = [
  ['127.0.0.1', 'lusab babad'],
  ['63.84.220.193', 'gutih tugad'],
  ['140.98.193.141', 'mudof sakat'],
  ['198.81.129.136', 'sinid makam'],
  ['216.68.232.21', 'todah vobij'],
  ['255.255.255.255', 'zuzuz zuzuz'],
];

for (const [ip, words] of cases)
  test(`${ip} reads as ${words}`, () =>
    assert.equal(proquints(Buffer.from(ip.split('.').map(Number))).join(' '), words));
