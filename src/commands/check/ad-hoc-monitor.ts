import { defaultNameOf, type CheckType } from '../../core/check.ts';
import type { Monitor } from '../../core/monitor.ts';
import { maskUrl } from '../../core/secrets.ts';

/** A monitor that stands in no configuration: named by what it checks. */
export function adHocMonitor(
  check: CheckType,
  options: Monitor['options'],
  times: Pick<Monitor, 'intervalMs' | 'timeoutMs'>,
): Monitor {
  const target = maskUrl(check.targetOf(options));
  const name = nameOf(check, target, options);
  return { id: name, name, type: check.type, target, options, ...times };
}

/** `DNS example.org (8.8.8.8, MX)`: the target, then what else matters enough to be asked for and is not as usual. */
function nameOf(check: CheckType, target: string, options: Monitor['options']): string {
  const remarks = check.asks.flatMap((ask) => {
    const value = options[ask];
    if (typeof value !== 'string' || target.includes(value)) return [];
    return value === check.options.shape[ask]?.safeParse(undefined).data ? [] : [value];
  });
  return `${defaultNameOf(check, options, target)}${remarks.length === 0 ? '' : ` (${remarks.join(', ')})`}`;
}
