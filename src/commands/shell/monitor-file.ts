import { writeFile } from 'node:fs/promises';
import { dump } from 'js-yaml';
import { findCheckType } from '../../checks/registry.ts';
import { defaultTimeoutOf } from '../../core/check.ts';
import { formatDuration } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { asWritten, fieldsOf, valueOfField } from '../../core/fields.ts';
import { readConfigFile } from '../../config/config-file.ts';
import { formatMistake } from '../../config/mistake.ts';
import type { Monitor } from '../../core/monitor.ts';

/** For people to go on with: no value refers to another, and no long one is folded. */
const inFull = { noRefs: true, lineWidth: -1 };

/**
 * Writes the monitors as a configuration; asks before a file is replaced. False when it was not to be.
 * @throws {AppError} usage, unavailable
 */
export async function saveMonitors(
  monitors: readonly Monitor[],
  file: string,
  mayReplace: () => Promise<boolean>,
): Promise<boolean> {
  if (file === '') throw new AppError('usage', 'Expected the name of a file, like save office.yaml.');
  // What a person typed is meant literally; the configuration reads ${NAME} from the environment.
  const text = dump({ monitors: monitors.map(configurationOf) }, inFull).replaceAll('${', () => '$${');
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    // What writeFile rejects with is an error of the system.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw cannotWrite(file, error);
    if (!(await mayReplace())) return false;
    await writeFile(file, text).catch((error: unknown) => Promise.reject(cannotWrite(file, error)));
  }
  return true;
}

/** A monitor as a person would have written it: what is as it would be anyway is left out. */
function configurationOf({ name, type, options, intervalMs, timeoutMs }: Monitor): object {
  const check = findCheckType(type);
  const written: Record<string, unknown> = {};
  for (const field of check ? fieldsOf(check.options) : []) {
    const value = valueOfField(options, field);
    if (value === undefined || JSON.stringify(value) === JSON.stringify(field.default)) continue;
    const [outer = '', inner] = field.path;
    if (inner === undefined) written[outer] = asWritten(field, value);
    // A nested object only ever comes from here.
    else written[outer] = { ...(written[outer] as object | undefined), [inner]: asWritten(field, value) };
  }
  const timeout =
    check && timeoutMs === defaultTimeoutOf(check, options, intervalMs) ? {} : { timeout: formatDuration(timeoutMs) };
  return { name, type, interval: formatDuration(intervalMs), ...timeout, options: written };
}

function cannotWrite(file: string, cause: unknown): AppError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new AppError('unavailable', `${file} could not be written: ${why}`, { cause });
}

/**
 * The monitors of a configuration; those with a mistake are left out and told about.
 * @throws {AppError} not-found or invalid-config, when there is none
 */
export async function loadMonitors(file: string, onMistake: (line: string) => void): Promise<readonly Monitor[]> {
  if (file === '') throw new AppError('usage', 'Expected the name of a file, like load office.yaml.');
  const { config, mistakes } = await readConfigFile(file, process.env);
  for (const mistake of mistakes) onMistake(formatMistake(mistake));
  if (config) return config.monitors;
  throw new AppError('invalid-config', `${file} has no monitor that can run.`);
}
