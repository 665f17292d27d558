// Simulated hours of a server and its agents: `npm run simulate -- --hours 100 [--seed 1] [--trace]`, or `--broken all`.
import { parseArgs } from 'node:util';
import { faultKinds } from '../src/testing/simulator/chaos.ts';
import { simulate, type SimulationReport } from '../src/testing/simulator/simulate.ts';
import { runVariant } from '../test/simulation/broken/run-variants.ts';
import { variants } from '../test/simulation/broken/variants.ts';

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    /** Of one seed; the next seed follows. */
    'seed-hours': { type: 'string', default: '1' },
    /** Kinds of faults, with commas; all unless given. */
    only: { type: 'string' },
    /** The mean time between two faults. */
    every: { type: 'string', default: '10000' },
    trace: { type: 'boolean', default: false },
    /** Breaks modules on purpose instead: the index of a variant, or all. */
    broken: { type: 'string' },
  },
});

if (values.broken !== undefined) process.exit(showBroken(values.broken));
const only = values.only?.split(',');
const unknown = only?.filter((kind) => !faultKinds.includes(kind)) ?? [];
if (unknown.length > 0) {
  console.error(`There is no fault ${unknown.join(', ')}; there are: ${faultKinds.join(', ')}.`);
  process.exit(2);
}
const faults = new Map<string, number>();
const failed: SimulationReport[] = [];
const [firstSeed, hours, seedHours] = [Number(values.seed), Number(values.hours), Number(values['seed-hours'])];
let seed = firstSeed;
let simulatedHours = 0;
const startedMs = performance.now();
for (; simulatedHours < hours; seed++) {
  const report = await simulate({
    seed,
    hours: Math.min(seedHours, hours),
    faultEveryMs: Number(values.every),
    ...(only && { only }),
    ...(values.trace && { onTrace: (line: string) => console.log(line) }),
  });
  simulatedHours += report.hours;
  for (const [kind, count] of report.faults) faults.set(kind, (faults.get(kind) ?? 0) + count);
  if (report.findings.length > 0) failed.push(tell(report));
}
const { user, system } = process.cpuUsage();
console.log(`Seeds ${firstSeed} to ${seed - 1}: ${simulatedHours.toFixed(1)} simulated hours in`);
console.log(
  `${((performance.now() - startedMs) / 1000).toFixed(0)} s, ${((user + system) / 1e6).toFixed(0)} s of CPU time.`,
);
for (const kind of faultKinds) console.log(`${String(faults.get(kind) ?? 0).padStart(7)} ${kind}`);
console.log(`${String([...faults.values()].reduce((sum, count) => sum + count, 0)).padStart(7)} faults in all`);
console.log(failed.length === 0 ? 'No findings.' : `${failed.length} seeds with findings.`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** What was found, and the line that shows it again. */
function tell(report: SimulationReport): SimulationReport {
  const settings = `--seed ${report.seed} --hours ${seedHours} --seed-hours ${seedHours} --every ${values.every}`;
  console.log(`npm run simulate -- ${settings}${values.only === undefined ? '' : ` --only ${values.only}`}`);
  for (const { atMs, invariant, text } of report.findings.slice(0, 5))
    console.log(`  after ${(atMs / 1000).toFixed(1)} s, ${invariant}: ${text}`);
  return report;
}

/** Says of each variant what notices it; 1 if nothing does within a minute of CPU time. */
function showBroken(which: string): number {
  let missed = 0;
  for (const [index, { name }] of variants.entries()) {
    if (which !== 'all' && which !== String(index)) continue;
    const { found, error } = runVariant(index, { seed: 1, seconds: 60 });
    if (!found) missed++;
    const verdict = found ? `seed ${found.seed}, ${found.seconds} s: ${found.invariant}` : error || 'not noticed';
    console.log(`${String(index).padStart(3)} ${name}: ${verdict}`);
  }
  return missed === 0 ? 0 : 1;
}
