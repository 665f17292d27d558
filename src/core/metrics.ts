export type Unit = 'ms' | 'percent' | 'count' | 'bytes' | 'seconds' | 'days' | 'hops';

/** A number that a check type measures. Storage columns, charts and Prometheus series derive from these. */
export interface Metric {
  /** camelCase, with the unit in the name where it has one: `lossPercent`, `connectMs`. */
  readonly name: string;
  readonly unit: Unit;
  readonly meaning: string;
}

/** What a run that connects measures, told once for all check types. */
export const metricOf = {
  resolve: { name: 'resolveMs', unit: 'ms', meaning: 'looking the name up' },
  connect: { name: 'connectMs', unit: 'ms', meaning: 'TCP handshake' },
  tls: { name: 'tlsMs', unit: 'ms', meaning: 'TLS handshake' },
  firstByte: { name: 'firstByteMs', unit: 'ms', meaning: 'request sent to first byte of the answer' },
  transfer: { name: 'transferMs', unit: 'ms', meaning: 'first byte of the answer to the last' },
  certificate: { name: 'certificateDaysLeft', unit: 'days', meaning: 'until the first certificate expires' },
} as const satisfies Readonly<Record<string, Metric>>;
