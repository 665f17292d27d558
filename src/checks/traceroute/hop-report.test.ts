import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Progress } from '../../core/check.ts';
import type { Network } from '../../core/network.ts';
import { testContext } from '../../testing/context.ts';
import { describeHop, HopReport } from './hop-report.ts';
import type { Hop } from './trace.ts';

const named: Readonly<Record<string, string>> = { '192.0.2.1': 'gate.test' };

function hopOf(hop: number, ...addresses: string[]): Hop {
  return { hop, addresses, rttsMs: [1.5, null, 2], error: null } as unknown as Hop;
}

const reverse: Network['reverse'] = ({ ip }) =>
  ip === '192.0.2.9' ? Promise.reject(new Error('no server')) : Promise.resolve(named[ip]);

async function told(names: boolean, hops: readonly Hop[]): Promise<readonly Progress[]> {
  const steps: Progress[] = [];
  const { net, ...context } = testContext({ onProgress: (step) => steps.push(step) });
  const report = new HopReport({ ...context, net: { ...net, reverse } }, { names });
  for (const hop of hops) report.show(hop);
  await report.finish();
  return steps;
}

test('hops are told in their order, with the names of those that have one', async () => {
  const hops = [hopOf(1, '192.0.2.1', '192.0.2.2'), hopOf(2, '192.0.2.9'), hopOf(3)];
  const steps = await told(true, hops);
  assert.deepEqual(
    steps.map(({ text }) => text),
    [
      ' 1  gate.test (192.0.2.1), 192.0.2.2  1.50 ms  *  2.00 ms',
      ' 2  192.0.2.9  1.50 ms  *  2.00 ms',
      ' 3  no answer',
    ],
  );
  assert.deepEqual(steps[0]?.detail['names'], named);
  assert.ok(!('names' in (steps[1]?.detail ?? {})), 'none has a name');
});

test('without being asked no name is looked up', async () => {
  const [step] = await told(false, [hopOf(1, '192.0.2.1')]);
  assert.equal(step?.text, ' 1  192.0.2.1  1.50 ms  *  2.00 ms');
});

test('the loss of a hop is the share of its packets without an answer', () => {
  assert.equal(describeHop(hopOf(1, '192.0.2.1'), {})['lossPercent'], 33);
});
