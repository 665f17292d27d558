export type Unit = 'ms' | 'percent' | 'count' | 'bytes' | 'seconds' | 'days' | 'hops';

/** A number that a check type measures. Storage columns, charts and Prometheus series derive from these. */
export interface Metric {
  /** camelCase, with the unit in the name where it has one: `lossPercent`, `connectMs`. */
  readonly name: string;
  readonly unit: Unit;
  readonly meaning: string;
}
