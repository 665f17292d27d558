import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CheckType } from '../core/check.ts';
import { reasons, sources, statuses, type Outcome } from '../core/outcome.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { testContext } from '../testing/context.ts';
import { timed, type Timed } from '../testing/lateness.ts';
import type { Stand } from '../testing/stand.ts';

export interface ContractStands {
  /** A target that answers as the check hopes. */
  answering(): Promise<Stand>;
  /** A target that never answers, so that only the signal ends the run. */
  silent(): Promise<Stand>;
}

const abortLimitMs = 50;
const abortAfterMs = 100;

/** What every check type keeps, whatever it measures. Called from the test of each type. */
export function checkContract(check: CheckType, stands: ContractStands): void {
  const run = (options: Stand['options'], signal: AbortSignal): Promise<Outcome> =>
    check.run(check.options.parse(options), testContext({ signal }));

  describe(`the ${check.type} check keeps the contract`, () => {
    test('a target that answers is up, and the outcome is well formed', async () => {
      await using stand = await stands.answering();
      const outcome = await run(stand.options, AbortSignal.timeout(10_000));
      assert.equal(outcome.status, 'up', outcome.message);
      assertWellFormed(check, outcome);
    });

    test('a cancelled run ends within 50 ms of its signal, as an outcome', async () => {
      await using stand = await stands.silent();
      const { value: outcome, lateMs } = await abortRun(
        (signal) => run(stand.options, signal),
        new DOMException('stopped', 'AbortError'),
      );
      assert.ok(lateMs <= abortLimitMs, `ended ${lateMs.toFixed(1)} ms after its signal`);
      assert.equal(outcome.reason, 'cancelled', outcome.message);
      assertWellFormed(check, outcome);
    });

    test('a run that is already aborted ends at once, as an outcome', async () => {
      await using stand = await stands.silent();
      const outcome = await run(stand.options, AbortSignal.abort(new DOMException('stopped', 'AbortError')));
      assert.equal(outcome.reason, 'cancelled', outcome.message);
    });

    test('a run past its deadline ends within 50 ms, as a well-formed outcome', async () => {
      await using stand = await stands.silent();
      const { value: outcome, lateMs } = await abortRun(
        (signal) => run(stand.options, signal),
        new DOMException('No answer within 100 ms.', 'TimeoutError'),
      );
      assert.ok(lateMs <= abortLimitMs, `ended ${lateMs.toFixed(1)} ms after its deadline`);
      assertWellFormed(check, outcome);
    });

    test('runs leave no handle behind, answered or aborted', async () => {
      await using answering = await stands.answering();
      await using silent = await stands.silent();
      const once = async (): Promise<void> => {
        await run(answering.options, AbortSignal.timeout(10_000));
        await abortRun((signal) => run(silent.options, signal), new DOMException('stopped', 'AbortError'));
      };
      // A first run may open something for the whole process (a shared socket, a cache's timer). Only growth is a leak.
      await once();
      const before = await settledHandles();
      for (let round = 0; round < 5; round++) await once();
      const after = await settledHandles(before.length);
      assert.ok(after.length <= before.length, `before: ${before.join(' ')}; after: ${after.join(' ')}`);
    });

    test('the target survives the way to options and back', async () => {
      await using stand = await stands.answering();
      const options = check.options.parse(stand.options);
      const target = check.targetOf(options);
      assert.equal(
        check.targetOf(check.options.parse({ ...stand.options, ...check.fromTarget(target, check.type) })),
        target,
      );
    });
  });
}

/** Declared metrics only, finite numbers only, and nothing that JSON would change. */
export function assertWellFormed(check: CheckType, outcome: Outcome): void {
  assert.deepEqual(JSON.parse(JSON.stringify(outcome)), outcome);
  assert.ok(statuses.includes(outcome.status));
  assert.ok(outcome.message.length > 0, 'a message');
  const declared = new Set(check.metrics.map(({ name }) => name));
  for (const name of Object.keys(outcome.metrics)) assert.ok(declared.has(name), `metric ${name} is not declared`);
  if (outcome.status === 'up') return assert.equal(outcome.reason, undefined);
  assert.ok(outcome.reason !== undefined && reasons.includes(outcome.reason), `reason ${outcome.reason}`);
  assert.ok(outcome.source !== undefined && sources.includes(outcome.source), `source ${outcome.source}`);
}

async function abortRun(run: (signal: AbortSignal) => Promise<Outcome>, reason: DOMException): Promise<Timed<Outcome>> {
  const controller = new AbortController();
  const outcome = run(controller.signal);
  await Promise.race([outcome, sleep(abortAfterMs)]);
  return await timed(() => {
    controller.abort(reason);
    return outcome;
  });
}

/** The handles that keep the process alive, after a few turns of the loop in which closing sockets can close. */
async function settledHandles(atMost = Infinity): Promise<string[]> {
  for (let turn = 0; ; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const handles = process.getActiveResourcesInfo().filter((kind) => kind !== 'Timeout' && kind !== 'Immediate');
    if (turn >= 10 || (turn >= 5 && handles.length <= atMost)) return handles.toSorted();
  }
}
