import { maxSigned, type ByteReader, type ByteWriter } from './bytes.ts';

/**
 * How the numbers of a column follow: as floats where nothing else fits, as steps from one to the next (a drifting figure), or
 * as distances from their median (a noisy one).
 */
const layouts = { floats: 0, steps: 1, distances: 2 } as const;

/** Fractions are kept to 1/100 of the median: at most 0.5 % of it is lost, and the rest would be noise that does not compress. */
const unitsPerMedian = 100;
const smallestUnit = -27;

export function writeColumn(writer: ByteWriter, values: readonly number[]): void {
  const unit = unitFor(values);
  const units = values.map((value) => toUnits(value, unit));
  if (units.some((value) => Math.abs(value) > maxSigned / 2)) {
    writer.unsigned(layouts.floats);
    for (const value of values) writer.float(value);
    return;
  }
  const middle = medianOf(units);
  const steps = units.map((value, index) => value - (units[index - 1] ?? 0));
  const distances = units.map((value) => value - middle);
  const isDrifting = sizeOf(steps) <= sizeOf(distances);
  writer.unsigned(isDrifting ? layouts.steps : layouts.distances);
  writer.signed(unit);
  if (!isDrifting) writer.signed(middle);
  for (const value of isDrifting ? steps : distances) writer.signed(value);
}

export function readColumn(reader: ByteReader, count: number): number[] {
  const layout = reader.unsigned();
  if (layout === layouts.floats) return Array.from({ length: count }, () => reader.float());
  const unit = reader.signed();
  let base = layout === layouts.distances ? reader.signed() : 0;
  return Array.from({ length: count }, () => {
    const value = base + reader.signed();
    if (layout === layouts.steps) base = value;
    return fromUnits(value, unit);
  });
}

/** Units are 1, 2, 5 times a power of ten, numbered so that 0 is 1, -1 is 0.5 and 3 is 10: people read round figures. */
function unitFor(values: readonly number[]): number {
  if (values.every(Number.isInteger)) return 0;
  const sizes = values.map(Math.abs);
  const size = medianOf(sizes) || sizes.filter((size) => size > 0).reduce((a, b) => Math.min(a, b), Infinity);
  const wanted = size / unitsPerMedian;
  const exponent = Math.floor(Math.log10(wanted));
  const lead = wanted / 10 ** exponent;
  return Math.max(3 * exponent + (lead >= 5 ? 2 : lead >= 2 ? 1 : 0), smallestUnit);
}

function scaleOf(unit: number): { readonly lead: number; readonly exponent: number } {
  const exponent = Math.floor(unit / 3);
  return { lead: [1, 2, 5][unit - 3 * exponent] ?? 1, exponent };
}

function toUnits(value: number, unit: number): number {
  const { lead, exponent } = scaleOf(unit);
  return Math.round(exponent < 0 ? (value * 10 ** -exponent) / lead : value / (lead * 10 ** exponent));
}

function fromUnits(units: number, unit: number): number {
  const { lead, exponent } = scaleOf(unit);
  // Dividing by a power of ten, and not multiplying by its inverse, gives the float that is nearest to the decimal.
  return exponent < 0 ? (units * lead) / 10 ** -exponent : units * lead * 10 ** exponent;
}

function medianOf(values: readonly number[]): number {
  return Float64Array.from(values).toSorted()[Math.floor(values.length / 2)] ?? 0;
}

function sizeOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + Math.log2(1 + Math.abs(value)), 0);
}
