import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { TestServer } from '../../src/testing/tcp-server.ts';
import { graceMs, maxExtraBytes, measure, type HostileRun } from './measure.ts';

export interface HostileCase {
  /** What the other side does. */
  readonly serve: () => Promise<TestServer>;
  readonly options?: object;
  /** The reason of the outcome, or its status where it has none. */
  readonly expect: string;
  readonly message?: RegExp;
  /** Those that end only by their deadline bring a short one. */
  readonly timeoutMs?: number;
}

/** Runs a check type against each, in a process of its own: in time, in little memory, and with the right reason. */
export function hostileCases(type: string, cases: Readonly<Record<string, HostileCase>>): void {
  test(`whatever the other side does, ${type} has an outcome with a reason, in time and in little memory`, async (t) => {
    await using servers = new AsyncDisposableStack();
    const names = Object.keys(cases);
    const runs: HostileRun[] = [];
    for (const { serve, options, timeoutMs = 3000 } of Object.values(cases)) {
      const { host, port } = servers.use(await serve());
      runs.push({ type, options: { host, port, ...options }, timeoutMs });
    }
    // The first is run twice more, so that what it loads is not counted.
    const measured = await measure(runs[0]!, runs);
    for (const [index, { result, lateMs, extraBytes }] of measured.entries()) {
      const name = names[index]!;
      const { expect, message } = cases[name]!;
      await t.test(`${type}: ${name}`, () => {
        assert.equal(result.reason ?? result.status, expect, result.message);
        if (message) assert.match(result.message, message);
        assert.ok(lateMs <= graceMs, `ended ${lateMs} ms late`);
        assert.ok(extraBytes <= maxExtraBytes, `took ${extraBytes} bytes`);
      });
    }
  });
}

/** Writes the same over and over until the other side has gone. */
export function writeForever(socket: Socket, chunk: Buffer | string): void {
  const more = (error?: Error | null): void => void (error ?? socket.write(chunk, more));
  more();
}
