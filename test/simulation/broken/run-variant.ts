// Simulates one broken variant until it is noticed, and prints the finding as JSON; null if it is not within a minute of CPU time.
// `node run-variant.ts INDEX [FIRST_SEED] [SECONDS]`: at least that one seed, and others until the seconds of CPU time are over.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { variants } from './variants.ts';

const variant = variants[Number(process.argv[2])];
if (!variant) throw new Error(`there is no variant ${process.argv[2]}`);
const [firstSeed, limitSeconds] = [Number(process.argv[3] ?? 1), Number(process.argv[4] ?? 60)];
const { name, file, only } = variant;
const url = new URL(`../../../src/${file}`, import.meta.url).href;
const source = readFileSync(new URL(url), 'utf8');
const broken = [variant, variant.also].reduce((text, change) => (change ? replaceOnce(text, change) : text), source);
registerHooks({
  load(loaded, context, next) {
    if (loaded !== url) return next(loaded, context);
    return { format: 'module-typescript', source: broken, shortCircuit: true };
  },
});
const { simulate } = await import('../../../src/testing/simulator/simulate.ts');
let found: unknown = null;
let seed = firstSeed;
do {
  const { findings } = await simulate({ seed, hours: 0, faultEveryMs: 20_000, only });
  const [first] = findings;
  if (first) found = { name, seed, seconds: secondsUsed(), invariant: first.invariant, text: first.text };
  seed++;
} while (found === null && secondsUsed() < limitSeconds);
console.log(JSON.stringify(found));
process.exit(0);

function replaceOnce(text: string, { find, replace }: { readonly find: string; readonly replace: string }): string {
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`${name}: expected its text once in ${file}, found it ${places} times`);
  return text.replace(find, () => replace);
}

function secondsUsed(): number {
  return Math.round(process.cpuUsage().user / 1e6);
}
