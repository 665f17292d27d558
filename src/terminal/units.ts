import type { Unit } from '../core/metrics.ts';

const suffixOf: Readonly<Record<Unit, string>> = {
  ms: ' ms',
  percent: ' %',
  count: '',
  bytes: ' B',
  seconds: ' s',
  days: ' days',
  hops: ' hops',
};

/** A number with its unit, in as many digits as a person reads: `22.65 ms`, `1.2 kB`, `0 %`. */
export function formatQuantity(value: number, unit: Unit): string {
  if (unit === 'bytes') return formatBytes(value);
  const suffix = value === 1 && (unit === 'days' || unit === 'hops') ? suffixOf[unit].slice(0, -1) : suffixOf[unit];
  return `${formatNumber(value)}${suffix}`;
}

export function formatMs(milliseconds: number): string {
  return formatQuantity(milliseconds, 'ms');
}

function formatNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1000) return value.toFixed(0);
  if (size >= 100) return value.toFixed(1);
  return size >= 0.01 ? value.toFixed(2) : value.toFixed(3);
}

function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB'] as const;
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return `${step === 0 ? bytes : (bytes / 1000 ** step).toFixed(1)} ${units[step]}`;
}

/** `1 fault`, `2 faults` */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

const unitBySuffix: readonly (readonly [suffix: string, unit: Unit])[] = [
  ['Ms', 'ms'],
  ['Percent', 'percent'],
  ['Bytes', 'bytes'],
  ['Seconds', 'seconds'],
  ['Days', 'days'],
];

/** A number by the unit that its name ends in: `rttMs` is milliseconds. */
export function formatNamed(name: string, value: number): string {
  const [, unit = 'count'] = unitBySuffix.find(([suffix]) => name.endsWith(suffix)) ?? [];
  return formatQuantity(value, unit);
}

/** A name of the code as people read it, without its unit: `firstByteMs` → `first byte`. */
export function nameWords(name: string): string {
  const bare = name.replace(/(?<=.)(?:Ms|Percent|Bytes|Seconds|Days)$/, '');
  return bare.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase();
}
