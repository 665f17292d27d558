import { assertRereadable, readConfigFile } from '../../config/config-file.ts';
import type { Config } from '../../config/config.ts';
import type { EgressSection } from '../../config/egress-section.ts';
import { formatMistake } from '../../config/mistake.ts';
import { AppError } from '../../core/errors.ts';
import { replaceFile } from '../../sys/atomic-file.ts';
import { EgressPolicy, type EgressRules } from '../../net/dial/egress.ts';

/** What the policy has from elsewhere than the file. */
type Own = Pick<EgressRules, 'ownPorts' | 'only'>;

/** A server chooses the proxies of an agent's checks: none is trusted unless the file says so. */
const agentDefaults = { proxies: [] } as const;

/**
 * What an agent's checks may reach: `egress:` in a file, or the default policy. It is its machine's administrator who says so, and
 * no server; a port of its own, or of a server on its machine, is no target unless allowed. @throws {AppError} invalid-config, not-found
 */
export async function readEgressPolicy(file: string | undefined, own: Own): Promise<EgressPolicy> {
  return new EgressPolicy({ ...agentDefaults, ...(file !== undefined && (await readRules(file))), ...own });
}

/** Reads the file again, at SIGHUP; what was read before stays in force where that fails, and why is said. */
export async function rereadEgressPolicy(
  file: string | undefined,
  policy: EgressPolicy,
  say: (text: string) => void,
): Promise<void> {
  if (file === undefined) return say('There is no file to read again: --egress names one. The server says the rest.');
  try {
    assertRereadable(file);
    policy.change({ ...agentDefaults, ...(await readRules(file)) });
    say(`Loaded ${file}: what checks may reach.`);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    say(`Not loaded: ${error.message} What checks may reach stays as it was.`);
  }
}

async function readRules(file: string): Promise<EgressSection> {
  const { config, mistakes } = await readConfigFile(file, process.env, { mayBeEmpty: true });
  const [mistake] = mistakes;
  if (mistake || !config) throw new AppError('invalid-config', mistake ? formatMistake(mistake) : `${file} is empty`);
  return config.egress;
}

/** Keeps the policy of a configuration where `readEgressPolicy` finds it. */
export function writeEgressPolicy(file: string, egress: Config['egress'] | undefined): void {
  replaceFile(file, `${JSON.stringify({ egress: egress ?? {} })}\n`);
}
