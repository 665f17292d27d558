import { printable } from './printable.ts';
import type { SensorRecord } from './record.ts';

/** A record of traffic as lines that `cat` shows well: one a peer, sent and received. */
export function trafficText({ seconds, peers }: Extract<SensorRecord, { event: 'traffic' }>): string {
  const lines = peers.map(
    ({ address, total: [sent, received] }) => `${address}: ${sent} bytes sent, ${received} bytes received`,
  );
  return [`traffic of ${seconds.toFixed(1)} s`, ...lines].map(printable).join('\n');
}
