import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem, recovery } from '../testing/messages.ts';
import { messageIdOf, threadOf, type Message, type MessageKey } from './message.ts';

const first: MessageKey = { incident: '0198-a', transition: 1, kind: 'problem', step: 0 };

test('the id of a message begins with its thread and differs with each part of its key', () => {
  const keys: readonly MessageKey[] = [
    first,
    { ...first, incident: '0198-b' },
    { ...first, transition: 2 },
    { ...first, kind: 'recovery' },
    { ...first, step: 1 },
  ];
  assert.equal(messageIdOf(first), 'wk-0198-a-1-problem-0');
  assert.equal(new Set(keys.map(messageIdOf)).size, keys.length);
  for (const key of keys) assert.ok(messageIdOf(key).startsWith(`${threadOf(key.incident)}-`));
});

test('every message of an incident has its thread and an id of its own', () => {
  const told: readonly Message[] = [problem(), recovery()];
  assert.deepEqual(new Set(told.map(({ thread }) => thread)).size, 1);
  assert.deepEqual(new Set(told.map(({ id }) => id)).size, told.length);
});
