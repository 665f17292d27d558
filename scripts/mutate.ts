// npm run mutate [-- ROOM-OR-FILE …] [--sample N] [--seed N] [--tests N] [--slowest SECONDS]: changes one small thing at a time in the sources and
// runs the tests that import the file. A mutant that no test notices survives: a place that the tests do not hold. Not in CI.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { CoveringTests } from './covering-tests.ts';
import { mutantsOf, type Mutant } from './mutants.ts';
import type { MutationOrder } from './mutation-hook.ts';

const root = resolve(import.meta.dirname, '..');
const usualRooms = ['core', 'schedule', 'checks', 'net/packets'];
/** Tests with real daemons, machines or minutes are left out: a mutant must be judged in seconds. */
const testGlobs = [
  'src/**/*.test.ts',
  'test/corpus/*.test.ts',
  'test/architecture/{docs,registry}.test.ts',
  'test/hostile/{dns,http,http2,ntp,tcp,udp,tls,echo}.test.ts',
];
const jobs = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    tests: { type: 'string', default: '16' },
    slowest: { type: 'string', default: '30' },
  },
});
const mostTests = Number(values.tests);
/** A test that takes longer judges nothing: on a busy machine, give more. */
const slowestMs = 1000 * Number(values.slowest);

interface Place {
  readonly mutant: Mutant;
  readonly room: string;
  readonly file: string;
  readonly source: string;
}

interface Verdict {
  readonly place: Place;
  /** The test that noticed; undefined for a survivor. */
  readonly killedBy: string | undefined;
}

const usual = new Map<string, Promise<number | undefined>>();
const covering = new CoveringTests(root, testGlobs);
const places = sampled(roomsToMutate().flatMap(placesOf));
console.log(`${places.length} mutants, at most ${mostTests} test files each, ${jobs} at a time.`);
const verdicts: Verdict[] = [];
// The places come in an order drawn by lot: the first of them are a sample too.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    report(verdicts);
    process.exit(1);
  });
await judgeAll(places);
report(verdicts);

function roomsToMutate(): readonly string[] {
  return positionals.length > 0 ? positionals : usualRooms;
}

/** Of a room (`core`, `net/packets`) or of one file (`src/core/target.ts`). */
function placesOf(room: string): readonly Place[] {
  const files = room.endsWith('.ts') ? [room] : globSync(`src/${room}/**/*.ts`, { cwd: root });
  const own = files.filter((file) => !/(?:\.(?:test|contract)\.ts$)|_template\//.test(file)).toSorted();
  if (own.length === 0) throw new Error(`There is no source in ${room}.`);
  return own.flatMap((file) => {
    const source = readFileSync(resolve(root, file), 'utf8');
    return mutantsOf(source).map((mutant) => ({ mutant, room, file, source }));
  });
}

/** The same places for the same seed, however the rest of the house changes. */
function sampled(all: readonly Place[]): readonly Place[] {
  if (values.sample === undefined) return all;
  const rank = ({ file, mutant: { start, text } }: Place): string =>
    createHash('sha256').update(`${values.seed} ${file} ${start} ${text}`).digest('hex');
  const ranked = all.map((place) => ({ place, key: rank(place) })).toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return ranked.slice(0, Number(values.sample)).map(({ place }) => place);
}

/** Fills `verdicts`. */
async function judgeAll(queue: readonly Place[]): Promise<void> {
  const waiting = [...queue];
  const work = async (): Promise<void> => {
    for (let place = waiting.shift(); place; place = waiting.shift()) {
      const killedBy = await killerOf(place);
      verdicts.push({ place, killedBy });
      if (killedBy === undefined) console.log(`survived  ${describe(place)}`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
}

async function killerOf({ file, mutant: { start, end, text } }: Place): Promise<string | undefined> {
  const order: MutationOrder = { url: pathToFileURL(resolve(root, file)).href, start, end, text };
  for (const test of covering.of(file).slice(0, mostTests)) {
    const usualMs = await usualTime(test);
    if (usualMs === undefined) continue;
    const { passed } = await run(test, { order, limitMs: 5000 + 4 * usualMs });
    if (!passed) return test;
  }
  return undefined;
}

/** How long a test takes on the source as it is; undefined if it fails or is too slow, and so judges nothing. */
function usualTime(test: string): Promise<number | undefined> {
  return usual.getOrInsertComputed(test, async () => {
    const { passed, tookMs } = await run(test, { limitMs: slowestMs });
    if (!passed) console.log(`left out  ${test}: it fails, or takes over ${slowestMs / 1000} s, without any mutant`);
    return passed ? tookMs : undefined;
  });
}

interface Run {
  readonly order?: MutationOrder;
  readonly limitMs: number;
}

async function run(test: string, { order, limitMs }: Run): Promise<{ passed: boolean; tookMs: number }> {
  const startedMs = performance.now();
  const hook = pathToFileURL(resolve(import.meta.dirname, 'mutation-hook.ts')).href;
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const env = {
    ...environment,
    // Enough random lives for every trouble to come.
    WATCHKEEPER_SPOOL_RUNS: '150',
    // Also for the programs that a test starts.
    NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import=${hook}`,
    ...(order && { WATCHKEEPER_MUTATION: JSON.stringify(order) }),
  };
  // A group of its own: what a test started ends with it.
  const child = spawn(process.execPath, [test], { cwd: root, env, stdio: 'ignore', detached: true });
  const timer = setTimeout(() => endGroup(child.pid), limitMs);
  const code = await new Promise<number | null>((done) => child.once('close', done));
  clearTimeout(timer);
  endGroup(child.pid);
  return { passed: code === 0, tookMs: performance.now() - startedMs };
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // All of the group has ended.
  }
}

function describe({ file, source, mutant }: Place): string {
  const { start, end, text, operator } = mutant;
  const before = source.slice(0, start).split('\n');
  const [line = ''] = source.slice(start).split('\n');
  const was = source.slice(start, end);
  const shown = was.includes('\n') ? `${line.trim()} …` : was;
  const around = source.split('\n')[before.length - 1]?.trim() ?? '';
  return `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}  ${operator}: ${shown} → ${text}   in: ${around.slice(0, 110)}`;
}

function report(all: readonly Verdict[]): void {
  for (const room of roomsToMutate()) {
    const own = all.filter(({ place }) => place.room === room);
    const killed = own.filter(({ killedBy }) => killedBy !== undefined).length;
    const percent = own.length === 0 ? 0 : (100 * killed) / own.length;
    console.log(`${room}: ${killed} of ${own.length} mutants noticed, ${percent.toFixed(0)} %`);
  }
}
