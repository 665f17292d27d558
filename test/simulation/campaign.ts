import assert from 'node:assert/strict';
import { simulate } from '../../src/testing/simulator/simulate.ts';

/** Simulates an hour of each of these seeds, says how much that was, and expects no finding. */
export async function campaign(seeds: readonly number[], say: (text: string) => void): Promise<void> {
  let hours = 0;
  const faults = new Map<string, number>();
  for (const seed of seeds) {
    const report = await simulate({ seed, hours: 1, faultEveryMs: 60_000 });
    hours += report.hours;
    for (const [kind, count] of report.faults) faults.set(kind, (faults.get(kind) ?? 0) + count);
    const again = `npm run simulate -- --seed ${seed} --hours 1 --every 60000`;
    assert.deepEqual(report.findings, [], again);
  }
  const count = [...faults.values()].reduce((sum, each) => sum + each, 0);
  say(`${hours.toFixed(1)} simulated hours, ${count} faults of ${faults.size} kinds`);
}
