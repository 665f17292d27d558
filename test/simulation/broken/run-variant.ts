// Simulates one broken variant until it is noticed, and prints the finding as JSON; null if it is not.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { variants } from './variants.ts';

const variant = variants[Number(process.argv[2])];
if (!variant) throw new Error(`there is no variant ${process.argv[2]}`);
const url = new URL(`../../../src/${variant.file}`, import.meta.url).href;
const source = readFileSync(new URL(url), 'utf8');
const places = source.split(variant.find).length - 1;
if (places !== 1)
  throw new Error(`${variant.name}: expected its text once in ${variant.file}, found it ${places} times`);
registerHooks({
  load(loaded, context, next) {
    if (loaded !== url) return next(loaded, context);
    const broken = source.replace(variant.find, () => variant.replace);
    return { format: 'module-typescript', source: broken, shortCircuit: true };
  },
});
const { simulate } = await import('../../../src/testing/simulator/simulate.ts');
const limitSeconds = 60;
let found: unknown = null;
for (let seed = 1; found === null && process.cpuUsage().user / 1e6 < limitSeconds; seed++) {
  const { findings } = await simulate({ seed, hours: 0, faultEveryMs: 20_000, only: variant.only });
  const [first] = findings;
  if (first) found = { seed, invariant: first.invariant, text: first.text };
}
console.log(JSON.stringify(found));
process.exit(0);
