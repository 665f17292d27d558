import { readConfigFile } from '../../config/config-file.ts';
import type { Config } from '../../config/config.ts';
import { formatMistake } from '../../config/mistake.ts';
import { AppError } from '../../core/errors.ts';
import { replaceFile } from '../../sys/atomic-file.ts';
import { EgressPolicy } from '../../net/dial/egress.ts';

/**
 * What an agent's checks may reach: `egress:` in a file, or the default policy. It is its machine's administrator who says so, and
 * no server; a port of its own is never a target. @throws {AppError} invalid-config, not-found
 */
export async function readEgressPolicy(file: string | undefined, ownPorts: readonly number[]): Promise<EgressPolicy> {
  if (file === undefined) return new EgressPolicy({ ownPorts });
  const { config, mistakes } = await readConfigFile(file, process.env, { mayBeEmpty: true });
  const [mistake] = mistakes;
  if (mistake) throw new AppError('invalid-config', formatMistake(mistake));
  return new EgressPolicy({ ...config?.egress, ownPorts });
}

/** Keeps the policy of a configuration where `readEgressPolicy` finds it. */
export function writeEgressPolicy(file: string, egress: Config['egress'] | undefined): void {
  replaceFile(file, `${JSON.stringify({ egress: egress ?? {} })}\n`);
}
