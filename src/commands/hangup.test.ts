import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onHangup, rememberHangup } from './hangup.ts';

test('SF9: a SIGHUP before the command is ready is remembered, and those during a reading are answered by one more', async () => {
  rememberHangup('serve');
  process.emit('SIGHUP');
  const readings: PromiseWithResolvers<void>[] = [];
  const next = (): Promise<void> => {
    const reading = Promise.withResolvers<void>();
    readings.push(reading);
    return reading.promise;
  };
  onHangup(next);
  assert.equal(readings.length, 1);
  for (let signal = 0; signal < 3; signal++) process.emit('SIGHUP');
  assert.equal(readings.length, 1, 'an older file must not come into force after a newer one');
  readings[0]?.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(readings.length, 2);
  readings[1]?.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(readings.length, 2);
  process.emit('SIGHUP');
  assert.equal(readings.length, 3);
  process.removeAllListeners('SIGHUP');
});
