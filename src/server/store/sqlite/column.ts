import { maxSigned, type ByteReader, type ByteWriter } from './bytes.ts';

/** How the numbers of a column follow, each as a whole number of units, or as floats where nothing else fits. */
const layouts = {
  floats: 0,
  /** From one to the next: a drifting figure. */
  steps: 1,
  /** From their median: a noisy figure. */
  distances: 2,
  /** From the same run's number in an earlier column: the whole and its largest part go up and down together. */
  differences: 3,
} as const;

/** Fractions are stored in steps of 1/50 of the median or finer: at most 1 % of it is lost, and finer noise would not compress. */
const unitsPerMedian = 50;
const smallestUnit = -27;

interface Candidate {
  readonly layout: (typeof layouts)['steps' | 'distances' | 'differences'];
  /** The median, or which earlier column. */
  readonly parameter: number;
  readonly residuals: readonly number[];
}

/** Returns the values as they will be read. `earlier` are columns of the same chunk, as they will be read. */
export function writeColumn(
  writer: ByteWriter,
  values: readonly number[],
  earlier: readonly (readonly number[])[],
): number[] {
  const unit = unitFor(values);
  const units = values.map((value) => toUnits(value, unit));
  if (units.some((value) => Math.abs(value) > maxSigned / 2)) {
    writer.unsigned(layouts.floats);
    for (const value of values) writer.float(value);
    return [...values];
  }
  const { layout, parameter, residuals } = smallestOf(candidatesFor(units, unit, earlier));
  writer.unsigned(layout);
  writer.signed(unit);
  writer.signed(parameter);
  for (const residual of residuals) writer.signed(residual);
  return units.map((value) => fromUnits(value, unit));
}

export function readColumn(reader: ByteReader, count: number, earlier: readonly (readonly number[])[]): number[] {
  const layout = reader.unsigned();
  if (layout === layouts.floats) return Array.from({ length: count }, () => reader.float());
  const unit = reader.signed();
  const parameter = reader.signed();
  let base = layout === layouts.distances ? parameter : 0;
  return Array.from({ length: count }, (_, index) => {
    if (layout === layouts.differences) base = toUnits(earlier[parameter]?.[index] ?? 0, unit);
    const value = base + reader.signed();
    if (layout === layouts.steps) base = value;
    return fromUnits(value, unit);
  });
}

function candidatesFor(units: readonly number[], unit: number, earlier: readonly (readonly number[])[]): Candidate[] {
  const middle = medianOf(units);
  const candidates: Candidate[] = [
    { layout: layouts.steps, parameter: 0, residuals: units.map((value, index) => value - (units[index - 1] ?? 0)) },
    { layout: layouts.distances, parameter: middle, residuals: units.map((value) => value - middle) },
  ];
  for (const [parameter, column] of earlier.entries()) {
    if (column.length !== units.length) continue;
    const residuals = units.map((value, index) => value - toUnits(column[index] ?? 0, unit));
    const fits = residuals.every((residual) => Math.abs(residual) <= maxSigned);
    if (fits) candidates.push({ layout: layouts.differences, parameter, residuals });
  }
  return candidates;
}

function smallestOf(candidates: readonly Candidate[]): Candidate {
  const sizes = candidates.map(({ residuals }) => sizeOf(residuals));
  const smallest = sizes.indexOf(Math.min(...sizes));
  // Both coders are always available.
  return candidates[smallest]!;
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
