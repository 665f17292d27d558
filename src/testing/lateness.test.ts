import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { timed } from './lateness.ts';

test('work that ends in its time is not late', async () => {
  assert.deepEqual(await timed(() => Promise.resolve('done'), 60_000), { value: 'done', lateMs: 0 });
});

test('an error of the work is the error', async () => {
  await assert.rejects(
    timed(() => Promise.reject(new Error('no')), 60_000),
    /^Error: no$/,
  );
});

// The limits are far below the real figures: a busy machine gives this thread less of its time.
test('waiting beyond the allowed time is late', async () => {
  const { lateMs } = await timed(() => sleep(1000), 10);
  assert.ok(lateMs > 5, `${lateMs} ms`);
});

test('work that holds up the event loop is late, although no timer could fire meanwhile', async () => {
  const { lateMs } = await timed(async () => {
    await Promise.resolve();
    for (const end = performance.now() + 500; performance.now() < end;);
  }, 10);
  assert.ok(lateMs > 5, `${lateMs} ms`);
});

test('time in which this process cannot run does not count', async () => {
  const startedMs = performance.now();
  // Stopped by somebody else for as long as a very busy machine might stop it.
  const stop = `kill -STOP ${process.pid}; sleep 2; kill -CONT ${process.pid}`;
  const { lateMs } = await timed(() => once(spawn('sh', ['-c', stop]), 'exit'), 100);
  const elapsedMs = performance.now() - startedMs;
  assert.ok(elapsedMs >= 2000 && lateMs < elapsedMs / 2, `${lateMs} ms of ${elapsedMs} ms`);
});
