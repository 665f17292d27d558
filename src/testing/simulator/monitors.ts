import type { MonitorSpec } from '../../core/monitor-spec.ts';

/** A ping of a host of its own. */
export function monitorNumber(number: number, intervalMs: number): MonitorSpec {
  const host = `host-${number}.example`;
  const options = { host, wait: '1s' };
  const [id, name] = [`monitor-${number}`, `ping ${number}`];
  return { id, name, type: 'icmp', target: host, options, intervalMs, timeoutMs: 8000, paused: false };
}
