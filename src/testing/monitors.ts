import { tcp } from '../checks/tcp/tcp.ts';
import type { Monitor } from '../core/monitor.ts';

/** A monitor for tests of everything around checks. */
export function testMonitor(overrides: Partial<Monitor> = {}): Monitor {
  const name = overrides.name ?? overrides.id ?? 'example tcp';
  return {
    id: name,
    name,
    type: 'tcp',
    target: '127.0.0.1:9',
    options: tcp.options.parse({ host: '127.0.0.1', port: 9 }),
    intervalMs: 10_000,
    timeoutMs: 5000,
    ...overrides,
  };
}
