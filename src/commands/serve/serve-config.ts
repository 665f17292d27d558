import { readConfigFile } from '../../config/config-file.ts';
import type { Config } from '../../config/config.ts';
import { formatMistake, formatWarning } from '../../config/mistake.ts';
import { AppError } from '../../core/errors.ts';
import { counted } from '../../terminal/units.ts';

export interface ServerConfig {
  readonly config: Config;
  /** Every file that it was read from, for backups. */
  readonly files: readonly string[];
  /** What is left out because of a mistake, for people; undefined if there is none. */
  readonly leftOut: string | undefined;
}

/**
 * Reads the configuration of a server, at its start and at every reload alike: a monitor or an entry of sensors with a mistake is
 * left out and the rest runs; any other mistake is one of the whole. Every mistake is told.
 * @throws {AppError} not-found, invalid-config
 */
export async function loadServerConfig(file: string, say: (text: string) => void): Promise<ServerConfig> {
  const { config, files, mistakes, warnings } = await readConfigFile(file, process.env, { mayBeEmpty: true });
  for (const warning of warnings) say(formatWarning(warning));
  for (const mistake of mistakes) say(formatMistake(mistake));
  if (!config) throw new AppError('invalid-config', `${file}: nothing of it can be used; correct what is said above`);
  if (mistakes.length === 0) return { config, files, leftOut: undefined };
  return { config, files, leftOut: `${file} has ${counted(mistakes.length, 'mistake')}; what is wrong does not run` };
}
