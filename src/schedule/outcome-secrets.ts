import type { OptionsSchema } from '../core/check.ts';
import type { Monitor } from '../core/monitor.ts';
import type { JsonObject, Outcome } from '../core/outcome.ts';
import { SecretMask, secretsIn } from '../core/secrets.ts';

/** By the options of a monitor, which stay the same object as long as it runs. */
const masks = new WeakMap<Monitor['options'], SecretMask>();

/** An answer may repeat what it was asked with: no secret of the monitor's options leaves in its outcome. */
export function hideSecrets(
  outcome: Outcome,
  { options }: { readonly options?: OptionsSchema },
  monitor: Monitor,
): Outcome {
  const mask = masks.getOrInsertComputed(
    monitor.options,
    () => new SecretMask([...(options ? secretsIn(options, monitor.options) : []), ...(monitor.secrets ?? [])]),
  );
  if (mask.isEmpty) return outcome;
  const { detail, message } = outcome;
  // Of an object an object is left.
  return { ...outcome, detail: mask.json(detail) as JsonObject, message: mask.text(message) };
}
