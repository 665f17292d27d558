import { invalid, wordsOf, type RecordField } from './fields.ts';
import { DnsFormatError } from './reader.ts';

/** Latitude and longitude count thousandths of an arc second from here, the equator and the prime meridian (RFC 1876 section 2). */
const zeroAngle = 2 ** 31;
const degree = 3_600_000;
/** Altitudes count centimetres from 100 km below the reference spheroid. */
const zeroAltitudeCm = 10_000_000;
const maxCm = { altitude: 4_284_967_295, size: 9_000_000_000 } as const;
/** Defaults of lengths that are left out (RFC 1876 section 3): size, horizontal and vertical precision. */
const usualLengths = ['1m', '10000m', '10m'] as const;

/** Axes by the two letters of their directions, the positive one first. */
const axes = {
  latitude: { letters: 'NS', maxDegrees: 90 },
  longitude: { letters: 'EW', maxDegrees: 180 },
} as const;
type Axis = (typeof axes)[keyof typeof axes];

/** The data of a LOC record (RFC 1876): `52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m`. */
export const location: RecordField = {
  read(reader) {
    const version = reader.u8();
    if (version !== 0) throw new DnsFormatError(`a location of version ${version}, expected 0`);
    const lengths = [reader.u8(), reader.u8(), reader.u8()].map(lengthText);
    const latitude = angleText(reader.u32() - zeroAngle, axes.latitude);
    const longitude = angleText(reader.u32() - zeroAngle, axes.longitude);
    const altitude = `${((reader.u32() - zeroAltitudeCm) / 100).toFixed(2)}m`;
    return [latitude, longitude, altitude, ...lengths].join(' ');
  },
  write(writer, text) {
    const words = wordsOf(text);
    const [latitude, afterLatitude] = readAngle(words, axes.latitude);
    const [longitude, rest] = readAngle(afterLatitude, axes.longitude);
    const [altitude = '', ...lengths] = rest;
    if (lengths.length > usualLengths.length) throw invalid('at most three lengths after the altitude', text);
    writer.u8(0);
    for (const [index, usual] of usualLengths.entries()) writer.u8(lengthByte(lengths[index] ?? usual));
    writer.u32(latitude + zeroAngle);
    writer.u32(longitude + zeroAngle);
    writer.u32(centimetres(altitude, -zeroAltitudeCm, maxCm.altitude) + zeroAltitudeCm);
  },
};

function angleText(thousandths: number, { letters, maxDegrees }: Axis): string {
  const size = Math.abs(thousandths);
  if (size > maxDegrees * degree) throw new DnsFormatError(`an angle of more than ${maxDegrees} degrees`);
  const seconds = (size % 60_000) / 1000;
  const minutes = Math.floor(size / 60_000) % 60;
  return `${Math.floor(size / degree)} ${minutes} ${seconds.toFixed(3)} ${letters[thousandths < 0 ? 1 : 0]}`;
}

/** Degrees, perhaps minutes and seconds, and a direction; and the words after them. */
function readAngle(words: readonly string[], axis: Axis): readonly [number, readonly string[]] {
  const { letters } = axis;
  const end = words.findIndex((word) => word.length === 1 && letters.includes(word.toUpperCase()));
  const thousandths = angleOf(words.slice(0, Math.max(0, end)), axis);
  if (thousandths === undefined)
    throw invalid(`degrees, minutes, seconds and ${letters[0]} or ${letters[1]}`, words.join(' '));
  const isNegative = words[end]?.toUpperCase() === letters[1];
  return [isNegative ? -thousandths : thousandths, words.slice(end + 1)];
}

/** Degrees, minutes and seconds, in thousandths of a second; undefined if they are no angle. */
function angleOf(numbers: readonly string[], { maxDegrees }: Axis): number | undefined {
  const [, degrees, minutes = 0, seconds = 0] =
    /^(\d{1,3})(?: ([0-5]?\d)(?: ([0-5]?\d(?:\.\d{0,3})?))?)?$/.exec(numbers.join(' ')) ?? [];
  const thousandths = Number(degrees) * degree + Number(minutes) * 60_000 + Math.round(Number(seconds) * 1000);
  return thousandths <= maxDegrees * degree ? thousandths : undefined;
}

function centimetres(word: string, minCm: number, limitCm: number): number {
  const [, digits] = /^(-?\d{1,8}(?:\.\d{0,2})?)m?$/i.exec(word) ?? [];
  const cm = Math.round(Number(digits) * 100);
  if (cm >= minCm && cm <= limitCm) return cm;
  throw invalid(`a length from ${minCm / 100} to ${limitCm / 100} metres`, word);
}

/** A length as a digit and a power of ten, in centimetres. */
function lengthText(byte: number): string {
  const [digit, power] = [byte >> 4, byte & 0x0f];
  if (digit > 9 || power > 9) throw new DnsFormatError(`a length of ${digit} × 10^${power} cm`);
  const cm = digit * 10 ** power;
  return cm >= 100 ? `${cm / 100}m` : `${(cm / 100).toFixed(2)}m`;
}

/** More digits than one are cut, as BIND does. */
function lengthByte(word: string): number {
  const cm = centimetres(word, 0, maxCm.size);
  const power = Math.max(0, String(cm).length - 1);
  return (Math.floor(cm / 10 ** power) << 4) | power;
}
