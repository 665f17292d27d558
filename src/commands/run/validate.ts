import { readConfigFile } from '../../config/config-file.ts';
import type { Config } from '../../config/config.ts';
import { formatMistake, formatWarning } from '../../config/mistake.ts';
import { wrapLog } from '../../terminal/text.ts';
import { counted } from '../../terminal/units.ts';
import { columnsFor } from '../../terminal/width.ts';
import { misuse } from '../exit-codes.ts';

/**
 * Says every mistake of a configuration, and returns the exit code: 0 if there is none, 3 if there is one.
 * @throws {AppError} not-found, invalid-config
 */
export async function validateFile(file: string, output: NodeJS.WriteStream): Promise<number> {
  const { config, mistakes, warnings } = await readConfigFile(file, process.env);
  const write = (line: string): void => void output.write(`${wrapLog(line, columnsFor(output))}\n`);
  for (const warning of warnings) write(formatWarning(warning));
  if (mistakes.length > 0) {
    for (const mistake of mistakes) write(formatMistake(mistake));
    write(`${file}: ${counted(mistakes.length, 'mistake')}`);
    return misuse;
  }
  const warned = warnings.length === 0 ? '' : `, ${counted(warnings.length, 'warning')}`;
  write(`${file}: ${contentsOf(config ?? { monitors: [], sensors: [], rooms: [] })}, no mistakes${warned}`);
  return 0;
}

/** `2 monitors, 1 entry of sensors, 1 room`, the latter where there is one. */
export function contentsOf({ monitors, sensors, rooms }: Pick<Config, 'monitors' | 'sensors' | 'rooms'>): string {
  const orders =
    sensors.length === 0 ? '' : `, ${sensors.length} ${sensors.length === 1 ? 'entry' : 'entries'} of sensors`;
  return `${counted(monitors.length, 'monitor')}${orders}${rooms.length === 0 ? '' : `, ${counted(rooms.length, 'room')}`}`;
}
