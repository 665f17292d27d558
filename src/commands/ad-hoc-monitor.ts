import type { CheckType } from '../core/check.ts';
import type { Monitor } from '../core/monitor.ts';

/** A monitor that stands in no configuration: named by what it checks. */
export function adHocMonitor(
  check: CheckType,
  options: Monitor['options'],
  times: Pick<Monitor, 'intervalMs' | 'timeoutMs'>,
): Monitor {
  const target = check.targetOf(options);
  const name = `${check.title} ${target}`;
  return { id: name, name, type: check.type, target, options, ...times };
}
