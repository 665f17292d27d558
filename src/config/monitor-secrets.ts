import type { CheckType } from '../core/check.ts';
import { maskUrl, SecretMask } from '../core/secrets.ts';
import type { WrittenFile } from './mistake.ts';

interface MonitorSecrets {
  /** As everybody may see it. */
  readonly target: string;
  /** Values that are shown nowhere, beside those that the options' schema marks. */
  readonly secrets: readonly string[];
}

/**
 * What variables put into a monitor is secret in its options, but for what its target shows: host, port, path. What came from a
 * file, or from a variable whose name says so, is secret there too.
 */
export function monitorSecrets(
  check: CheckType,
  options: Readonly<Record<string, unknown>>,
  file: WrittenFile,
): MonitorSecrets {
  const references = [...file.referencesIn(['target']), ...file.referencesIn(['options'])];
  const values = references.map(({ value }) => value);
  const known = references.filter(({ isSecret }) => isSecret).map(({ value }) => value);
  const target = new SecretMask(known).text(maskUrl(check.targetOf(options), values));
  const others = values.filter((value) => !target.toLowerCase().includes(value.toLowerCase()));
  return { target, secrets: [...new Set([...known, ...others])].filter((value) => value !== '') };
}
