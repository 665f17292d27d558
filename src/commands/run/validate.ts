import { readConfigFile } from '../../config/config-file.ts';
import type { Config } from '../../config/config.ts';
import { formatMistake, formatWarning } from '../../config/mistake.ts';
import { counted } from '../../terminal/units.ts';
import { misuse } from '../exit-codes.ts';

/**
 * Says every mistake of a configuration, and returns the exit code: 0 if there is none, 3 if there is one.
 * @throws {AppError} not-found, invalid-config
 */
export async function validateFile(file: string, output: NodeJS.WritableStream): Promise<number> {
  const { config, mistakes, warnings } = await readConfigFile(file, process.env);
  output.write(warnings.map((warning) => `${formatWarning(file, warning)}\n`).join(''));
  if (mistakes.length > 0) {
    output.write(mistakes.map((mistake) => `${formatMistake(file, mistake)}\n`).join(''));
    output.write(`${file}: ${counted(mistakes.length, 'mistake')}\n`);
    return misuse;
  }
  const warned = warnings.length === 0 ? '' : `, ${counted(warnings.length, 'warning')}`;
  output.write(`${file}: ${contentsOf(config ?? { monitors: [], sensors: [] })}, no mistakes${warned}\n`);
  return 0;
}

/** `2 monitors, 1 entry of sensors`, the latter where there is one. */
export function contentsOf({ monitors, sensors }: Pick<Config, 'monitors' | 'sensors'>): string {
  const orders =
    sensors.length === 0 ? '' : `, ${sensors.length} ${sensors.length === 1 ? 'entry' : 'entries'} of sensors`;
  return `${counted(monitors.length, 'monitor')}${orders}`;
}
