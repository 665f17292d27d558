import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);
// Not everybody's PATH has the folders of what root uses.
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` };

/** Runs one of the system's programs; resolves with what it printed, rejects if it failed. */
export async function run(program: string, words: readonly string[], cwd?: string): Promise<string> {
  const { stdout } = await execute(program, words, { env, ...(cwd !== undefined && { cwd }) });
  return stdout;
}
