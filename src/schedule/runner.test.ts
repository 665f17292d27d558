import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { echo } from '../checks/echo/echo.ts';
import { tcp } from '../checks/tcp/tcp.ts';
import { systemClock } from '../core/clock.ts';
import { createNetwork } from '../net/network.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { testMonitor } from '../testing/monitors.ts';
import { tcpServer } from '../testing/tcp-server.ts';
import { LagGuard } from './lag.ts';
import { runMonitor } from './runner.ts';

const clock = systemClock;
const net = createNetwork({ clock });

/** Keeps this process from doing anything else. */
function block(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}

describe('a run', () => {
  test('gives a result that says which monitor it was, when it was due, when it began and how long it took', async () => {
    await using server = await tcpServer();
    const monitor = testMonitor({ options: tcp.options.parse({ host: server.host, port: server.port }) });
    const before = clock.now();
    const result = await runMonitor(monitor, { clock, net, controller: new AbortController(), scheduledAt: 123 });
    assert.equal(result.status, 'up', result.message);
    assert.equal(result.monitor, monitor);
    assert.equal(result.scheduledAt, 123);
    assert.ok(result.startedAt >= before && result.startedAt <= clock.now());
    assert.ok(result.durationMs > 0);
  });

  test('ends at its deadline and says how long it waited', async () => {
    await using silent = await tcpServer();
    const options = echo.options.parse({ host: silent.host, port: silent.port });
    const monitor = testMonitor({ type: 'echo', timeoutMs: 100, options });
    const result = await runMonitor(monitor, { clock, net, controller: new AbortController() });
    assert.equal(result.status, 'down');
    assert.equal(result.reason, 'timeout');
    assert.match(result.message, /100ms/);
  });

  test('that its owner aborts is cancelled, not down', async () => {
    await using silent = await tcpServer();
    const controller = new AbortController();
    const options = echo.options.parse({ host: silent.host, port: silent.port });
    const monitor = testMonitor({ type: 'echo', options });
    const running = runMonitor(monitor, { clock, net, controller });
    controller.abort(new DOMException('Stopped.', 'AbortError'));
    const result = await running;
    assert.equal(result.reason, 'cancelled');
    assert.equal(result.status, 'unknown');
  });

  test('that throws is our bug, and says nothing of the target', async () => {
    const controller = new AbortController();
    const broken = { ...net, connect: () => Promise.reject(new TypeError('x is not a function')) };
    const result = await runMonitor(testMonitor(), { clock, net: broken, controller });
    assert.equal(result.reason, 'internal');
    assert.equal(result.status, 'unknown');
    assert.match(result.message, /x is not a function/);
  });

  test('of a check type that does not exist is our bug as well', async () => {
    const result = await runMonitor(testMonitor({ type: 'gopher' }), { clock, net, controller: new AbortController() });
    assert.equal(result.reason, 'internal');
    assert.match(result.message, /gopher/);
  });

  test('leaves no timer behind', async () => {
    const fake = new FakeClock();
    const broken = { ...net, connect: () => Promise.reject(new TypeError('no')) };
    await runMonitor(testMonitor(), { clock: fake, net: broken, controller: new AbortController() });
    assert.equal(fake.pending, 0);
  });
});

describe('while this process could not run', () => {
  test('a result is unknown, and what was measured is kept', async () => {
    await using server = await tcpServer();
    const lag = new LagGuard(clock);
    const monitor = testMonitor({ options: tcp.options.parse({ host: server.host, port: server.port }) });
    const running = runMonitor(monitor, { clock, net, lag, controller: new AbortController() });
    block(400);
    const result = await running;
    lag.stop();
    assert.equal(result.status, 'unknown');
    assert.equal(result.reason, 'lag');
    assert.equal(result.source, 'agent');
    assert.deepEqual(result.detail['measured'], { status: 'up', message: `Port ${server.port} on 127.0.0.1 is open.` });
  });

  test('a lag that ended before the run began says nothing about it', async () => {
    const fake = new FakeClock();
    const lag = new LagGuard(fake);
    fake.stall(5000);
    await fake.advance(1);
    assert.equal(lag.since(0)?.kind, 'busy');
    await fake.advance(100);
    assert.equal(lag.since(fake.monotonic() - 50), undefined);
    lag.stop();
    assert.equal(fake.pending, 0);
  });

  test('lag is noticed at once, before the next timer', () => {
    const fake = new FakeClock();
    const lag = new LagGuard(fake);
    fake.stall(400);
    assert.deepEqual(lag.since(0), { kind: 'busy', lagMs: 350, endsAt: 400 });
    lag.stop();
  });

  test('less than a quarter of a second is no lag', async () => {
    const fake = new FakeClock();
    const lag = new LagGuard(fake);
    for (let round = 0; round < 20; round++) {
      fake.stall(240);
      await fake.advance(100);
    }
    assert.equal(lag.since(0), undefined);
    lag.stop();
  });

  test('a machine that slept needs a while until its network is back', async () => {
    const fake = new FakeClock();
    const lag = new LagGuard(fake);
    await fake.advance(1000);
    fake.stepWall(7_200_000);
    await fake.advance(1000);
    assert.equal(lag.since(fake.monotonic())?.kind, 'asleep');
    await fake.advance(5000);
    assert.equal(lag.since(fake.monotonic()), undefined);
    lag.stop();
  });

  test('a wall clock that is corrected by a little, or set back, is no lag', async () => {
    const fake = new FakeClock();
    const lag = new LagGuard(fake);
    for (const step of [900, -900, -3_600_000]) {
      fake.stepWall(step);
      await fake.advance(100);
    }
    assert.equal(lag.since(0), undefined);
    lag.stop();
  });
});
