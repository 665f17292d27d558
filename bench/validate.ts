import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** How long `validate` takes for a file of 10,000 monitors, from start to exit; the best of a few, for the machine may be busy. */

const executable = fileURLToPath(new URL('../bin/watchkeeper', import.meta.url));
const monitors = 10_000;
const rounds = 5;

export interface ValidateFigures {
  readonly monitors: number;
  readonly seconds: number;
}

export async function run(): Promise<ValidateFigures> {
  const file = join(tmpdir(), `watchkeeper-validate-${process.pid}.yaml`);
  const entries = Array.from(
    { length: monitors },
    (_, index) =>
      `  - name: monitor ${index}\n    type: http\n    target: https://host${index}.example.org/\n    interval: 30s\n`,
  );
  await writeFile(file, `monitors:\n${entries.join('')}`);
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedMs = performance.now();
    await promisify(execFile)(executable, ['validate', file]);
    seconds.push((performance.now() - startedMs) / 1000);
  }
  await rm(file);
  return { monitors, seconds: Math.min(...seconds) };
}

if (import.meta.main) console.table(await run());
