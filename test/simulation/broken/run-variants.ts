import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const runner = resolve(import.meta.dirname, 'run-variant.ts');

/** What was found, and with which seed. */
export interface Found {
  readonly name: string;
  readonly seed: number;
  /** Of CPU time. */
  readonly seconds: number;
  readonly invariant: string;
  readonly text: string;
}

/** Simulates a variant in a process of its own: modules are replaced there. `found` is null if nothing was noticed in time. */
export function runVariant(
  index: number,
  { seed, seconds }: { readonly seed: number; readonly seconds: number },
): { readonly found: Found | null; readonly error: string } {
  const args = ['--disable-warning=ExperimentalWarning', runner, String(index), String(seed), String(seconds)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (stdout.trim() === '') return { found: null, error: stderr };
  return { found: JSON.parse(stdout) as Found | null, error: '' };
}
