import { readConfigFile } from '../config/config-file.ts';
import { formatMistake } from '../config/mistake.ts';
import { misuse } from './exit-codes.ts';

/**
 * Says every mistake of a configuration, and returns the exit code: 0 if there is none, 3 if there is one.
 * @throws {AppError} not-found, invalid-config
 */
export async function validateFile(file: string, output: NodeJS.WritableStream): Promise<number> {
  const { config, mistakes } = await readConfigFile(file, process.env);
  if (mistakes.length > 0) {
    output.write(mistakes.map((mistake) => `${formatMistake(file, mistake)}\n`).join(''));
    output.write(`${file}: ${counted(mistakes.length, 'mistake')}\n`);
    return misuse;
  }
  output.write(`${file}: ${counted(config?.monitors.length ?? 0, 'monitor')}, no mistakes\n`);
  return 0;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
